import Foundation

/// The tensors of one component of a model: one safetensors file, or shards with an index.
package struct WeightFiles: Sendable {
  /// A tensor and the file that holds it.
  package struct Location: Sendable {
    /// The file.
    package let file: Safetensors
    /// The tensor in it.
    package let entry: Safetensors.Entry
  }

  /// The file or the index, for messages.
  package let path: String
  /// All files, in order of their names.
  package let files: [Safetensors]
  /// Every tensor by name.
  package let tensors: [String: Location]

  /// Opens `DIRECTORY/STEM.safetensors`, or the shards that `STEM.safetensors.index.json` lists.
  package init(directory: String, stem: String) throws(ModelError) {
    let single = "\(directory)/\(stem).safetensors"
    let index = "\(single).index.json"
    if !FileManager.default.fileExists(atPath: single),
      FileManager.default.fileExists(atPath: index)
    {
      try self.init(index: index, directory: directory)
    } else {
      try self.init(path: single)
    }
  }

  /// Opens a single file.
  package init(path: String) throws(ModelError) {
    let file = try Safetensors(path: path)
    self.path = path
    files = [file]
    tensors = Dictionary(
      uniqueKeysWithValues: file.entries.map { ($0.name, Location(file: file, entry: $0)) })
  }

  private struct Index: Decodable {
    // swift-format-ignore: AlwaysUseLowerCamelCase
    let weight_map: [String: String]
  }

  private init(index path: String, directory: String) throws(ModelError) {
    let index: Index
    do {
      index = try JSONDecoder().decode(
        Index.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw ModelError(
        .badModel, "\(path): expected an object with a \"weight_map\" of names to file names")
    }
    var files: [Safetensors] = []
    var tensors: [String: Location] = [:]
    for name in Set(index.weight_map.values).sorted() {
      // A shard lies beside its index; anything else could reach any file of the machine.
      guard !name.isEmpty, !name.contains("/"), !name.contains("\0"), name != "..", name != "."
      else {
        throw ModelError(.badModel, "\(path): \"\(name)\" is not a plain file name")
      }
      let file = try Safetensors(path: "\(directory)/\(name)")
      files.append(file)
      for entry in file.entries {
        guard index.weight_map[entry.name] == name else {
          throw ModelError(
            .badModel,
            "\(path): \(entry.name) is in \(name), the index says "
              + (index.weight_map[entry.name] ?? "nothing of it"))
        }
        tensors[entry.name] = Location(file: file, entry: entry)
      }
    }
    let lost = index.weight_map.keys.filter { tensors[$0] == nil }.sorted()
    if let first = lost.first {
      throw ModelError(
        .badModel,
        "\(path): \(lost.count) tensors are not in their shards, the first is \(first) "
          + "(\(index.weight_map[first] ?? ""))")
    }
    self.path = path
    self.files = files
    self.tensors = tensors
  }
}
