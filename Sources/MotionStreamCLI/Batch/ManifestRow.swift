/// One item of a manifest as it stands in the file: names and texts, not yet understood.
package struct ManifestRow: Equatable, Sendable {
  /// What a field may hold.
  package enum Value: Equatable, Sendable {
    /// A text, or a number as it was written.
    case text(String)
    /// A switch.
    case flag(Bool)
  }

  /// File and line, for messages.
  package var place: String
  /// Names with dashes, as the long options have them; absent and null fields are left out.
  package var fields: [(name: String, value: Value)] = []

  /// An empty row.
  package init(place: String) { self.place = place }

  /// Compares place, names and values.
  package static func == (lhs: ManifestRow, rhs: ManifestRow) -> Bool {
    lhs.place == rhs.place && lhs.fields.elementsEqual(rhs.fields) { $0 == $1 }
  }

  /// The text of a field.
  package subscript(name: String) -> String? {
    for field in fields where field.name == name {
      if case .text(let text) = field.value { return text }
    }
    return nil
  }

  /// Adds a field; returns what is wrong with it, if anything is.
  mutating func add(_ name: String, _ value: Value) -> String? {
    let dashed = name.replacing("_", with: "-")
    let long = dashed == "track" ? "tracks" : dashed
    let letters = long.utf8.allSatisfy {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
        || $0 == UInt8(ascii: "-")
    }
    guard letters, let first = long.first, first != "-" else {
      return "\(place): expected a field name such as prompt or image-fit, found \"\(name)\""
    }
    guard !fields.contains(where: { $0.name == long }) else {
      return "\(place): \(name): given twice"
    }
    fields.append((long, value))
    return nil
  }
}

/// The file formats of a manifest.
package enum ManifestFormat: String, CaseIterable, Sendable {
  /// One JSON object a line.
  case jsonl
  /// A header line with the field names, then one item a line.
  case csv
  /// A list of mappings, or a mapping whose `items` is one.
  case yaml

  /// By the file's ending; JSONL for standard input.
  package init?(inferredFrom path: String) {
    if path == "-" {
      self = .jsonl
      return
    }
    switch path.split(separator: ".").last?.lowercased() {
    case "jsonl", "ndjson": self = .jsonl
    case "csv": self = .csv
    case "yaml", "yml": self = .yaml
    default: return nil
    }
  }

  /// Reads all rows.
  ///
  /// - Parameters:
  ///   - text: the whole file.
  ///   - name: the file as the user named it.
  /// - Returns: the rows that could be read, and a message, with its line, for everything that
  ///   could not.
  package func rows(of text: String, name: String) -> (rows: [ManifestRow], problems: [String]) {
    switch self {
    case .jsonl: JSONLManifest.rows(of: text, name: name)
    case .csv: CSVManifest.rows(of: text, name: name)
    case .yaml: YAMLManifest.rows(of: text, name: name)
    }
  }
}
