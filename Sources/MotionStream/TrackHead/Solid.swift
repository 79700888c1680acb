// Letters: P pixels, N tracks, n tracks of a solid.

/// Tracks that move as the points of one solid do, and the pixels that they are on.
///
/// What turns shows sides that the first picture does not have, and track by track its outline would
/// fall to pieces. So tracks are grouped by how they move (`Things`). A group is taken for a solid
/// that has the outline of what its tracks are on, and is as deep as it is wide, row by row: balls,
/// cylinders and cones are.
struct Solid {
  /// The tracks [n], by their numbers.
  let members: [Int]
  /// Of the outline, in pixels.
  let centre: SIMD2<Double>
  /// Mean of the half axes, in pixels.
  let half: Double
  /// Whether the outline is as full as one thing's.
  let isFull: Bool
  /// Whether it is one thing's: colours differ across it, or the tracks beside it move otherwise.
  var isWhole: Bool
  /// Where the tracks start: to the right, down and towards the viewer from the centre.
  let points: [SIMD3<Double>]
  /// The middle and the half width of the outline in each row of the picture; 0 where it is not.
  private let rows: [SIMD2<Double>]
  /// The pixels that are of it, and the track that each is of.
  let pixels: [Int]
  let tracks: [Int32]
  /// The rows and the columns that the pixels are in.
  let pixelRows, pixelColumns: Range<Int>

  /// Tracks of a solid.
  static let least = 8
  /// Of the distance between its tracks, how far it goes beyond them, but for a pixel.
  private static let reach = 0.75
  /// Squared distance from the centre, in half axes, of pixels that tell what these are ...
  private static let body = 1.3
  /// ... and of those that are of the solid: corners of boxes and cones are.
  private static let corner = 2.1
  /// Of finding the half axes.
  private static let rounds = 5
  /// Share of an ellipse that an outline fills: two things side by side do not.
  private static let filled = 0.8
  /// Share of an outline that is clear: a piece of ground has no such outline.
  private static let clear = 0.62
  /// Levels, of 255, that colours differ by across a clear outline.
  private static let clearLevels: Int16 = 12

  /// `outline` [P]: the track that each pixel of the picture is of (`pictureOutlines`).
  init(
    _ members: [Int], guides: Buffer<TrackGuide>, picture: PictureLevels, outline: [Int32]
  ) {
    let width = picture.size.width
    func place(_ pixel: Int) -> SIMD2<Double> {
      SIMD2(Double(pixel % width), Double(pixel / width)) + 0.5
    }
    var isMine = [Bool](repeating: false, count: guides.count + 1)
    for member in members { isMine[member] = true }
    let starts = members.map { guides[$0].start }
    let hull = Hull(starts, reach: Self.reach)
    var mine: [Int] = []
    for row in hull.rows(picture.size) {
      for pixel in hull.columns(picture.size).map({ row * width + $0 })
      where isMine[Int(outline[pixel])] && hull.encloses(SIMD2<Float>(place(pixel))) {
        mine.append(pixel)
      }
    }
    var (ellipse, body) = (Ellipse(mine.map(place)), mine)
    for _ in 1..<Self.rounds {
      body = mine.filter { ellipse.squared(place($0)) <= Self.body }
      ellipse = Ellipse(body.map(place))
    }
    self.members = members
    (centre, half) = (ellipse.centre, ellipse.half)
    pixels = mine.filter { ellipse.squared(place($0)) <= Self.corner }
    isFull = Double(pixels.count) >= Self.filled * Double.pi * half * half
    isWhole = isFull && Self.isClear(pixels, picture)
    tracks = pixels.map { outline[$0] }
    let rows = Self.rows(pixels, picture.size)
    self.rows = rows
    let (onColumns, onRows) = (pixels.map { $0 % width }, pixels.map { $0 / width })
    pixelColumns = (onColumns.min() ?? 0)..<(onColumns.max() ?? -1) + 1
    pixelRows = (onRows.min() ?? 0)..<(onRows.max() ?? -1) + 1
    points = starts.map { Self.point(SIMD2<Double>($0), ellipse.centre, rows) }
  }

  /// The point that the first picture shows at a place.
  func point(at place: SIMD2<Float>) -> SIMD3<Double> {
    Self.point(SIMD2<Double>(place), centre, rows)
  }

  private static func point(
    _ place: SIMD2<Double>, _ centre: SIMD2<Double>, _ rows: [SIMD2<Double>]
  ) -> SIMD3<Double> {
    let (row, x) = (rows[Int(place.y)], place.x)
    return SIMD3(place - centre, max(0, row.y * row.y - (x - row.x) * (x - row.x)).squareRoot())
  }

  /// The middle and the half width of some pixels, in order, in each row of a picture.
  private static func rows(_ pixels: [Int], _ size: PictureSize) -> [SIMD2<Double>] {
    var rows = [SIMD2<Double>](repeating: .zero, count: size.height)
    var index = 0
    while index < pixels.count {
      let (row, first) = pixels[index].quotientAndRemainder(dividingBy: size.width)
      while index + 1 < pixels.count, pixels[index + 1] / size.width == row { index += 1 }
      let end = pixels[index] % size.width + 1
      rows[row] = SIMD2(Double(first + end), Double(end - first)) / 2
      index += 1
    }
    return rows
  }

  /// Whether colours differ across the outline of pixels.
  private static func isClear(_ pixels: [Int], _ picture: PictureLevels) -> Bool {
    let (count, width) = (picture.size.count, picture.size.width)
    var isOwn = [Bool](repeating: false, count: count)
    for pixel in pixels { isOwn[pixel] = true }
    var (length, clear) = (0, 0)
    func meet(_ pixel: Int, _ other: Int) {
      guard other >= 0, other < count, !isOwn[other] else { return }
      length += 1
      if picture.difference(pixel, other) > clearLevels { clear += 1 }
    }
    for pixel in pixels {
      if pixel % width > 0 { meet(pixel, pixel - 1) }
      if pixel % width < width - 1 { meet(pixel, pixel + 1) }
      meet(pixel, pixel - width)
      meet(pixel, pixel + width)
    }
    return Double(clear) >= Self.clear * Double(length)
  }

  /// The ellipse whose moments are those of some pixels.
  private struct Ellipse {
    let centre: SIMD2<Double>
    let half: Double
    private let a, b, c: Double

    init(_ places: [SIMD2<Double>]) {
      let count = Double(places.count)
      let centre = places.reduce(.zero, +) / count
      var (xx, xy, yy) = (0.0, 0.0, 0.0)
      for place in places {
        let away = place - centre
        xx += away.x * away.x
        xy += away.x * away.y
        yy += away.y * away.y
      }
      (xx, xy, yy) = (xx / count + 1.0 / 12, xy / count, yy / count + 1.0 / 12)
      let area = xx * yy - xy * xy
      // Of half axes p, q, they are p^2 / 4 and q^2 / 4.
      (a, b, c) = (yy / (4 * area), -xy / (4 * area), xx / (4 * area))
      self.centre = centre
      half = (16 * area).squareRoot().squareRoot()
    }

    /// The squared distance of a place from the centre, in half axes.
    func squared(_ place: SIMD2<Double>) -> Double {
      let away = place - centre
      return a * away.x * away.x + 2 * b * away.x * away.y + c * away.y * away.y
    }
  }
}
