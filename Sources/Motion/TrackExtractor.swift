public import Frames
public import Tracks

/// Follows points through a clip, frame by frame: call `add` for each frame, then `finish`.
///
/// Points rest on the scene behind the objects until one is seen to move otherwise; from then on it
/// is followed by itself. A point that is covered or leaves the picture is carried on, hidden, for
/// some time and comes back when it is seen again. The tracks are in `store`, on disk; the extractor
/// holds four pictures and the points, however long the clip is.
public final class TrackExtractor {
  /// Share of the picture that the key picture must still show.
  private static let leastOverlap: Float = 0.6
  /// Pixels across its edges by which a point may miss the scene's motion and still belong to it.
  private static let agreement: Float = 0.5
  /// Mean difference per colour by which a point must look better on its own way than on the scene's.
  private static let advantage: Float = 2
  /// Pixels by which the key picture may correct one step: more is a mismatch.
  private static let keyReach: Float = 1
  /// Mean grey difference up to which a window matches the key picture.
  private static let keyResidual: Float = 8
  /// Share by which the known look of a point follows its present one (light, turning).
  private static let lookRate: Float = 0.1

  private let settings: ExtractionSettings
  private let seeds: [SIMD2<Float>]
  private let name: String
  private var alive: [FollowedPoint] = []
  private var looks: [Float] = []
  private var scene: SceneMotion?
  private var previous: GreyPyramid?
  /// The tracks so far. A track ends with the last frame in which its point was seen.
  public let store: TrackSpill
  /// Frames added so far.
  public var frames: Int { store.frames }
  /// Points that are seen now.
  public var aliveCount: Int { alive.count(where: \.isSeen) }

  /// - Parameters:
  ///   - seeds: where the points of the first frame are, in its pixels, corner origin.
  ///   - name: the clip, for errors.
  ///   - store: a new one, which takes the tracks.
  public init(
    seeds: [TrackPosition], settings: ExtractionSettings, name: String, store: TrackSpill
  ) {
    self.store = store
    self.seeds = seeds.map { SIMD2(Float($0.x), Float($0.y)) }
    (self.settings, self.name) = (settings, name)
  }

  /// Follows all points into the next frame, which has the size of the first one.
  public func add(_ frame: RGBFrame) throws(TrackError) {
    let place = "\(name), frame \(frames)"
    if let previous, previous.width != frame.width || previous.height != frame.height {
      throw TrackError(
        file: name, place: "frame \(frames)",
        reason: "expected \(previous.width)x\(previous.height) pixels as before, found "
          + "\(frame.width)x\(frame.height)")
    }
    let pyramid = try GreyPyramid(
      frame, window: settings.window, levels: settings.levels, name: place)
    if let previous, var scene {
      let view = try scene.follow(to: pyramid)
      try step(Step(previous: previous, next: pyramid, view: view, scene: scene, frame: frame))
      var bare: [SIMD2<Float>] = []
      if let every = settings.redetectFrames, frames % every == 0 { bare = uncovered() }
      if scene.overlap < Self.leastOverlap || !bare.isEmpty {
        scene.renew(key: pyramid)
        for index in alive.indices { alive[index].home = alive[index].place }
      }
      try begin(at: bare, frame: frame)
      self.scene = scene
    } else {
      scene = SceneMotion(key: pyramid, window: settings.window)
      try begin(at: seeds, frame: frame)
    }
    previous = pyramid
    try store.add(alive)
  }

  /// Ends the clip: the store can be read now.
  public func finish() throws(TrackError) { try store.finish() }

  // MARK: New points

  private func begin(at places: [SIMD2<Float>], frame: RGBFrame) throws(TrackError) {
    for place in places {
      alive.append(FollowedPoint(id: try store.begin(), place: place))
      looks += PointLook.read(frame, at: place)
    }
  }

  /// Seeds that have no visible point within half their usual distance.
  private func uncovered() -> [SIMD2<Float>] {
    guard let previous else { return [] }
    let area = Float(previous.width * previous.height) / Float(max(seeds.count, 1))
    let visible = alive.filter(\.isSeen).map(\.place)
    let index = NearbyPoints(visible, cell: max(area.squareRoot(), 1))
    return seeds.filter { seed in
      index.nearest(to: seed, count: 1, rings: 1).allSatisfy { index in
        let offset = visible[index] - seed
        return (offset * offset).sum() > area / 4
      }
    }
  }

  // MARK: One step

  /// What a step is taken with; `view` is the key picture as it should look in the next one.
  private struct Step {
    let previous: GreyPyramid
    let next: GreyPyramid
    let view: GreyPyramid
    let scene: SceneMotion
    let frame: RGBFrame

    func shows(_ point: SIMD2<Float>) -> Bool {
      point.x >= 0 && point.y >= 0 && point.x < Float(frame.width)
        && point.y < Float(frame.height)
    }
  }

  private func step(_ step: Step) throws(TrackError) {
    var targets = [SIMD2<Float>?](repeating: nil, count: alive.count)
    try followScene(step, &targets)
    try followAlone(step, &targets)
    var survivors: [FollowedPoint] = []
    var kept: [Float] = []
    for index in alive.indices {
      // Nothing says where it went: there is nowhere to look for it again.
      guard let target = targets[index] else {
        store.end(alive[index].id)
        continue
      }
      var point = alive[index]
      let known = looks[range(index)]
      let look = PointLook.read(step.frame, at: target)
      let isSeen =
        step.shows(target) && PointLook.difference(known, look) < settings.lookDifference
      point.move(to: target, isSeen: isSeen)
      if !isSeen, point.framesHidden > settings.patience {
        store.end(point.id)
        continue
      }
      survivors.append(point)
      kept += isSeen ? zip(known, look).map { $0 + Self.lookRate * ($1 - $0) } : Array(known)
    }
    (alive, looks) = (survivors, kept)
  }

