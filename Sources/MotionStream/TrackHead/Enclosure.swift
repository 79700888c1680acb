/// The part of a picture that tracks of one thing enclose in a frame, with what is seen before it.
///
/// Where the thing has turned no pixel of the first picture may come there; it is of the thing all the
/// same.
struct Enclosure {
  let hull: Hull
  private let members: [Member]
  /// Its tracks that are seen, and tracks seen before it.
  private let own, before: [SIMD2<Float>]

  private struct Member {
    let guide: Int
    let start, place: SIMD2<Float>
    /// How far it speaks for the thing.
    let reach: Float
  }

  init(_ members: [Int], _ guides: Buffer<TrackGuide>, _ ground: Ground) {
    self.members = members.map {
      Member(
        guide: $0, start: guides[$0].start, place: guides[$0].place,
        reach: ground.reach($0, \.place))
    }
    let hull = Hull(self.members.map(\.place))
    self.hull = hull
    own = members.filter { guides[$0].isSeen }.map { guides[$0].place }
    let isMember = Set(members)
    before = (0..<guides.count).filter {
      guides[$0].isSeen && !isMember.contains($0) && hull.encloses(guides[$0].place)
    }.map { guides[$0].place }
  }

  /// The place in the first picture that is shown at a place now: what the nearest track brings, if
  /// that is of the thing (`isOf`), or what it is on; nil if the thing is not there. The place is in
  /// the hull.
  func first(
    _ here: SIMD2<Float>, isOf: (_ guide: Int, _ place: SIMD2<Float>) -> Bool
  ) -> SIMD2<Float>? {
    var (nearest, least, square) = (0, Float.infinity, Float.infinity)
    for index in members.indices {
      let next = TrackGuide.squared(here - members[index].place)
      guard next < square, next.squareRoot() < least else { continue }
      (nearest, least, square) = (index, next.squareRoot(), next)
    }
    let member = members[nearest]
    guard least <= member.reach, Turning.isSeen(at: here, own, before) else { return nil }
    let comes = here - (member.place - member.start)
    return isOf(member.guide, comes) ? comes : member.start
  }
}
