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
    let hash = try InputFile.sha256(path, role: "clip")
    let name = output.hasSuffix("/") ? String(output.dropLast()) : output
    let file = "\(name).tracks-\(hash.prefix(16)).npz"
    guard access(file, F_OK) != 0 else { return file }
    try BatchRun.makeFolder(of: file)
    try TrackExtraction(path, help: "use `tracks extract --fps`").write(to: file, overwrite: true)
    return file
  }
}
