import Foundation

/// Finds the model directory when no `-m` names one.
package struct ModelLocator {
  /// The file beside the models that holds the shipped model's name.
  static let pointer = "default.txt"

  let environment: [String: String]
  /// The program's own file, links resolved.
  let executable: String

  /// Looks relative to `executable` and in `environment`.
  package init(environment: [String: String], executable: String) {
    self.environment = environment
    self.executable = executable
  }

  /// Looks relative to the running program.
  init() {
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    self.init(environment: ProcessInfo.processInfo.environment, executable: own)
  }

  /// `MOTIONSTREAM_MODEL`, else the model named by `Models/default.txt` in a folder above the
  /// program (a build in the repository) or in `share/motionstream` beside its `bin` (an install).
  package func locate() throws(CommandError) -> String {
    if let named = environment["MOTIONSTREAM_MODEL"], !named.isEmpty { return named }
    var folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
    for _ in 0..<8 {
      for models in [folder.path + "/Models", folder.path + "/share/motionstream/Models"] {
        if let found = Self.shippedModel(in: models) { return found }
      }
      folder.deleteLastPathComponent()
    }
    throw CommandError(
      .missingInput,
      "no model: none was given with --model, MOTIONSTREAM_MODEL is not set, and no folder above "
        + "\(executable) has a Models/\(Self.pointer)")
  }

  private static func shippedModel(in models: String) -> String? {
    guard
      let text = try? String(contentsOfFile: models + "/" + pointer, encoding: .utf8),
      case let name = text.trimmingCharacters(in: .whitespacesAndNewlines), !name.isEmpty
    else { return nil }
    return models + "/" + name
  }
}
