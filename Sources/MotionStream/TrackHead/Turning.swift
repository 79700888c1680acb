/// Something that turns, in a frame.
struct Turning {
  let solid: Solid
  /// Where its outline was.
  let origin: SolidPose.Origin
  private let pose: SolidPose
  /// Its tracks that are seen, and tracks seen before its outline.
  private var own, before: [SIMD2<Float>]

  /// Pixels around a track that is seen before an outline that show what it is on.
  private static let reach: Float = 12

  init(_ solid: Solid, _ pose: SolidPose) {
    (self.solid, self.pose, origin, own, before) = (solid, pose, pose.origin, [], [])
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
      let (track, around) = (solid.tracks[index], solid.around[index])
      var move = pose.move(solid.surface[index])
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
      tracks.reduce(.infinity) { min($0, TrackGuide.length(place.x - $1.x, place.y - $1.y)) }
    }
    return nearest(before) >= min(nearest(own), reach)
  }
}
