import Foundation
import MotionStream

/// The model of a run, found and checked but not loaded.
struct ChosenModel {
  /// Its files.
  let directory: ModelDirectory
  /// What the sidecar says about it.
  let record: ClipRequest.Model

  /// Finds what `asked` names, or the default model. A request that comes from a sidecar carries
  /// the hash to expect.
  init(_ asked: ClipRequest.Model?, locator: ModelLocator, reporter: RunReporter) throws {
    var path = try asked?.path ?? locator.locate()
    if asked?.hash != nil, !FileManager.default.fileExists(atPath: path) {
      let shipped = try locator.locate()
      reporter.warn("\(path): the clip's model is gone; trying \(shipped)")
      path = shipped
    }
    directory = try ModelDirectory(path: path)
    let hash = try directory.contentHash()
    if let expected = asked?.hash, expected != hash {
      reporter.warn(
        "\(path): the model is not the one the clip was made with (\(hash), not \(expected))")
    }
    record = ClipRequest.Model(
      path: InputFile.absolute(path), name: directory.manifest.name, hash: hash)
    reporter.detail("model \(directory.manifest.name) in \(path)")
  }
}
