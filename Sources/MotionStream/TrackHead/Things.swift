/// The solids that tracks tell of, as far as they have moved.
final class Things {
  private let guides: Buffer<TrackGuide>
  private let neighbours: [[TrackGuide.Neighbour]]
  private let picture: PictureLevels
  private let pool: Pool
  /// The track that each pixel is of; found when tracks first move as one, for many never do.
  private lazy var outline = pictureOutlines(
    picture, starts: (0..<guides.count).map { (guides[$0].startX, guides[$0].startY) })
  /// Those found in the frames so far.
  var solids: [Solid] = []
  /// Solids of the last frame and of this one by their tracks, those that were refused too: most are
  /// asked for again.
  private var (former, built): ([[Int]: Solid], [[Int]: Solid]) = ([:], [:])
  /// Of the solids of the last frame those that have turned.
  private var surfaces: [[Int]: SolidSurface] = [:]

  /// Share of the tracks beside a thing that do not move with it; beside a piece of ground fewer do.
  private static let parted = 0.9
  /// How much tracks may miss by, of what those of a solid may, if it was one before, and if it was two.
  private static let (kept, close) = (1.15, 0.6)
  /// Share of the half axes by which tracks miss that are of something else.
  private static let lost = 0.5

  /// `neighbours`: of each track those that start nearest.
  init(
    _ guides: Buffer<TrackGuide>, _ neighbours: [[TrackGuide.Neighbour]], picture: PictureLevels,
    pool: Pool
  ) {
    (self.guides, self.neighbours, self.picture, self.pool) = (guides, neighbours, picture, pool)
  }

  /// What turns, now that the guides are where they are. For every frame, in order: a solid once found
  /// is followed.
  func turned() -> [(solid: Solid, surface: SolidSurface, pose: SolidPose)] {
    (former, built) = (built, [:])
    var found = solids.compactMap(followed).filter { $0.pose?.fits(Self.kept) ?? true }
    var isFree = (0..<guides.count).map { guides[$0].isSpecified && guides[$0].isAlone }
    for (solid, _) in found { for member in solid.members { isFree[member] = false } }
    for members in linked(isFree) {
      if let new = followed(solid(members)), let pose = new.pose, pose.isOne, pose.fits() {
        found.append(new)
      }
    }
    var taken = Set(found.flatMap(\.solid.members))
    for index in found.indices {
      found[index] = grown(found[index], without: taken)
      taken.formUnion(found[index].solid.members)
    }
    found = joined(found)
    for index in found.indices {  // once told apart, it stays so
      let solid = found[index].solid
      found[index].solid.isWhole = solid.isWhole || solid.isFull && isApart(solid)
    }
    solids = found.map(\.solid)
    let isThere = Set(solids.map(\.members))
    surfaces = surfaces.filter { isThere.contains($0.key) }
    return found.compactMap { solid, pose in
      guard let pose, solid.isWhole, pose.fits(), pose.turns else { return nil }
      return (solid, surface(solid), pose)
    }
  }

  /// A solid with the tracks beside it that move unlike most, are of nothing else (`taken`) and are where
  /// its points are.
  private func grown(
    _ found: (solid: Solid, pose: SolidPose?), without taken: Set<Int>
  ) -> (solid: Solid, pose: SolidPose?) {
    guard let pose = found.pose else { return found }
    var others: Set<Int> = []
    for member in found.solid.members {
      for near in neighbours[member] where !taken.contains(near.guide) {
        let other = guides[near.guide]
        guard other.isSpecified, other.isAlone, pose.meets(other) else { continue }
        others.insert(near.guide)
      }
    }
    if others.isEmpty { return found }
    var both = solid((found.solid.members + others).sorted())
    guard let told = SolidPose(both, guides), told.fits() else { return found }
    both.isWhole = both.isWhole || found.solid.isWhole && both.isFull
    return (both, told)
  }

  /// The solids, those that are one joined: side by side they move as one does.
  private func joined(
    _ found: [(solid: Solid, pose: SolidPose?)]
  ) -> [(solid: Solid, pose: SolidPose?)] {
    for first in found.indices {
      let beside = Set(found[first].solid.members.flatMap { neighbours[$0].map(\.guide) })
      for other in found.indices.dropFirst(first + 1) {
        let (one, two) = (found[first].solid, found[other].solid)
        guard two.members.contains(where: beside.contains) else { continue }
        var both = solid((one.members + two.members).sorted())
        guard both.isFull, let pose = SolidPose(both, guides), pose.isOne,
          pose.fits(Self.close)
        else { continue }
        both.isWhole = both.isWhole || one.isWhole && two.isWhole
        var rest = found
        rest[first] = (both, pose)
        rest.remove(at: other)
        return joined(rest)
      }
    }
    return found
  }

  /// Whether the tracks that start beside a solid's do not move with them.
  private func isApart(_ solid: Solid) -> Bool {
    let own = Set(solid.members)
    var (beside, parted) = (0, 0)
    for member in solid.members where guides[member].isSpecified {
      for near in neighbours[member] where guides[near.guide].isSpecified {
        guard !own.contains(near.guide) else { continue }
        beside += 1
        let other = guides[near.guide]
        if !guides[member].isLinked(to: other, near.distance) { parted += 1 }
      }
    }
    return beside > 0 && Double(parted) >= Self.parted * Double(beside)
  }

  private func solid(_ members: [Int]) -> Solid {
    let solid =
      built[members] ?? former[members]
      ?? Solid(members, guides: guides, picture: picture, outline: outline)
    built[members] = solid
    return solid
  }

  private func surface(_ solid: Solid) -> SolidSurface {
    if let surface = surfaces[solid.members] { return surface }
    let surface = SolidSurface(solid, guides, width: picture.size.width, pool: pool)
    surfaces[solid.members] = surface
    return surface
  }

  /// A solid without tracks that turn out to be of something else, and its pose if enough of them say
  /// where it is; nil if few are left.
  private func followed(_ solid: Solid) -> (solid: Solid, pose: SolidPose?)? {
    guard let pose = SolidPose(solid, guides) else { return (solid, nil) }
    let kept = zip(solid.members, pose.missed).filter { $1 <= Self.lost * solid.half + 1 }
    if kept.count == solid.members.count { return (solid, pose) }
    guard kept.count >= Solid.least else { return nil }
    let rest = self.solid(kept.map { $0.0 })
    return (rest, SolidPose(rest, guides))
  }

  /// The free tracks that are linked, enough of them, by neighbours that part by little.
  private func linked(_ isFree: [Bool]) -> [[Int]] {
    let part = TrackGuide.parts(neighbours) {
      isFree[$0] && isFree[$1.guide] && guides[$0].isLinked(to: guides[$1.guide], $1.distance)
    }
    var groups = [[Int]](repeating: [], count: guides.count)
    for index in 0..<guides.count where isFree[index] { groups[part[index]].append(index) }
    return groups.filter { $0.count >= Solid.least }
  }
}
