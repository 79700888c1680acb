public import Frames
public import Tracks

/// Follows points through a clip, frame by frame: call `add` for each frame, then `tracks`.
///
/// A point is given up when it leaves the picture, when what is seen at its place no longer looks
/// like it, or when nothing says where it went; it never comes back under its id. Beside the
/// resulting positions (8 bytes per point and visible frame) the extractor holds two frames and the
/// first frames of at most `anchorLimit` generations, however long the clip is.
public final class TrackExtractor {
  private struct Point {
    var id: Int
    var startFrame: Int
    var generation: Int
    var path: [SIMD2<Float>]
    var place: SIMD2<Float> { path[path.count - 1] }
  }

  /// Points that began in one frame, and that frame for as long as it is kept.
  private struct Generation {
    var anchor: GreyPyramid?
  }

  /// First frames kept for removing drift; the oldest goes first.
  private static let anchorLimit = 4
  /// Pixels by which the anchor may correct one step: more is a mismatch.
  private static let anchorReach: Float = 1
  /// Mean grey difference up to which a window matches its anchor.
  private static let anchorResidual: Float = 8
  /// Pixels between steps up to which they are the same motion.
  private static let agreement: Float = 0.5
  /// Pixels a window may slide along an edge before a standing camera without being believed.
  private static let slide: Float = 0.5
  /// Share of followed points that stand while the camera stands.
  private static let standingShare: Float = 0.3
  /// Share by which the known look of a point follows its present one (light, turning).
  private static let lookRate: Float = 0.1
  /// Coordinates are kept to 1/64 pixel, finer than the method and far shorter to write.
  private static let stepsPerPixel: Float = 64

  private let settings: ExtractionSettings
  private let seeds: [SIMD2<Float>]
  private let name: String
  private var alive: [Point] = []
  private var looks: [Float] = []
  private var finished: [Point] = []
  private var generations: [Generation] = []
  private var previous: GreyPyramid?
  private var nextID = 0
  /// Frames added so far.
  public private(set) var frames = 0
  /// Points still followed.
  public var aliveCount: Int { alive.count }

  /// - Parameters:
  ///   - seeds: where the points of the first frame are, in its pixels, corner origin.
  ///   - name: the clip, for errors.
  public init(seeds: [TrackPosition], settings: ExtractionSettings, name: String) {
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
    if let previous {
      try step(from: previous, to: pyramid, frame: frame)
      if let every = settings.redetectFrames, frames % every == 0 {
        begin(at: uncovered(), frame: frame, pyramid: pyramid)
      }
    } else {
      begin(at: seeds, frame: frame, pyramid: pyramid)
    }
    previous = pyramid
    frames += 1
  }

  /// The tracks so far, by id. A track ends with the last frame in which its point was seen.
  public func tracks() -> [Track] {
    (finished + alive).sorted { $0.id < $1.id }.map { point in
      let places = point.path.map { place -> TrackPosition? in
        let rounded = (place * Self.stepsPerPixel).rounded(.toNearestOrEven) / Self.stepsPerPixel
        return TrackPosition(x: Double(rounded.x), y: Double(rounded.y))
      }
      return Track(id: point.id, startFrame: point.startFrame, motion: .points(places))
    }
  }

  // MARK: New points

  private func begin(at places: [SIMD2<Float>], frame: RGBFrame, pyramid: GreyPyramid) {
    if places.isEmpty { return }
    generations.append(Generation(anchor: pyramid))
    if generations.count > Self.anchorLimit {
      generations[generations.count - 1 - Self.anchorLimit].anchor = nil
    }
    for place in places {
      alive.append(
        Point(id: nextID, startFrame: frames, generation: generations.count - 1, path: [place]))
      nextID += 1
      let start = looks.count
      looks += repeatElement(0, count: PointLook.count)
      PointLook.read(frame, at: place, into: &looks, from: start)
    }
  }