  /// Takes the points of the scene to where it has moved, and lets go of those that move otherwise.
  private func followScene(_ step: Step, _ targets: inout [SIMD2<Float>?]) throws(TrackError) {
    for index in alive.indices where alive[index].isScene {
      targets[index] = step.scene.fromKey(alive[index].home)
    }
    let members = alive.indices.filter { index in
      targets[index].map { alive[index].isSeen && step.scene.isInKey($0) } ?? false
    }
    let places = members.compactMap { targets[$0] }
    let moved = try follow(places, from: step.view, to: step.next)
    let texture = step.view.texture(at: places, window: settings.window)
    for (number, member) in members.enumerated() where moved.trusted[number] {
      let own = moved.steps[number]
      guard DominantMotion.mismatch(own, texture[number]) > Self.agreement * Self.agreement
      else { continue }
      let elsewhere = difference(member, step.frame, at: places[number] + own)
      if elsewhere < settings.lookDifference / 2,
        elsewhere + Self.advantage < difference(member, step.frame, at: places[number])
      {
        alive[member].isScene = false
        targets[member] = places[number] + own
      }
    }
  }

  /// Usual distance of two points.
  private func spacing(_ step: Step) -> Float {
    (Float(step.frame.width * step.frame.height) / Float(max(seeds.count, 1))).squareRoot()
  }

  /// Takes the points of objects along with their windows or, where those show too little, with
  /// their neighbours.
  private func followAlone(_ step: Step, _ targets: inout [SIMD2<Float>?]) throws(TrackError) {
    let members = alive.indices.filter { !alive[$0].isScene && targets[$0] == nil }
    if members.isEmpty { return }
    let starts = members.map { alive[$0].place }
    let (steps, trusted) = try measure(starts, step)
    let good = members.indices.filter { trusted[$0] && alive[members[$0]].isSeen }
    let index = NearbyPoints(good.map { starts[$0] }, cell: max(2 * spacing(step), 1))
    for (number, member) in members.enumerated() {
      let start = starts[number]
      if trusted[number], alive[member].isSeen {
        targets[member] = start + steps[number]
        continue
      }
      let near = index.nearest(to: start, count: 9, rings: 2).map { steps[good[$0]] }
      if near.count >= 5 {
        targets[member] = start + SIMD2(Self.median(near.map(\.x)), Self.median(near.map(\.y)))
      } else {
        targets[member] = step.scene.step(start)
      }
    }
    try removeDrift(members, step, &targets)
  }

  /// Each point's step by the chosen method, and whether the way back leads to its start.
  private func measure(
    _ starts: [SIMD2<Float>], _ step: Step
  ) throws(TrackError) -> (steps: [SIMD2<Float>], trusted: [Bool]) {
    if settings.method == .lk { return try follow(starts, from: step.previous, to: step.next) }
    let there = try step.previous.denseFlow(to: step.next)
    let back = try step.next.denseFlow(to: step.previous)
    let steps = starts.map { there.at($0) }
    let trusted = zip(starts, steps).map { isBack($1 + back.at($0 + $1)) }
    return (steps, trusted)
  }

  private func follow(
    _ starts: [SIMD2<Float>], from: GreyPyramid, to: GreyPyramid
  ) throws(TrackError) -> (steps: [SIMD2<Float>], trusted: [Bool]) {
    let there = try from.follow(
      starts, to: to, window: settings.window, levels: settings.levels,
      leastEigenvalue: settings.leastTexture)
    let back = try to.follow(
      there.positions, to: from, window: settings.window, levels: settings.levels,
      leastEigenvalue: settings.leastTexture)
    let trusted = starts.indices.map {
      there.found[$0] && back.found[$0] && isBack(back.positions[$0] - starts[$0])
    }
    return (zip(there.positions, starts).map { $0 - $1 }, trusted)
  }

  private func isBack(_ miss: SIMD2<Float>) -> Bool {
    Self.length(miss) < settings.backwardError
  }

  /// Moves points onto their windows in the key picture, where those still match, so that the small
  /// errors of the steps do not add up.
  private func removeDrift(
    _ members: [Int], _ step: Step, _ targets: inout [SIMD2<Float>?]
  ) throws(TrackError) {
    let members = members.filter { targets[$0] != nil }
    let guesses = members.compactMap { targets[$0] }
    let found = try step.scene.key.follow(
      members.map { alive[$0].home }, to: step.next, window: settings.window, levels: 0,
      guesses: guesses, leastEigenvalue: settings.leastTexture)
    for (number, member) in members.enumerated() where found.found[number] {
      if Self.length(found.positions[number] - guesses[number]) < Self.keyReach,
        found.residuals[number] < Self.keyResidual
      {
        targets[member] = found.positions[number]
      }
    }
  }

  private func range(_ index: Int) -> Range<Int> {
    index * PointLook.count..<(index + 1) * PointLook.count
  }

  /// How unlike itself a point looks at a place.
  private func difference(_ index: Int, _ frame: RGBFrame, at place: SIMD2<Float>) -> Float {
    PointLook.difference(looks[range(index)], PointLook.read(frame, at: place))
  }

  private static func length(_ step: SIMD2<Float>) -> Float { (step * step).sum().squareRoot() }

  private static func median(_ values: [Float]) -> Float { values.sorted()[values.count / 2] }
}
