package import Tracks

// Letters: H W picture size, P = H*W pixels (places at their centres), N tracks.

/// The first picture, moved frame by frame as the tracks move (image rule `channels`, tail `tracks`;
/// Wan-Move, 2512.08765, section 3.2, moves the first latent by whole latent frames instead).
///
/// Each pixel of the first picture is owned by the track whose start is nearest along the picture,
/// where a step costs more the more colours differ, so that owners end where objects do. It moves as
/// its owner does, with the turning and growing of the tracks around. A pixel of a later frame shows
/// the pixel that comes to it: it tries the tracks near it, the seen ones first, and looks whether
/// what they bring is theirs. Tracks of something that turns (`Things`) take its pixels along as one.
/// It shows sides that no pixel comes to: there, its outline is kept whole, or what its tracks enclose
/// shows what the nearest of them is on. What nothing comes to is filled from around, from what moves
/// as most does, with the texture of the ground (`Ground`). Only tracks that are seen in the first
/// picture count.
package final class PictureWarp {
  private let size: PictureSize
  /// [P, 3] in [0, 1].
  private let picture: Tensor
  private let pool: Pool
  private let guides: Buffer<TrackGuide>
  private let guideOfID: [Int: Int]
  /// Of each guide those that start nearest.
  private let neighbours: [[TrackGuide.Neighbour]]
  private let ground: Ground
  private var enclosures: [Enclosure] = []
  private let moves: Tensor  // [P, 2]
  /// How far every pixel of the first picture would move with most of it.
  private let usual: Buffer<SIMD2<Float>>
  /// How each pixel of the first picture stands where it comes to, as `PictureSources` tells; -1 if it
  /// does not count.
  private let standing: Buffer<Int8>
  private let sources: PictureSources
  private let things: Things
  private var turning: [Turning] = []
  /// Of each pixel of the first picture what it turns with: a guide, or one of these.
  private let role: Buffer<Int32>
  private static let (ordinary, beside): (Int32, Int32) = (-1, -2)
  private let filling: FillingPyramid

  /// Pixels that what moves together may differ by.
  private static let apart: Float = 2
  /// Weight of what does not move as most does, for filling.
  private static let front: Float = 1e-3

  /// `picture` [P, 3] in [0, 1]; `start`: the tracks' points in it; `reach`: how many pixels away from
  /// its start a track owns pixels, along the cheapest way; `cell`: pixels of a latent cell.
  package init(
    picture: Tensor, size: PictureSize, reach: Double, cell: Int, start: [TrackPoint], pool: Pool
  ) {
    (self.picture, self.size, self.pool) = (picture, size, pool)
    var starts: [(x: Float, y: Float)] = []
    var guideOfID: [Int: Int] = [:]
    for point in start where point.visible && size.holds(point.x, point.y) {
      guideOfID[point.id] = starts.count
      starts.append((point.x, point.y))
    }
    self.guideOfID = guideOfID
    guides = Buffer(starts.map { TrackGuide(startX: $0.x, startY: $0.y) })
    neighbours = starts.indices.map { TrackGuide.neighbours(of: $0, among: starts) }
    let levels = PictureLevels(picture, size: size)
    ground = Ground(
      picture, size: size, owner: pictureOwners(levels, starts: starts, reach: reach),
      guides: guides, neighbours: neighbours)
    moves = Tensor(size.count, 2)
    usual = Buffer(repeating: .zero, count: size.count)
    standing = Buffer(repeating: -1, count: size.count)
    sources = PictureSources(size, cell: cell)
    things = Things(guides, neighbours, picture: levels, pool: pool)
    role = Buffer(repeating: Self.ordinary, count: size.count)
    filling = FillingPyramid(size)
  }

  /// What the frames so far have told about what moves by itself: a copy is the warp at that moment.
  package struct Known: Sendable {
    /// The thing that each track is of, by its first track, or -1.
    fileprivate let thing: [Int]
    fileprivate let solids: [Solid]
  }

  package var known: Known {
    get { Known(thing: ground.thing, solids: things.solids) }
    set { (ground.thing, things.solids) = (newValue.thing, newValue.solids) }
  }

  /// What is known before the first frame.
  package var unknown: Known {
    Known(thing: [Int](repeating: -1, count: guides.count), solids: [])
  }

  /// The memory that the pictures of this size take, the first and the moved one counted in.
  static func byteCount(_ size: PictureSize) -> Int {
    let (picture, filling) = (3, 6)  // a third more than colour and weight, and some
    let floats = 2 * picture + 3 * 2 + filling
    let solids =
      MemoryLayout<Int>.stride + MemoryLayout<SIMD3<Float>>.stride
      + MemoryLayout<SIMD4<Int32>>.stride + MemoryLayout<SIMD4<Float>>.stride
    let numbers = 3 * MemoryLayout<Int32>.stride + 3 * MemoryLayout<Int16>.stride
    return size.count
      * (floats * MemoryLayout<Float>.stride + numbers + solids + 2 + Ground.bytesPerPixel)
  }

  /// Writes the picture as it is when the tracks are at `points` to `frame` [P, 3]. For every frame, in
  /// order.
  package func write(_ points: [TrackPoint], into frame: Matrix) {
    guard guides.count > 0 else { return frame.assign(picture.matrix) }
    place(points)
    movePixels()
    UsualMove(moves.pointer, size).write(to: usual, pool: pool)
    for index in 0..<guides.count {
      let start = size.pixel(guides[index].startX, guides[index].startY)
      guides[index].isAlone = isUnlike(guides[index].move, at: start)
    }
    if ground.look() { movePixels() }
    turnThings()
    enclosures = ground.groups().compactMap { members in
      guard members.contains(where: { guides[$0].isAlone && guides[$0].turning < 0 }) else {
        return nil
      }
      return Enclosure(members, guides, ground)
    }
    findStanding()
    sources.find(
      guides, moves: moves, standing: standing, turning: turning, enclosures: enclosures,
      ground: ground, pool: pool
    ) { [self] number, place in isOf(number, place) }
    fill(frame)
  }

  private func place(_ points: [TrackPoint]) {
    for index in 0..<guides.count {
      (guides[index].isSpecified, guides[index].isSeen) = (false, false)
    }
    for point in points {
      guard let index = guideOfID[point.id] else { continue }
      (guides[index].x, guides[index].y) = (point.x, point.y)
      guides[index].isSeen = point.visible && size.holds(point.x, point.y)
      guides[index].isSpecified = true
      guides[index].move = (point.x - guides[index].startX, point.y - guides[index].startY)
    }
    for index in 0..<guides.count where guides[index].isSpecified {
      guides[index].turn(among: guides, neighbours[index])
    }
  }

  /// How far every pixel of the first picture has moved.
  private func movePixels() {
    let (width, moves, owner, guides) = (size.width, moves.pointer, ground.owner, guides)
    pool.run(size.height) { row in
      for pixel in row * width..<(row + 1) * width {
        let index = Int(owner[pixel])
        guard index >= 0, guides[index].isSpecified else {
          (moves[2 * pixel], moves[2 * pixel + 1]) = (0, 0)
          continue
        }
        let guide = guides[index]
        let x = Float(pixel - row * width) + 0.5 - guide.startX
        let y = Float(row) + 0.5 - guide.startY
        moves[2 * pixel] = guide.move.x + (guide.gradient.0 * x + guide.gradient.1 * y)
        moves[2 * pixel + 1] = guide.move.y + (guide.gradient.2 * x + guide.gradient.3 * y)
      }
    }
  }

  /// Moves what turns as one; what is beside its outline, though its guides own it, as most.
  private func turnThings() {
    if !turning.isEmpty {
      for pixel in 0..<size.count { role[pixel] = Self.ordinary }
      for index in 0..<guides.count { guides[index].turning = -1 }
    }
    turning = things.turned().map { Turning($0.solid, $0.surface, $0.pose, size) }
    guard !turning.isEmpty else { return }
    let (moves, owner) = (moves.pointer, ground.owner)
    for (number, turning) in turning.enumerated() {
      for member in turning.solid.members { guides[member].turning = number }
    }
    for pixel in 0..<size.count {
      guard owner[pixel] >= 0, guides[Int(owner[pixel])].turning >= 0 else { continue }
      role[pixel] = Self.beside
      (moves[2 * pixel], moves[2 * pixel + 1]) = (usual[pixel].x, usual[pixel].y)
    }
    for turning in turning { turning.write(guides, moves, role) }
    for number in turning.indices {
      turning[number].findTracks(guides, number) { isOf(number, $0) }
    }
  }

  /// Whether a place in the first picture is of what turns by this number.
  @inline(__always)
  private func isOf(_ number: Int, _ place: SIMD2<Float>) -> Bool {
    guard size.holds(place.x, place.y) else { return false }
    let guide = role[Int(place.y) * size.width + Int(place.x)]
    return guide >= 0 && guides[Int(guide)].turning == number
  }

  /// How every pixel of the first picture stands where it comes to: in front is what is seen now, first
  /// what moves unlike most; then what nothing moves, and what is hidden. The colours of those beside
  /// which something moves another way mix what parts: they do not count.
  private func findStanding() {
    let (width, height, standing) = (size.width, size.height, standing.pointer)
    let moves = moves.pointer
    let (owner, role, guides) = (ground.owner.pointer, role.pointer, guides.pointer)
    let beside = Self.beside
    // One instruction each, unlike the library's, which tell zeros apart.
    func most(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
    func least(_ a: Float, _ b: Float) -> Float { a < b ? a : b }
    pool.run(height) { row in
      for column in 0..<width {
        let pixel = row * width + column
        let above = row > 0 ? pixel - width : pixel
        let below = row < height - 1 ? pixel + width : pixel
        let left = column > 0 ? pixel - 1 : pixel
        let right = column < width - 1 ? pixel + 1 : pixel
        func range(_ axis: Int) -> Float {
          let (a, b) = (moves[2 * above + axis], moves[2 * below + axis])
          let (c, d) = (moves[2 * left + axis], moves[2 * right + axis])
          let own = moves[2 * pixel + axis]
          return most(most(most(a, b), most(c, d)), own)
            - least(least(least(a, b), least(c, d)), own)
        }
        var stands: Int8 = 1
        let guide = Int(owner[pixel])
        if range(0) > Self.apart || range(1) > Self.apart {
          stands = -1
        } else if role[pixel] >= 0 {
          stands = guides[Int(role[pixel])].isSeen ? 3 : 0
        } else if role[pixel] != beside, guide >= 0, guides[guide].isSpecified {
          let isAlone = isUnlike((moves[2 * pixel], moves[2 * pixel + 1]), at: pixel)
          stands = guides[guide].isSeen ? (isAlone ? 3 : 2) : 0
        }
        standing[pixel] = stands
      }
    }
  }

  /// Reads the first picture at the sources and fills what has none.
  private func fill(_ frame: Matrix) {
    let (size, source, picture) = (size, sources.places.pointer, picture.pointer)
    let (level, weight) = (sources.level.pointer, filling.weight)
    let isHidden = ground.isHidden.pointer
    pool.run(size.height) { row in
      for column in 0..<size.width {
        let pixel = row * size.width + column
        let (x, y) = (source[2 * pixel], source[2 * pixel + 1])
        Self.read(picture, size, x, y, into: frame.base + pixel * frame.stride)
        guard level[pixel] >= 0 else {
          weight[pixel] = 0
          continue
        }
        let move = (Float(column) + 0.5 - x, Float(row) + 0.5 - y)
        let first = size.pixel(x, y)
        weight[pixel] = !isHidden[first] && !isUnlike(move, at: first) ? 1 : Self.front
      }
    }
    filling.fill(frame, pool: pool)
    let texture = ground.texture.pointer
    pool.run(size.height) { row in
      for column in 0..<size.width where level[row * size.width + column] < 0 {
        let pixel = row * size.width + column
        let (hereX, hereY) = (Float(column) + 0.5, Float(row) + 0.5)
        var behind = usual[pixel]
        behind = usual[size.pixel(hereX - behind.x, hereY - behind.y)]
        let x = Self.reflected(hereX - behind.x, Float(size.width))
        let y = Self.reflected(hereY - behind.y, Float(size.height))
        let (around, u, v) = Self.corners(size, x, y)
        let upper = texture[around.0] * (1 - u) + texture[around.1] * u
        let lower = texture[around.2] * (1 - u) + texture[around.3] * u
        let finer = upper * (1 - v) + lower * v
        let colour = frame.base + pixel * frame.stride
        for channel in 0..<3 { colour[channel] = min(max(colour[channel] + finer, 0), 1) }
      }
    }
  }

  /// A coordinate, mirrored where it is beyond 0 or `size`.
  private static func reflected(_ x: Float, _ size: Float) -> Float {
    abs(x) > size ? 2 * size - abs(x) : abs(x)
  }

  /// The pixels around a place on a picture, the upper ones first, and the shares of those to the right
  /// and of those below; the border is repeated.
  @inline(__always)
  private static func corners(
    _ size: PictureSize, _ placeX: Float, _ placeY: Float
  ) -> (pixels: (Int, Int, Int, Int), u: Float, v: Float) {
    let x = min(max(placeX - 0.5, 0), Float(size.width - 1))
    let y = min(max(placeY - 0.5, 0), Float(size.height - 1))
    let (left, top) = (Int(x), Int(y))
    let right = min(left + 1, size.width - 1)
    let (above, below) = (top * size.width, min(top + 1, size.height - 1) * size.width)
    return (
      (above + left, above + right, below + left, below + right), x - Float(left), y - Float(top)
    )
  }

  /// A picture [P, 3] at a place, bilinear.
  @inline(__always)
  private static func read(
    _ picture: UnsafePointer<Float>, _ size: PictureSize, _ x: Float, _ y: Float,
    into colour: UnsafeMutablePointer<Float>
  ) {
    let (pixels, u, v) = corners(size, x, y)
    func colourOf(_ pixel: Int) -> SIMD4<Float> {
      SIMD4(picture[3 * pixel], picture[3 * pixel + 1], picture[3 * pixel + 2], 0)
    }
    var read = colourOf(pixels.0)
    if u != 0 || v != 0 {  // else the others count nothing
      let upper = read * (1 - u) + colourOf(pixels.1) * u
      let lower = colourOf(pixels.2) * (1 - u) + colourOf(pixels.3) * u
      read = upper * (1 - v) + lower * v
    }
    (colour[0], colour[1], colour[2]) = (read[0], read[1], read[2])
  }

  /// Whether a pixel of the first picture that moves so does not move as most does.
  @inline(__always)
  private func isUnlike(_ move: (Float, Float), at pixel: Int) -> Bool {
    let (x, y) = (move.0 - usual[pixel].x, move.1 - usual[pixel].y)
    // Squares of next to nothing, as where the camera stands still, take processors long.
    if abs(x) < 1, abs(y) < 1 { return false }
    return x * x + y * y > Self.apart * Self.apart
  }
}