  /// Seeds that have no living point within half their usual distance.
  private func uncovered() -> [SIMD2<Float>] {
    guard let previous else { return [] }
    let area = Float(previous.width * previous.height) / Float(max(seeds.count, 1))
    let index = NearbyPoints(alive.map(\.place), cell: max(area.squareRoot(), 1))
    return seeds.filter { seed in
      index.nearest(to: seed, count: 1, rings: 1).allSatisfy { index in
        let offset = alive[index].place - seed
        return (offset * offset).sum() > area / 4
      }
    }
  }

  // MARK: One step

  private func step(
    from previous: GreyPyramid, to pyramid: GreyPyramid, frame: RGBFrame
  ) throws(TrackError) {
    if alive.isEmpty { return }
    let starts = alive.map(\.place)
    let (steps, trusted) = try measure(starts, previous, pyramid)
    var targets = choose(starts, steps, trusted, frame: frame)
    try removeDrift(&targets, pyramid)
    var survivors: [Point] = []
    var kept: [Float] = []
    var look = [Float](repeating: 0, count: PointLook.count)
    for (index, target) in targets.enumerated() {
      let range = index * PointLook.count..<(index + 1) * PointLook.count
      guard let target, isInside(target, frame) else {
        finished.append(alive[index])
        continue
      }
      PointLook.read(frame, at: target, into: &look, from: 0)
      guard PointLook.difference(looks[range], look) < settings.lookDifference else {
        finished.append(alive[index])
        continue
      }
      alive[index].path.append(target)
      survivors.append(alive[index])
      kept += zip(looks[range], look).map { $0 + Self.lookRate * ($1 - $0) }
    }
    (alive, looks) = (survivors, kept)
  }

  /// Each point's step by the chosen method, and whether the way back leads to its start.
  private func measure(
    _ starts: [SIMD2<Float>], _ previous: GreyPyramid, _ next: GreyPyramid
  ) throws(TrackError) -> (steps: [SIMD2<Float>], trusted: [Bool]) {
    let limit = settings.backwardError * settings.backwardError
    if settings.method == .dis {
      let there = try previous.denseFlow(to: next)
      let back = try next.denseFlow(to: previous)
      let steps = starts.map { there.at($0) }
      let trusted = zip(starts, steps).map { start, step in
        let miss = step + back.at(start + step)
        return (miss * miss).sum() < limit
      }
      return (steps, trusted)
    }
    let there = try previous.follow(
      starts, to: next, window: settings.window, levels: settings.levels,
      leastEigenvalue: settings.leastTexture)
    let back = try next.follow(
      there.positions, to: previous, window: settings.window, levels: settings.levels,
      leastEigenvalue: settings.leastTexture)
    let trusted = starts.indices.map { index in
      let miss = back.positions[index] - starts[index]
      return there.found[index] && back.found[index] && (miss * miss).sum() < limit
    }
    return (zip(there.positions, starts).map { $0 - $1 }, trusted)
  }

  /// Where each point goes: its own step if that is trusted. A point without texture is carried only
  /// where there is evidence for it: the camera stands and the place looks the same, its neighbours
  /// agree with the dominant motion, or they agree with each other and it looks right there. Nil
  /// gives it up.
  private func choose(
    _ starts: [SIMD2<Float>], _ steps: [SIMD2<Float>], _ trusted: [Bool], frame: RGBFrame
  ) -> [SIMD2<Float>?] {
    let good = starts.indices.filter { trusted[$0] }
    let places = good.map { starts[$0] }
    let isStill = cameraIsStill(good.map { steps[$0] })
    let dominant =
      isStill
      ? nil
      : DominantMotion(
        points: places, steps: good.map { steps[$0] }, width: frame.width, height: frame.height)
    let spacing = (Float(frame.width * frame.height) / Float(max(seeds.count, 1))).squareRoot()
    let index = NearbyPoints(places, cell: max(2 * spacing, 1))
    var look = [Float](repeating: 0, count: PointLook.count)
    return starts.indices.map { point in
      let start = starts[point]
      if trusted[point] {
        // Along a stripe a window slides; before a standing camera it rather stands.
        let slides = isStill && Self.length(steps[point]) < Self.slide
        return slides ? start : start + steps[point]
      }
      let range = point * PointLook.count..<(point + 1) * PointLook.count
      func difference(_ step: SIMD2<Float>) -> Float {
        PointLook.read(frame, at: start + step, into: &look, from: 0)
        return PointLook.difference(looks[range], look)
      }
      let common = isStill ? SIMD2<Float>.zero : dominant?.step(at: start)
      let near = index.nearest(to: start, count: 9, rings: 2).map { steps[good[$0]] }
      guard near.count >= 5 else { return isStill ? start : nil }
      let middle = SIMD2(Self.median(near.map(\.x)), Self.median(near.map(\.y)))
      if let common {
        if Self.length(middle - common) < Self.agreement { return start + common }
        if isStill, difference(.zero) < difference(middle) + 2 { return start }
      }
      let agreeing = near.count { Self.length($0 - middle) < Self.agreement }
      guard agreeing >= 7, difference(middle) < settings.lookDifference / 2 else { return nil }
      return start + middle
    }
  }

