import Foundation
import MotionStream
import Testing

/// What `Scripts/make_fixtures.py` wrote: inputs and expected results of the PyTorch twins.
struct Fixture {
  /// `Tests/Fixtures`.
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  let files: WeightFiles

  /// Opens `NAME.safetensors`, or a file of a model in the same folder.
  init(_ name: String) throws {
    files = try WeightFiles(path: "\(Self.folder)/\(name).safetensors")
  }

  /// A tensor by name.
  func callAsFunction(_ name: String) throws -> Tensor {
    let location = try #require(files.tensors[name], "\(files.path) has no \(name)")
    let tensor = Tensor(location.entry.shape)
    location.file.read(location.entry, into: tensor.pointer)
    return tensor
  }

  /// Builds a network from the tensors below `prefix`; the fixture's other tensors are no weights.
  func build<Network>(
    _ prefix: String, _ make: (Weights) throws(ModelError) -> Network
  ) throws -> Network {
    try Weights.build(files) { weights throws(ModelError) in
      for name in files.tensors.keys where !name.hasPrefix(prefix + ".") { weights.ignore(name) }
      return try make(weights.scoped(prefix))
    }
  }

  /// `fixtures.NAME.parameters` of the manifest.
  static func parameters<Parameters: Decodable>(
    _ name: String, as type: Parameters.Type = Parameters.self
  ) throws -> Parameters {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/manifest.json"))
    let manifest = try JSONDecoder().decode(Manifest<Parameters>.self, from: data)
    return try #require(manifest.fixtures[name]?.value?.parameters, "no parameters of \(name)")
  }
}

private struct Manifest<Parameters: Decodable>: Decodable {
  struct Entry: Decodable { let parameters: Parameters }
  let fixtures: [String: Failable<Entry>]
}

/// The manifest's fixtures have different parameters; those of other kinds are skipped.
private struct Failable<Value: Decodable>: Decodable {
  let value: Value?

  init(from decoder: any Decoder) throws { value = try? Value(from: decoder) }
}

/// Checks values against expected ones: no difference above `tolerance` times `scale`, by default
/// the largest expected magnitude.
func expectClose(
  _ actual: [Float], _ expected: [Float], tolerance: Float = 1e-4, scale: Float? = nil,
  _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(what): \(actual.count) values, expected \(expected.count)", sourceLocation: sourceLocation)
    return
  }
  let scale = scale ?? expected.reduce(0) { max($0, abs($1)) }
  var worst: (index: Int, difference: Float) = (0, 0)
  for (index, pair) in zip(actual, expected).enumerated() {
    let difference = abs(pair.0 - pair.1)
    if !(difference <= worst.difference) { worst = (index, difference) }
    if difference.isNaN { break }
  }
  if !(worst.difference <= tolerance * scale) {
    Issue.record(
      """
      \(what): value \(worst.index) is \(actual[worst.index]), expected \
      \(expected[worst.index]); difference \(worst.difference) at scale \(scale)
      """, sourceLocation: sourceLocation)
  }
}

/// A folder that vanishes with the test.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/motionstream-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ name: String, _ data: Data) throws -> String {
    try data.write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }
}
