import Foundation
import Media
import Motion
import Tracks

/// Points of a clip followed from its first frame to its last, and written as a track file, in
/// memory that does not grow with the clip.
struct TrackExtraction {
  /// The clip, for errors and as the tracks' source.
  let path: String
  let reader: VideoReader
  let rate: Tracks.FrameRate
  var seeds: [TrackPosition]
  var settings = ExtractionSettings()
  /// Most frames that are read.
  var frames = Int.max

  /// Opens a clip, with the standard grid of points. `fps` is for clips that state no rate.
  init(_ path: String, fps: Tracks.FrameRate? = nil, help: String) throws {
    (self.path, reader) = (path, try VideoReader(path))
    let stated = reader.frameRate.map { rate -> Tracks.FrameRate in
      rate.denominator == 1
        ? .number(Double(rate.numerator)) : .ratio(rate.numerator, rate.denominator)
    }
    guard let rate = fps ?? stated else {
      throw CommandError(.badData, "\(path): states no frame rate; \(help)")
    }
    self.rate = rate
    seeds = PointGrid.standard.points(width: reader.width, height: reader.height)
  }

  /// Follows the points and writes the file; `-` prints JSON.
  ///
  /// - Parameter progress: called after each frame with the frames so far and the points seen.
  func write(
    to output: String, overwrite: Bool, source: JSONValue? = nil,
    progress: (_ frames: Int, _ points: Int) -> Void = { _, _ in }
  ) throws {
    let folder =
      output == "-"
      ? NSTemporaryDirectory() : URL(fileURLWithPath: output).deletingLastPathComponent().path
    let store = try TrackSpill(folder: folder, name: output)
    let extractor = TrackExtractor(seeds: seeds, settings: settings, name: path, store: store)
    while extractor.frames < frames, let frame = try reader.next() {
      try extractor.add(frame.picture)
      progress(extractor.frames, extractor.aliveCount)
    }
    guard extractor.frames > 0 else { throw CommandError(.badData, "\(path): has no frame") }
    try extractor.finish()
    let document = TrackDocument(
      width: reader.width, height: reader.height, fps: rate, frameCount: extractor.frames,
      tracks: [], source: source)
    try TrackOutput.write(to: output, overwrite: overwrite) { take in
      try document.encode(store, asNPZ: TrackOutput.isNPZ(output), to: take)
    }
  }
}
