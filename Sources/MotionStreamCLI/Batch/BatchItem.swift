import ArgumentParser
import Foundation

/// One item of a manifest, understood: an id, and the options of `generate` that it gives.
package struct BatchItem: Sendable {
  /// Its position in the manifest, which decides its shard.
  package var index: Int
  /// Its name in the results.
  package var id: String
  /// File and line.
  package var place: String
  /// Its options, files made absolute.
  package var options: GenerateOptions
  /// The clip whose motion is wanted, instead of tracks.
  package var clip: String?
}

/// A manifest's items.
package struct Manifest: Sendable {
  /// The items, in order; ids and outputs unique.
  package var items: [BatchItem]

  /// Options that only the whole batch has.
  private static let reserved: Set<String> = [
    "model", "threads", "endless", "overwrite", "sidecar", "no-sidecar", "dry-run", "events",
    "progress", "quiet", "verbose", "help", "version",
  ]
  /// Fields that name files.
  private static let paths: Set<String> = [
    "image", "tracks", "prompt-file", "output", "from-metadata", "preview",
  ]
  /// Problems that are shown; more than these nobody reads.
  private static let shownProblems = 50

  /// Understands all rows.
  ///
  /// - Parameters:
  ///   - folder: where relative paths start.
  ///   - outputFolder: where relative outputs start.
  /// - Throws: `CommandError` with `.badData` that lists every problem with its line, item and
  ///   field.
  package init(
    rows: [ManifestRow], problems found: [String], name: String, folder: String,
    outputFolder: String
  ) throws(CommandError) {
    var problems = found
    items = []
    var places: [String: String] = [:]
    var outputs: [String: String] = [:]
    for row in rows {
      let folders = (inputs: folder, outputs: outputFolder)
      guard
        let item = Self.item(row, index: items.count, folders: folders, problems: &problems)
      else { continue }
      if let first = places.updateValue(row.place, forKey: item.id) {
        problems.append("\(row.place): id: \"\(item.id)\" is already the id of \(first)")
      }
      let output = Sidecar.path(for: InputFile.absolute(item.options.output.output))
      if let first = outputs.updateValue(row.place, forKey: output) {
        problems.append(
          "\(row.place): item \"\(item.id)\": output: \(item.options.output.output) is already the "
            + "output of \(first)")
      }
      items.append(item)
    }
    if items.isEmpty, problems.isEmpty { problems.append("\(name):1: expected items, found none") }
    guard problems.isEmpty else {
      let rest = problems.count - Self.shownProblems
      throw CommandError(
        .badData,
        problems.prefix(Self.shownProblems).joined(separator: "\n")
          + (rest > 0 ? "\nand \(rest) more" : ""))
    }
  }

  private static func item(
    _ row: ManifestRow, index: Int, folders: (inputs: String, outputs: String),
    problems: inout [String]
  ) -> BatchItem? {
    guard let id = row["id"], !id.isEmpty else {
      problems.append("\(row.place): id: missing")
      return nil
    }
    let place = "\(row.place): item \"\(id)\""
    guard let output = row["output"], !output.isEmpty else {
      problems.append("\(place): output: missing")
      return nil
    }
    var arguments: [String] = []
    var clip: String?
    for (name, value) in row.fields where name != "id" {
      if reserved.contains(name) {
        problems.append("\(place): \(name): is given once for the whole batch, not for an item")
        return nil
      }
      switch value {
      case .flag(true): arguments.append("--\(name)")
      case .flag(false): break
      case .text(let text):
        if paths.contains(name) || name == "clip", text == "-" {
          problems.append(
            "\(place): \(name): expected a file, found - for standard input or output")
          return nil
        }
        let start = name == "output" ? folders.outputs : folders.inputs
        if name == "clip" {
          clip = join(start, text)
        } else {
          arguments.append("--\(name)=" + (paths.contains(name) ? join(start, text) : text))
        }
      }
    }
    if clip != nil, row["tracks"] != nil {
      problems.append("\(place): clip: give either clip or tracks, not both")
      return nil
    }
    do {
      let options = try GenerateOptions.parse(arguments)
      return BatchItem(index: index, id: id, place: row.place, options: options, clip: clip)
    } catch {
      let reason = GenerateOptions.message(for: error).split(separator: "\n").first ?? ""
      problems.append("\(place): \(reason)")
      return nil
    }
  }

  private static func join(_ folder: String, _ path: String) -> String {
    path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
  }
}