  /// Whether the picture as a whole stands: enough of what can be followed does not move at all.
  private func cameraIsStill(_ steps: [SIMD2<Float>]) -> Bool {
    let standing = steps.count { Self.length($0) < 0.1 }
    return Float(standing) >= Self.standingShare * Float(max(steps.count, 1))
  }

  private static func length(_ step: SIMD2<Float>) -> Float { (step * step).sum().squareRoot() }

  private static func median(_ values: [Float]) -> Float { values.sorted()[values.count / 2] }

  /// Moves points onto their windows in the frame where they began, where those still match, so
  /// that the small errors of the steps do not add up.
  private func removeDrift(
    _ targets: inout [SIMD2<Float>?], _ pyramid: GreyPyramid
  ) throws(TrackError) {
    for (number, generation) in generations.enumerated() {
      guard let anchor = generation.anchor else { continue }
      let members = alive.indices.filter { alive[$0].generation == number }
      let inside = members.filter { targets[$0] != nil }
      let found = try anchor.follow(
        inside.map { alive[$0].path[0] }, to: pyramid, window: settings.window, levels: 0,
        guesses: inside.compactMap { targets[$0] }, leastEigenvalue: settings.leastTexture)
      for (position, member) in inside.enumerated() where found.found[position] {
        guard let target = targets[member] else { continue }
        if Self.length(found.positions[position] - target) < Self.anchorReach,
          found.residuals[position] < Self.anchorResidual
        {
          targets[member] = found.positions[position]
        }
      }
      if members.isEmpty { generations[number].anchor = nil }
    }
  }

  private func isInside(_ point: SIMD2<Float>, _ frame: RGBFrame) -> Bool {
    point.x >= 0 && point.y >= 0 && point.x < Float(frame.width) && point.y < Float(frame.height)
  }
}

/// Points sorted into square cells, to find those near a place.
struct NearbyPoints {
  private let points: [SIMD2<Float>]
  private let cell: Float
  private var members: [SIMD2<Int32>: [Int]] = [:]

  /// Sorts points into cells of a side in pixels.
  init(_ points: [SIMD2<Float>], cell: Float) {
    (self.points, self.cell) = (points, cell)
    for index in points.indices { members[key(points[index]), default: []].append(index) }
  }

  /// Up to `count` indices, nearest first, from the place's cell and `rings` cells around it.
  func nearest(to place: SIMD2<Float>, count: Int, rings: Int32) -> [Int] {
    let center = key(place)
    var found: [(index: Int, distance: Float)] = []
    for dy in -rings...rings {
      for dx in -rings...rings {
        for index in members[center &+ SIMD2(dx, dy)] ?? [] {
          let offset = points[index] - place
          found.append((index, (offset * offset).sum()))
        }
      }
    }
    return found.sorted { $0.distance < $1.distance }.prefix(count).map(\.index)
  }

  private func key(_ point: SIMD2<Float>) -> SIMD2<Int32> {
    let limit = SIMD2<Float>(repeating: 1e6)
    let scaled = (point / cell).rounded(.down).clamped(lowerBound: -limit, upperBound: limit)
    return SIMD2<Int32>(scaled)
  }
}
