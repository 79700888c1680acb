import Frames
public import Tracks

extension TrackDocument {
  /// The same motion at another rate: one point per frame, in canvas pixels with corner origin.
  ///
  /// Time is kept: 121 frames at 24 a second become 81 at 16. Points off the canvas are hidden, as
  /// the model takes them; easing and what happens past the end become points.
  ///
  /// - Parameters:
  ///   - fps: frames per second of the result.
  ///   - frames: of the result; nil is the document's own length.
  /// - Throws: ``TrackError`` if the document has no end and `frames` is nil, or there are too many.
  public func resampled(
    fps: Tracks.FrameRate, frames: Int?, name: String
  ) throws(TrackError) -> TrackDocument {
    let still = FitTransform(scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0)
    let sampler = TrackSampler(self, fps: fps.value, fit: still, output: (width, height))
    guard let count = frames ?? sampler.lastFrame.map({ $0 + 1 }) else {
      throw TrackError(
        file: name, reason: "the tracks have no end of their own; say how many frames to write")
    }
    guard (1...TrackLimits.points / max(tracks.count, 1)).contains(count) else {
      throw TrackError(file: name, reason: "\(count) frames of \(tracks.count) tracks are too many")
    }
    var order: [Int: Int] = [:]
    for (index, track) in tracks.enumerated() { order[track.id] = index }
    let empty = [TrackPosition?](repeating: nil, count: count)
    var paths = [[TrackPosition?]](repeating: empty, count: tracks.count)
    var seen = [[Bool]](repeating: [Bool](repeating: true, count: count), count: tracks.count)
    var points: [TrackPoint] = []
    for frame in 0..<count {
      sampler.sample(at: frame, into: &points)
      for point in points {
        guard let index = order[point.id] else { continue }
        paths[index][frame] = TrackPosition(x: Double(point.x), y: Double(point.y))
        seen[index][frame] = point.visible
      }
    }
    var result = self
    (result.fps, result.frameCount) = (fps, count)
    (result.coordinates, result.pixelOrigin) = (.pixel, .corner)
    for index in tracks.indices {
      result.tracks[index].startFrame = 0
      result.tracks[index].motion = .points(paths[index])
      result.tracks[index].visibility =
        seen[index].allSatisfy { $0 } ? .always : Visibility(seen[index])
      result.tracks[index].after = .drop
    }
    return result
  }
}
