public import Frames

/// A track at one output frame, in output pixels, corner origin.
public struct TrackPoint: Sendable, Equatable {
  /// The track's id.
  public var id: Int
  /// Across, to the right. May lie outside the output canvas.
  public var x: Float
  /// Down. May lie outside the output canvas.
  public var y: Float
  /// False if the track is hidden here, or outside the output canvas.
  public var visible: Bool

  /// Makes a point.
  public init(id: Int, x: Float, y: Float, visible: Bool) {
    self.id = id
    self.x = x
    self.y = y
    self.visible = visible
  }
}

/// Evaluates a document at the frames of another clip: resampled by time, fitted to its canvas.
///
/// Output frame `k` at `fps` is the document's frame `k * document.fps / fps`. Between two points
/// the position is linear and the visibility is that of the earlier one; a stretch that touches a
/// null point is unspecified, and unspecified tracks are left out of the result. Any frame costs
/// the same: time grows with the number of tracks (and the logarithm of keyframes and visibility
/// runs), never with the frame number.
public struct TrackSampler: Sendable {
  /// Number of tracks.
  public var count: Int { evaluator.count }
  /// The last output frame of the clip, from ``TrackDocument/lastFrame(fps:)``.
  public let lastFrame: Int?

  private let evaluator: TrackEvaluator
  private let fit: FitTransform
  private let size: (width: Double, height: Double)

  /// Prepares the tracks of a valid document.
  ///
  /// - Parameters:
  ///   - fps: frames per second of the output, above 0.
  ///   - fit: from the document's canvas, in pixels with corner origin, to the output canvas.
  ///   - output: the output canvas in pixels; points outside it are not visible.
  public init(
    _ document: TrackDocument, fps: Double, fit: FitTransform, output: (width: Int, height: Int)
  ) {
    evaluator = TrackEvaluator(document, fps: fps)
    lastFrame = document.lastFrame(fps: fps)
    self.fit = fit
    size = (Double(output.width), Double(output.height))
  }

  /// Prepares the tracks of a valid document, fitted as a picture of its size would be.
  public init(
    _ document: TrackDocument, fps: Double, fit: ImageFit, output: (width: Int, height: Int)
  ) {
    self.init(
      document, fps: fps,
      fit: fit.transform(
        from: (width: Double(document.width), height: Double(document.height)), to: output),
      output: output)
  }

  /// The specified tracks at output frame `frame` (0 or later), in document order.
  public func sample(at frame: Int) -> [TrackPoint] {
    var points: [TrackPoint] = []
    points.reserveCapacity(evaluator.count)
    sample(at: frame, into: &points)
    return points
  }

  /// As ``sample(at:)``, but into an array whose memory is used again.
  public func sample(at frame: Int, into points: inout [TrackPoint]) {
    points.removeAll(keepingCapacity: true)
    evaluator.forEach(at: frame) { id, place, visible in
      let (x, y) = fit.apply(x: place.x, y: place.y)
      let inside = x >= 0 && y >= 0 && x < size.width && y < size.height
      points.append(TrackPoint(id: id, x: Float(x), y: Float(y), visible: visible && inside))
    }
  }

  /// Every track's point at the first output frame where it is visible, by id. Tracks that stay
  /// hidden for the whole clip (or, if it has no end, for `limit` frames) are left out.
  public func firstVisiblePoints(limit: Int = 10_000) -> [Int: TrackPoint] {
    var found: [Int: TrackPoint] = [:]
    var points: [TrackPoint] = []
    for frame in 0...min(lastFrame ?? limit, limit) where found.count < count {
      sample(at: frame, into: &points)
      for point in points where point.visible && found[point.id] == nil { found[point.id] = point }
    }
    return found
  }
}

/// Evaluates a document at the frames of another rate, on its own canvas.
struct TrackEvaluator: Sendable {
  private struct Line {
    var id: Int
    var start: Double
    var path: TrackPath
    var visibility: Visibility
    var after: AfterEnd
  }

  /// Number of tracks.
  var count: Int { lines.count }

  private let lines: [Line]
  private let rate: Double
  private let unit: TrackPosition
  private let origin: Double

  init(_ document: TrackDocument, fps: Double) {
    precondition(fps > 0, "fps \(fps)")
    lines = document.tracks.map { track in
      Line(
        id: track.id, start: Double(track.startFrame),
        path: TrackPath(track.motion, fps: document.fps.value, loops: track.after == .loop),
        visibility: track.visibility, after: track.after)
    }
    rate = document.fps.value / fps
    (unit, origin) = document.pixelMap
  }

  /// Calls `body` for every track that is specified at the frame, with its position in canvas
  /// pixels, corner origin, and whether the document shows it.
  func forEach(at frame: Int, _ body: (_ id: Int, TrackPosition, _ visible: Bool) -> Void) {
    let position = Double(frame) * rate
    // A frame that falls on a sample must give that sample, whatever the rates round to.
    let nearest = position.rounded()
    let time = abs(position - nearest) < 1e-6 ? nearest : position
    for line in lines {
      guard let (place, own) = line.path.position(at: time - line.start, after: line.after)
      else { continue }
      body(
        line.id, TrackPosition(x: place.x * unit.x + origin, y: place.y * unit.y + origin),
        line.visibility.isVisible(at: own))
    }
  }
}

extension TrackDocument {
  /// From the document's unit to canvas pixels, corner origin: `unit * value + origin`.
  var pixelMap: (unit: TrackPosition, origin: Double) {
    switch coordinates {
    case .pixel: (TrackPosition(x: 1, y: 1), pixelOrigin == .center ? 0.5 : 0)
    case .normalized: (TrackPosition(x: Double(width), y: Double(height)), 0)
    }
  }

  /// The last frame of the clip at `fps`, for a default length: from `frameCount` if given, else
  /// from the last sample of any track. Nil if the clip has no end of its own, because a track
  /// loops or all tracks are pinned.
  ///
  /// 121 samples at 24 fps last from 0 to 5 s, so at 16 fps the last frame is 80.
  public func lastFrame(fps outputFPS: Double) -> Int? {
    let frames: Double
    if let frameCount {
      frames = Double(frameCount - 1)
    } else {
      if tracks.contains(where: { $0.after == .loop && !$0.isPinned }) { return nil }
      guard let last = tracks.compactMap({ $0.lastFrame(fps: fps.value) }).max() else { return nil }
      frames = last
    }
    return Int((frames / fps.value * outputFPS + 1e-6).rounded(.down))
  }

  /// True if the output has another shape than the canvas by more than 1 %, so that fitting cuts,
  /// pads or distorts.
  public func aspectDiffers(from output: (width: Int, height: Int)) -> Bool {
    let ratio =
      Double(width) * Double(output.height) / (Double(height) * Double(output.width))
    return abs(ratio - 1) > 0.01
  }
}

extension Track {
  /// True for a track that never moves.
  public var isPinned: Bool {
    if case .pinned = motion { return true }
    return false
  }

  /// The document frame of the last sample; nil for a pinned track.
  public func lastFrame(fps: Double) -> Double? {
    switch motion {
    case .points(let points): Double(startFrame + points.count - 1)
    case .keyframes(let keyframes): keyframes.last.map { Double(startFrame) + $0.frame(fps: fps) }
    case .pinned: nil
    }
  }
}
