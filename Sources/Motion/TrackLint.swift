import Frames
public import Tracks

/// What a model can be expected to follow.
public struct LintLimits: Sendable {
  /// Fastest movement per frame, as a share of the canvas width. The default is the fastest common
  /// in the shipped model's training clips: 12 pixels a frame at a width of 160.
  public var speed = 0.075
  /// Largest change of movement from one frame to the next, as a share of the canvas width.
  public var jump = 0.075
  /// Fewest tracks.
  public var fewest = 1
  /// Most tracks.
  public var most = 2500

  /// The defaults.
  public init() {}
}

/// Something about a document that the model will hardly follow.
public struct LintFinding: Sendable, Equatable, CustomStringConvertible {
  /// The track, or nil for the whole document.
  public var track: Int?
  /// The first frame where it happens.
  public var frame: Int?
  /// What was found and what was expected.
  public var reason: String

  /// `track 7, frame 12: …`.
  public var description: String {
    let place = [track.map { "track \($0)" }, frame.map { "frame \($0)" }].compactMap { $0 }
    return (place.isEmpty ? "" : place.joined(separator: ", ") + ": ") + reason
  }
}

extension TrackDocument {
  /// Checks speeds, jumps, points off the canvas and the number of tracks, over `frames` frames at
  /// the document's own rate (nil: its own length; one loop or frame where it has no end).
  ///
  /// At most one finding of a kind per track: the worst, with the frame where it happens.
  public func lint(_ limits: LintLimits, frames: Int? = nil) -> [LintFinding] {
    var findings: [LintFinding] = []
    if tracks.count < limits.fewest {
      findings.append(
        LintFinding(reason: "\(tracks.count) tracks; expected \(limits.fewest) or more"))
    }
    if tracks.count > limits.most {
      findings.append(
        LintFinding(reason: "\(tracks.count) tracks; expected \(limits.most) or fewer"))
    }
    let still = FitTransform(scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0)
    let sampler = TrackSampler(self, fps: fps.value, fit: still, output: (width, height))
    let count = frames ?? (sampler.lastFrame ?? longestTrackFrame) + 1
    var histories: [Int: LintHistory] = [:]
    for frame in 0..<count {
      for point in sampler.sample(at: frame) {
        histories[point.id, default: LintHistory()].add(
          point, frame: frame, width: Double(width), height: Double(height))
      }
    }
    for track in tracks {
      guard let history = histories[track.id] else {
        findings.append(LintFinding(track: track.id, reason: "is never specified"))
        continue
      }
      findings += history.findings(id: track.id, limits)
    }
    return findings
  }

  private var longestTrackFrame: Int {
    tracks.compactMap { $0.lastFrame(fps: fps.value) }.max().map { Int($0) } ?? 0
  }

  /// A copy in which every track is one point a frame, smoothed until no visible step breaks the
  /// limits on speed and jump.
  ///
  /// Each pass takes a quarter, a half and a quarter of three neighbours; ends stay where they are.
  /// A track whose mean speed is over the limit cannot be mended this way and stays over it.
  public func smoothed(
    _ limits: LintLimits, frames: Int? = nil, name: String
  ) throws(TrackError) -> TrackDocument {
    var result = try resampled(fps: fps, frames: frames, name: name)
    for index in result.tracks.indices {
      guard case .points(var points) = result.tracks[index].motion else { continue }
      for _ in 0..<200 {
        guard Self.breaks(points, limits, width: Double(width)) else { break }
        points = Self.blurred(points)
      }
      result.tracks[index].motion = .points(points)
    }
    return result
  }

  private static func breaks(
    _ points: [TrackPosition?], _ limits: LintLimits, width: Double
  ) -> Bool {
    var history = LintHistory()
    for (frame, point) in points.enumerated() {
      guard let point else { continue }
      history.move(to: point, frame: frame, width: width)
    }
    return history.speed.value > limits.speed || history.jump.value > limits.jump
  }

  private static func blurred(_ points: [TrackPosition?]) -> [TrackPosition?] {
    points.indices.map { index in
      guard let here = points[index], index > 0, index + 1 < points.count,
        let before = points[index - 1], let after = points[index + 1]
      else { return points[index] }
      return TrackPosition(
        x: (before.x + 2 * here.x + after.x) / 4, y: (before.y + 2 * here.y + after.y) / 4)
    }
  }
}

/// The worst of one track so far.
private struct LintHistory {
  var speed = (value: 0.0, frame: 0)
  var jump = (value: 0.0, frame: 0)
  private var outside: (count: Int, frame: Int) = (0, 0)
  private var frames = 0
  private var last: (place: TrackPosition, frame: Int)?
  private var step: TrackPosition?

  mutating func add(_ point: TrackPoint, frame: Int, width: Double, height: Double) {
    let place = TrackPosition(x: Double(point.x), y: Double(point.y))
    frames += 1
    if !(0..<width).contains(place.x) || !(0..<height).contains(place.y) {
      if outside.count == 0 { outside.frame = frame }
      outside.count += 1
    }
    // A hidden point is not shown to the model, so it may go where it likes.
    if point.visible {
      move(to: place, frame: frame, width: width)
    } else {
      (last, step) = (nil, nil)
    }
  }

  mutating func move(to place: TrackPosition, frame: Int, width: Double) {
    defer { last = (place, frame) }
    guard let last, last.frame == frame - 1 else {
      step = nil
      return
    }
    let now = TrackPosition(x: place.x - last.place.x, y: place.y - last.place.y)
    let length = (now.x * now.x + now.y * now.y).squareRoot() / width
    if length > speed.value { speed = (length, frame) }
    if let step {
      let (dx, dy) = (now.x - step.x, now.y - step.y)
      let change = (dx * dx + dy * dy).squareRoot() / width
      if change > jump.value { jump = (change, frame) }
    }
    step = now
  }

  func findings(id: Int, _ limits: LintLimits) -> [LintFinding] {
    var found: [LintFinding] = []
    if speed.value > limits.speed {
      found.append(
        LintFinding(
          track: id, frame: speed.frame,
          reason: "moves \(percent(speed.value)) of the width in one frame; expected at most "
            + percent(limits.speed)))
    }
    if jump.value > limits.jump {
      found.append(
        LintFinding(
          track: id, frame: jump.frame,
          reason: "changes its step by \(percent(jump.value)) of the width; expected at most "
            + percent(limits.jump)))
    }
    if outside.count > 0 {
      found.append(
        LintFinding(
          track: id, frame: outside.frame,
          reason: outside.count == frames
            ? "is off the canvas in all its frames"
            : "is off the canvas in \(outside.count) of \(frames) frames"))
    }
    return found
  }

  private func percent(_ share: Double) -> String {
    "\((share * 1000).rounded() / 10) %"
  }
}
