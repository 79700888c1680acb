import MotionStream
import Testing
import Tracks

@Suite struct PictureWarpTests {
  private static let size = PictureSize(height: 24, width: 40)
  private static let floor: Float = 0.2

  /// A floor of one colour, with squares of 8x8 pixels whose every pixel is another.
  private static func picture(squares: [(x: Int, y: Int)] = [(8, 8)]) -> Tensor {
    let picture = Tensor(size.count, 3)
    for index in 0..<picture.count { picture.pointer[index] = floor }
    for (number, square) in squares.enumerated() {
      for y in 0..<8 {
        for x in 0..<8 {
          let pixel = (square.y + y) * size.width + square.x + x
          picture.pointer[3 * pixel + number] = 0.8 + Float(y * 8 + x) / 1000
        }
      }
    }
    return picture
  }

  private struct Move {
    var from: (x: Float, y: Float)
    var to: (x: Float, y: Float)
    var isSeen = true
    var isSeenAtStart = true
  }

  private static func frame(
    _ picture: Tensor, _ moves: [Move], reach: Double = 16, threads: Int = 1
  ) throws -> [Float] {
    func points(_ place: (Move) -> (x: Float, y: Float), _ seen: (Move) -> Bool) -> [TrackPoint] {
      moves.enumerated().map { index, move in
        TrackPoint(id: index, x: place(move).x, y: place(move).y, visible: seen(move))
      }
    }
    let warp = PictureWarp(
      picture: picture, size: size, reach: reach, cell: 8,
      start: points({ $0.from }, { $0.isSeenAtStart }), pool: try Pool(threads: threads))
    let frame = Tensor(size.count, 3)
    warp.write(points({ $0.to }, { $0.isSeen }), into: frame.matrix)
    return frame.values
  }

  private static func value(_ frame: [Float], _ x: Int, _ y: Int, _ channel: Int = 0) -> Float {
    frame[3 * (y * size.width + x) + channel]
  }

  /// Standing tracks on the floor, which keep it where it is.
  private static let pins = [(2, 2), (38, 2), (2, 22), (38, 22), (20, 2), (20, 22)].map {
    Move(from: (Float($0.0), Float($0.1)), to: (Float($0.0), Float($0.1)))
  }

  @Test("Standing tracks, those not seen at the start, and none leave the picture as it is")
  func standing() throws {
    let picture = Self.picture()
    #expect(try Self.frame(picture, []) == picture.values)
    #expect(try Self.frame(picture, Self.pins) == picture.values)
    let unseen = Move(from: (12, 12), to: (24, 12), isSeenAtStart: false)
    #expect(try Self.frame(picture, [unseen]) == picture.values)
  }

  @Test("A track takes what it is on along, to its edges; the floor stays and fills its place")
  func moved() throws {
    let frame = try Self.frame(Self.picture(), Self.pins + [Move(from: (12, 12), to: (28, 14))])
    for y in 1..<7 {  // without the outermost pixels, whose colours might be mixed
      for x in 1..<7 {
        let expected = 0.8 + Float(y * 8 + x) / 1000
        #expect(abs(Self.value(frame, 24 + x, 10 + y) - expected) < 1e-5)
        #expect(abs(Self.value(frame, 8 + x, 8 + y) - Self.floor) < 0.05)
      }
    }
    for (x, y) in [(4, 4), (36, 20), (20, 20), (4, 20)] {
      #expect(Self.value(frame, x, y) == Self.floor)
    }
  }

  @Test("By half a pixel, what lay between two pixels is shown")
  func half() throws {
    let frame = try Self.frame(Self.picture(), [Move(from: (12, 12), to: (12.5, 12))], reach: 60)
    #expect(abs(Self.value(frame, 12, 12) - (0.8 + (35.0 + 36.0) / 2000)) < 1e-5)
  }

  @Test("What leaves the picture leaves the floor")
  func left() throws {
    let frame = try Self.frame(Self.picture(), Self.pins + [Move(from: (12, 12), to: (-20, 12))])
    #expect(frame.allSatisfy { abs($0 - Self.floor) < 0.05 })
  }

