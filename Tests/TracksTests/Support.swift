import Foundation
import Frames
import Testing
import Tracks

/// A document around the given tracks; `head` replaces the size and rate fields.
func documentText(
  _ tracks: String, head: String = "\"width\": 160, \"height\": 96, \"fps\": 16"
) -> String {
  "{\"format\": \"motionstream-tracks\", \"version\": 1, \(head), \"tracks\": [\(tracks)]}"
}

func parse(_ text: String) throws -> TrackDocument {
  try TrackDocument.parse(Data(text.utf8), name: "t.json").document
}

/// One track at one frame, on the document's own canvas; nil where it is unspecified.
func position(
  _ document: TrackDocument, at frame: Int, fps: Double = 16, id: Int = 0
) -> TrackPoint? {
  let sampler = TrackSampler(
    document, fps: fps, fit: ImageFit.stretch, output: (document.width, document.height))
  return sampler.sample(at: frame).first { $0.id == id }
}

func isClose(_ a: Float?, _ b: Double, within tolerance: Double = 1e-4) -> Bool {
  guard let a else { return false }
  return abs(Double(a) - b) <= tolerance
}

/// The error that reading the text gives, or nil.
func failure(_ data: Data, options: TrackFileOptions = TrackFileOptions()) -> TrackError? {
  do throws(TrackError) {
    _ = try TrackDocument.parse(data, name: "t.json", options: options)
    return nil
  } catch {
    return error
  }
}
