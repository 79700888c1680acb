/// Something that turns, in a frame.
struct Turning {
  let solid: Solid
  /// Where its outline was.
  let origin: SolidPose.Origin
  /// The rows and the columns of the picture that may show its pixels.
  let rows, columns: Range<Int>
  private let surface: SolidSurface
  private let pose: SolidPose
  /// Its tracks that are seen, and tracks seen before its outline.
  private var own, before: [SIMD2<Float>]

  /// Pixels around a track that is seen before an outline that show what it is on.
  private static let reach: Float = 12

  init(_ solid: Solid, _ surface: SolidSurface, _ pose: SolidPose, _ size: PictureSize) {
    (self.solid, self.surface, self.pose, origin) = (solid, surface, pose, pose.origin)
    (own, before) = ([], [])
    rows = Self.range(origin, 1, solid.pixelRows, size.height)
    columns = Self.range(origin, 0, solid.pixelColumns, size.width)
  }

  /// The rows or columns that come from those in the first picture.
  private static func range(
    _ origin: SolidPose.Origin, _ axis: Int, _ first: Range<Int>, _ count: Int
  ) -> Range<Int> {
    let from = (0..<count).map { origin.of(SIMD2(repeating: Float($0) + 0.5))[axis] }
    let isIn = { Float(first.lowerBound) <= $0 && $0 < Float(first.upperBound) }
    guard let start = from.firstIndex(where: isIn), let end = from.lastIndex(where: isIn) else {
      return 0..<0
    }
    return start..<end + 1
  }

  /// How far its pixels have moved, with what their tracks are off where the solid's points are, if
  /// they told where it is, in `moves` [P, 2]; their tracks in `role` [P].
  func write(
    _ guides: Buffer<TrackGuide>, _ moves: UnsafeMutablePointer<Float>, _ role: Buffer<Int32>
  ) {
    var off = [SIMD2<Float>](repeating: .zero, count: solid.members.count)
    for (index, member) in solid.members.enumerated() where pose.told[index] {
      let move = guides[member].move
      off[index] = SIMD2(move.x, move.y) - pose.move(SIMD3<Float>(solid.points[index]))
    }
    for (index, pixel) in solid.pixels.enumerated() {
      let (track, around) = (solid.tracks[index], surface.around[index])
      var move = pose.move(surface.points[index])
      for near in 0..<4 { move += around.shares[near] * off[Int(around.tracks[near])] }
      (moves[2 * pixel], moves[2 * pixel + 1]) = (move.x, move.y)
      role[pixel] = track
    }
  }

  /// Finds its tracks that are seen (their `turning` is its number), and those seen before its outline:
  /// others at places of which `isMine` is true of what it shows there.
  mutating func findTracks(
    _ guides: Buffer<TrackGuide>, _ number: Int, isMine: (SIMD2<Float>) -> Bool
  ) {
    for index in 0..<guides.count where guides[index].isSeen {
      let place = SIMD2(guides[index].x, guides[index].y)
      if guides[index].turning == number {
        own.append(place)
      } else if isMine(origin.of(place)) {
        before.append(place)
      }
    }
  }

  /// Whether no track before it is nearer to a place than its own.
  func isSeen(at place: SIMD2<Float>) -> Bool { Self.isSeen(at: place, own, before) }

  /// Whether none of the tracks `before` something is nearer to a place than its `own` that are seen.
  static func isSeen(
    at place: SIMD2<Float>, _ own: [SIMD2<Float>], _ before: [SIMD2<Float>]
  ) -> Bool {
    if before.isEmpty { return true }
    func nearest(_ tracks: [SIMD2<Float>]) -> Float {
      var least = Float.infinity
      for track in tracks { least = min(least, TrackGuide.squared(place - track)) }
      return least.squareRoot()
    }
    return nearest(before) >= min(nearest(own), reach)
  }
}