  @Test("What is hidden goes behind what is seen, and what moves before what stands")
  func order() throws {
    let picture = Self.picture(squares: [(8, 8), (24, 8)])
    let standing = Move(from: (28, 12), to: (28, 12))
    for isSeen in [true, false] {
      let moving = Move(from: (12, 12), to: (28, 12), isSeen: isSeen)
      let frame = try Self.frame(picture, Self.pins + [moving, standing])
      let (mover, other) = (Self.value(frame, 28, 12, 0), Self.value(frame, 28, 12, 1))
      #expect(isSeen ? mover > 0.7 && other < 0.3 : mover < 0.3 && other > 0.7)
    }
  }

  @Test("Tracks that part make what they are on larger, without gaps")
  func grown() throws {
    let corners: [(Float, Float)] = [(10, 10), (14, 10), (10, 14), (14, 14)]
    let moves = corners.map { x, y in
      Move(from: (x, y), to: (12 + (x - 12) * 1.25, 12 + (y - 12) * 1.25))
    }
    let frame = try Self.frame(Self.picture(), Self.pins + moves)
    for y in 8..<16 { for x in 8..<16 { #expect(Self.value(frame, x, y) > 0.7) } }
  }

  @Test("What turns away shows what is around the tracks that are seen, and stays whole")
  func turned() throws {
    let moves = [
      Move(from: (9.5, 12), to: (27, 12)), Move(from: (14.5, 12), to: (27.5, 12), isSeen: false),
    ]
    let frame = try Self.frame(Self.picture(), Self.pins + moves)
    for y in 9..<15 {
      for x in 26..<33 { #expect(Self.value(frame, x, y) > 0.7) }
      for x in [22, 23, 35, 36] { #expect(Self.value(frame, x, y) < 0.3) }
    }
  }

  @Test("What parts from a track is not shown around it")
  func parted() throws {
    let picture = Self.picture(squares: [(16, 4), (16, 12)])
    let (above, below) = (
      Move(from: (20, 8), to: (30, 8)), Move(from: (20, 16), to: (10, 16))
    )
    let frame = try Self.frame(picture, Self.pins + [above, below])
    for x in 27..<33 {
      for y in 5..<11 { #expect(Self.value(frame, x, y, 0) > 0.7) }
      for y in 13..<16 { #expect(Self.value(frame, x, y, 1) < 0.3) }
    }
  }

  @Test("A track moves nothing beyond its reach")
  func reach() throws {
    let picture = Self.picture()
    let frame = try Self.frame(picture, [Move(from: (12, 12), to: (12, 16))], reach: 3)
    for x in [0, 4, 20, 39] {
      #expect(Self.value(frame, x, 12) == Self.value(picture.values, x, 12))
    }
    #expect(abs(Self.value(frame, 12, 16) - Self.value(picture.values, 12, 12)) < 1e-6)
  }

  @Test("The number of threads changes nothing")
  func threads() throws {
    let moves =
      Self.pins + [Move(from: (12, 12), to: (23.3, 14.7)), Move(from: (9, 9), to: (19, 9))]
    let one = try Self.frame(Self.picture(), moves)
    #expect(try Self.frame(Self.picture(), moves, threads: 3) == one)
  }

  /// Of a fixture: the frames [n, 3, H, W] that the reference makes, and ours, n of [P, 3].
  private static func made(_ name: String) throws -> (
    expected: Tensor, frames: [Tensor], size: PictureSize
  ) {
    struct Parameters: Decodable { let reach: Double, cell: Int }
    let fixture = try Fixture(name)
    let parameters = try Fixture.parameters(name, as: Parameters.self)
    let (channels, points) = (try fixture("input.picture"), try fixture("input.points"))
    let visible = try fixture("input.visible")
    let size = PictureSize(height: channels.shape[1], width: channels.shape[2])
    let picture = Tensor(size.count, 3)
    for pixel in 0..<size.count {
      for channel in 0..<3 {
        picture.pointer[3 * pixel + channel] = channels.pointer[channel * size.count + pixel]
      }
    }
    let count = points.shape[1]
    let places = (0..<points.shape[0]).map { frame in
      (0..<count).map { index in
        let place = frame * count + index
        return TrackPoint(
          id: index, x: points.pointer[2 * place], y: points.pointer[2 * place + 1],
          visible: visible.pointer[place] != 0)
      }
    }
    let warp = PictureWarp(
      picture: picture, size: size, reach: parameters.reach, cell: parameters.cell,
      start: places[0], pool: try Pool(threads: 2))
    let frames = places.map { points in
      let frame = Tensor(size.count, 3)
      warp.write(points, into: frame.matrix)
      return frame
    }
    return (try fixture("expected.frames"), frames, size)
  }

  @Test(
    "The frames are those of the reference",
    arguments: [
      "picture-warp", "picture-warp-turning", "picture-warp-faint", "picture-warp-spinning",
      "picture-warp-ground",
    ])
  func reference(name: String) throws {
    let (expected, frames, size) = try Self.made(name)
    for (index, frame) in frames.enumerated() {
      var worst: Float = 0
      for pixel in 0..<size.count {
        for channel in 0..<3 {
          let value = expected.pointer[(index * 3 + channel) * size.count + pixel]
          worst = max(worst, abs(frame.pointer[3 * pixel + channel] - value))
        }
      }
      #expect(worst < 1e-5, "frame \(index)")
    }
  }

  @Test("A red ball that rolls by half a turn over a blue floor stays a ball, and where it is")
  func rolling() throws {
    let (_, frames, size) = try Self.made("picture-warp-turning")
    for (index, frame) in frames.enumerated() {
      let centre = (x: 16 + 4 * Float(index), y: Float(18))  // of 9 pixels' radius
      for pixel in 0..<size.count {
        let (x, y) = (Float(pixel % size.width) + 0.5, Float(pixel / size.width) + 0.5)
        let away = ((x - centre.x) * (x - centre.x) + (y - centre.y) * (y - centre.y)).squareRoot()
        let isRed = frame.pointer[3 * pixel] > frame.pointer[3 * pixel + 2]
        #expect(away > 7.5 || isRed, "frame \(index): (\(x), \(y)) is not the ball's")
        #expect(away < 11 || !isRed, "frame \(index): (\(x), \(y)) is not the floor's")
      }
    }
  }

  @Test("One without a clear outline is told by what moves beside it, and is there half a turn on")
  func rollingFaintly() throws {
    let (_, frames, size) = try Self.made("picture-warp-faint")
    let centre = (x: 16 + 4 * (frames.count - 1), y: 18)  // red in its middle
    for (row, column) in [(0, 0), (-3, 0), (3, 0), (0, -3), (0, 3)] {
      let pixel = (centre.y + row) * size.width + centre.x + column
      let colour = frames[frames.count - 1].pointer + 3 * pixel
      #expect(colour[0] > colour[2], "\(row), \(column)")
    }
  }

  @Test("A window frame takes its pane along, and uncovers a floor of stripes like the rest of it")
  func uncovered() throws {
    let (_, frames, size) = try Self.made("picture-warp-ground")
    func colour(_ frame: Int, _ x: Int, _ y: Int) -> (red: Float, green: Float, blue: Float) {
      let colour = frames[frame].pointer + 3 * (y * size.width + x)
      return (colour[0], colour[1], colour[2])
    }
    for frame in frames.indices {
      let centre = (x: 16 + 4 * frame, y: 18)  // of 8 pixels to each side, the pane of 4
      let pane = (-3..<3).flatMap { y in (-3..<3).map { (centre.x + $0, centre.y + y) } }
      let isBlue = pane.map { colour(frame, $0, $1).blue > 2 * colour(frame, $0, $1).green }
      #expect(isBlue.filter { $0 }.count >= 27, "frame \(frame)")  // of 36
    }
    /// How much the floor's green varies along rows, near where the frame was.
    func contrast(_ columns: Range<Int>) -> Float {
      let rows = (12..<24).map { y in columns.map { colour(7, $0, y).green } }
      return rows.map { $0.max()! - $0.min()! }.reduce(0, +) / Float(rows.count)
    }
    for y in 10..<26 {
      for x in 1..<17 { #expect(colour(7, x, y).blue < 2 * colour(7, x, y).green, "\(x), \(y)") }
    }
    #expect(contrast(4..<14) > 0.4 * contrast(20..<30))
  }
}
