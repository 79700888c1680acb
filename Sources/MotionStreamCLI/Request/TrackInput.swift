import Foundation
import Frames
import Tracks

/// A track file, read and checked.
struct TrackInput {
  /// What the sidecar says about it.
  let record: ClipRequest.Input
  /// The tracks.
  let document: TrackDocument
  /// What the reader found odd.
  let warnings: [String]

  /// Track files up to this size are kept whole in the sidecar.
  private static let embeddedSize = 256 << 10

  /// Reads the file, or standard input for `-`. A request that comes from a sidecar carries the
  /// hash and perhaps the text: the text is used when the file is gone or has changed.
  init(_ request: ClipRequest.Input, warn: (String) -> Void) throws {
    let bytes = try Self.contents(of: request, warn: warn)
    let fromInput = request.path == "-"
    let name = fromInput ? "standard input" : request.path
    (document, warnings) = try TrackDocument.parse(Data(bytes), name: name)
    let keeps = fromInput || bytes.count <= Self.embeddedSize
    if keeps, let text = String(validating: bytes, as: UTF8.self) {
      record = ClipRequest.Input(
        path: fromInput ? "-" : InputFile.absolute(request.path),
        sha256: SHA256.hex(of: bytes), content: text)
    } else if keeps {
      // NPZ: kept as the equivalent JSON document, which is then what the hash is of.
      let text = [UInt8](document.encode())
      record = ClipRequest.Input(
        path: fromInput ? "-" : InputFile.absolute(request.path),
        sha256: fromInput ? SHA256.hex(of: text) : SHA256.hex(of: bytes),
        content: String(decoding: text, as: UTF8.self))
    } else {
      record = ClipRequest.Input(
        path: InputFile.absolute(request.path), sha256: SHA256.hex(of: bytes))
    }
  }

  private static func contents(
    of request: ClipRequest.Input, warn: (String) -> Void
  ) throws(CommandError) -> [UInt8] {
    guard let kept = request.content else {
      let bytes = try InputFile.read(request.path, role: "--tracks", allowStandardInput: true)
      if let expected = request.sha256, expected != SHA256.hex(of: bytes) {
        warn("\(request.path): the tracks are not those the clip was made from (SHA-256 differs)")
      }
      return bytes
    }
    guard request.path != "-" else { return Array(kept.utf8) }
    guard let bytes = try? InputFile.read(request.path, role: "--tracks") else {
      warn("\(request.path): the track file is gone; using the copy in the sidecar")
      return Array(kept.utf8)
    }
    if let expected = request.sha256, expected != SHA256.hex(of: bytes) {
      warn("\(request.path): the track file has changed; using the copy in the sidecar")
      return Array(kept.utf8)
    }
    return bytes
  }

  /// The tracks as the model sees them, on the output's canvas and at the model's rate.
  func sampler(fps: Double, fit: ImageFit, width: Int, height: Int) -> TrackSampler {
    TrackSampler(document, fps: fps, fit: fit, output: (width: width, height: height))
  }
}
