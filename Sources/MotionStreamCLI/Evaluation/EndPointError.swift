import Frames
package import Tracks

/// Mean distance between two sets of tracks, over the points that the reference shows.
///
/// Tracks are matched by id and compared at the reference's frames, on its canvas in pixels; an
/// estimate of another canvas is stretched to it. Whether the estimate calls a point visible does
/// not matter, but a point that it does not place at all is counted as missing and left out of the
/// mean (the convention of MotionStream's and Wan-Move's EPE, apart from that count).
package struct EndPointError: Equatable, Sendable {
  /// One frame.
  package struct Frame: Equatable, Sendable {
    /// Points compared.
    package var points = 0
    /// Points that the estimate lacks.
    package var missing = 0
    /// Sum of the distances in pixels.
    package var sum = 0.0

    /// Collects the counts.
    package init(points: Int = 0, missing: Int = 0, sum: Double = 0) {
      (self.points, self.missing, self.sum) = (points, missing, sum)
    }

    /// Mean distance in pixels; nil without points.
    package var mean: Double? { points > 0 ? sum / Double(points) : nil }
  }

  /// Every frame of the reference.
  package private(set) var frames: [Frame] = []
  /// Width of the reference's canvas in pixels.
  package let width: Int

  /// All frames together.
  package var total: Frame {
    frames.reduce(into: Frame()) { total, frame in
      total.points += frame.points
      total.missing += frame.missing
      total.sum += frame.sum
    }
  }

  /// Compares `frames` frames; nil for as many as the reference has.
  ///
  /// Throws `CommandError` with `.badData` when the reference has no length of its own, or when
  /// nothing can be compared.
  package init(
    reference: TrackDocument, estimate: TrackDocument, frames count: Int?, names: (String, String)
  ) throws(CommandError) {
    width = reference.width
    let rate = reference.fps.value
    let canvas = (width: reference.width, height: reference.height)
    let wanted = TrackSampler(reference, fps: rate, fit: .stretch, output: canvas)
    let found = TrackSampler(estimate, fps: rate, fit: .stretch, output: canvas)
    guard let last = count.map({ $0 - 1 }) ?? wanted.lastFrame else {
      throw CommandError(
        .badData, "\(names.0): the tracks have no end of their own; give --frames")
    }
    for number in 0...last {
      let estimates = Dictionary(
        found.sample(at: number).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      var frame = Frame()
      for point in wanted.sample(at: number) where point.visible {
        if let other = estimates[point.id] {
          let (x, y) = (Double(point.x - other.x), Double(point.y - other.y))
          frame.sum += (x * x + y * y).squareRoot()
          frame.points += 1
        } else {
          frame.missing += 1
        }
      }
      frames.append(frame)
    }
    guard total.points > 0 else {
      throw CommandError(
        .badData,
        "\(names.1): none of the \(total.missing) visible points of \(names.0) is in it; tracks are "
          + "matched by id")
    }
  }

  /// For printing.
  var result: EvaluationResult {
    var result = EvaluationResult(
      metric: "epe", unit: "pixels of the reference", rowName: "frame",
      columns: ["epe", "points", "missing"])
    let mean = total.mean
    result.summary = [
      ("epe", mean), ("percent_of_width", mean.map { 100 * $0 / Double(width) }),
      ("points", Double(total.points)), ("missing", Double(total.missing)),
    ]
    result.rows = frames.map { [$0.mean, Double($0.points), Double($0.missing)] }
    return result
  }
}
