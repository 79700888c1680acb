import Foundation
import Media
import Motion
import Tracks

/// Tracks of a driving clip, taken out of it once and kept beside the output as
/// `<output>.tracks-<hash of the clip>.npz`, where the next run finds them.
struct DrivingClip {
  let path: String
  let output: String

  /// Refuses a clip that cannot be decoded.
  func check() throws {
    guard try VideoReader(path).next() != nil else {
      throw CommandError(.badData, "clip: \(path): has no frame")
    }
  }

  /// The track file, made if it is not there.
  func tracks() throws -> String {
    let bytes = try InputFile.read(path, role: "clip")
    let name = output.hasSuffix("/") ? String(output.dropLast()) : output
    let file = "\(name).tracks-\(SHA256.hex(of: bytes).prefix(16)).npz"
    guard access(file, F_OK) != 0 else { return file }
    try BatchRun.makeFolder(of: file)
    let written = try TrackFormat.npz.write(extract(), frames: nil, name: path)
    try SmallFile.write(Array(written.file), to: file, overwrite: true)
    return file
  }

  /// A grid of points, followed from frame to frame as `tracks extract` does.
  private func extract() throws -> TrackDocument {
    let reader = try VideoReader(path)
    guard let rate = reader.frameRate else {
      throw CommandError(
        .badData, "clip: \(path): states no frame rate; use `tracks extract --fps`")
    }
    let seeds = PointGrid.standard.points(width: reader.width, height: reader.height)
    let extractor = TrackExtractor(seeds: seeds, settings: ExtractionSettings(), name: path)
    while let frame = try reader.next() { try extractor.add(frame.picture) }
    guard extractor.frames > 0 else {
      throw CommandError(.badData, "clip: \(path): has no frame")
    }
    return TrackDocument(
      width: reader.width, height: reader.height,
      fps: .ratio(rate.numerator, rate.denominator), frameCount: extractor.frames,
      tracks: extractor.tracks())
  }
}
