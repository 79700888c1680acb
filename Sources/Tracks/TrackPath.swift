/// A track's motion, prepared for evaluation at any of its own frames.
enum TrackPath: Sendable {
  case pinned(TrackPosition)
  case points([TrackPosition?])
  case keyframes(KeyframePath)

  init(_ motion: Motion, fps: Double, loops: Bool) {
    switch motion {
    case .pinned(let position): self = .pinned(position)
    case .points(let points): self = .points(points)
    case .keyframes(let keyframes):
      self = .keyframes(KeyframePath(keyframes, fps: fps, loops: loops))
    }
  }

  /// Position at the track's own time (in document frames, 0 is its start), and the frame whose
  /// visibility applies. Nil where the track is unspecified.
  func position(at time: Double, after: AfterEnd) -> (TrackPosition, frame: Int)? {
    if time < 0 { return nil }
    switch self {
    case .pinned(let position): return (position, Int(time))
    case .points(let points): return Self.position(in: points, at: time, after: after)
    case .keyframes(let path): return path.position(at: time, after: after)
    }
  }

  private static func position(
    in points: [TrackPosition?], at time: Double, after: AfterEnd
  ) -> (TrackPosition, frame: Int)? {
    if points.isEmpty { return nil }
    var time = time
    if time > Double(points.count - 1) {
      switch after {
      case .drop: return nil
      case .hold: time = Double(points.count - 1)
      case .loop: time = time.truncatingRemainder(dividingBy: Double(points.count))
      }
    }
    let index = Int(time)
    let share = time - Double(index)
    guard let here = points[index] else { return nil }
    if share == 0 { return (here, index) }
    guard let next = points[(index + 1) % points.count] else { return nil }
    return (here.moved(share, towards: next), index)
  }
}

/// Keyframes with their times in document frames and the slopes that splines need.
struct KeyframePath: Sendable {
  private var times: [Double]
  private var positions: [TrackPosition]
  private var eases: [Easing]
  /// Units per frame at each keyframe: Catmull-Rom, so the slope between its neighbours.
  private var slopes: [TrackPosition]

  init(_ keyframes: [Keyframe], fps: Double, loops: Bool) {
    times = keyframes.map { $0.frame(fps: fps) }
    positions = keyframes.map(\.position)
    eases = keyframes.map(\.ease)
    slopes = positions.map { _ in TrackPosition(x: 0, y: 0) }
    let last = times.count - 1
    if last < 1 { return }
    // A loop that ends where it begins has neighbours on the other side of the seam.
    let closed = loops && positions[0] == positions[last] && last > 1
    for index in 0...last {
      var before = max(index - 1, 0)
      var after = min(index + 1, last)
      var span = times[after] - times[before]
      if closed, index == 0 || index == last {
        before = last - 1
        after = 1
        span = times[last] - times[before] + times[after] - times[0]
      }
      slopes[index] = TrackPosition(
        x: (positions[after].x - positions[before].x) / span,
        y: (positions[after].y - positions[before].y) / span)
    }
  }

  func position(at time: Double, after: AfterEnd) -> (TrackPosition, frame: Int)? {
    guard let first = times.first, let last = times.last, time >= first - 1e-6 else { return nil }
    var time = max(time, first)
    if time > last {
      // Times in seconds need not fall on a frame exactly.
      let ends = time < last + 1e-6
      switch after {
      case .drop: if ends { time = last } else { return nil }
      case .hold: time = last
      case .loop:
        time =
          ends || first == last
          ? last : first + (time - first).truncatingRemainder(dividingBy: last - first)
      }
    }
    let frame = Int(time + 1e-6)
    var low = 0
    var high = times.count - 1
    while low < high {  // the last keyframe at or before `time`
      let middle = (low + high + 1) / 2
      if times[middle] <= time { low = middle } else { high = middle - 1 }
    }
    if low == times.count - 1 || times[low] == time { return (positions[low], frame) }
    let span = times[low + 1] - times[low]
    let share = (time - times[low]) / span
    if eases[low + 1] == .spline { return (spline(low, share, span), frame) }
    let progress = eases[low + 1].progress(share)
    return (positions[low].moved(progress, towards: positions[low + 1]), frame)
  }

  /// The cubic Hermite curve from keyframe `index` to the next.
  private func spline(_ index: Int, _ u: Double, _ span: Double) -> TrackPosition {
    let v = 1 - u
    let (start, end) = (v * v * (1 + 2 * u), u * u * (3 - 2 * u))
    let (leave, arrive) = (u * v * v * span, -u * u * v * span)
    func blend(_ axis: KeyPath<TrackPosition, Double>) -> Double {
      start * positions[index][keyPath: axis] + end * positions[index + 1][keyPath: axis]
        + leave * slopes[index][keyPath: axis] + arrive * slopes[index + 1][keyPath: axis]
    }
    return TrackPosition(x: blend(\.x), y: blend(\.y))
  }
}

extension TrackPosition {
  /// The place a share of the way to another.
  func moved(_ share: Double, towards other: TrackPosition) -> TrackPosition {
    TrackPosition(x: x + (other.x - x) * share, y: y + (other.y - y) * share)
  }
}
