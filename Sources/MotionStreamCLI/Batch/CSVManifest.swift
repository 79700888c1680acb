/// Manifests as comma-separated values (RFC 4180): a header with the field names, cells in double
/// quotes where they hold commas, quotes (doubled) or line ends. An empty cell is an absent field.
enum CSVManifest {
  static func rows(of text: String, name: String) -> (rows: [ManifestRow], problems: [String]) {
    var problems: [String] = []
    let records = records(of: text, name: name, problems: &problems)
    guard let header = records.first else {
      return (
        [], problems.isEmpty ? ["\(name):1: expected a header, found an empty file"] : problems
      )
    }
    let names = header.cells.map { $0.trimmingSpaces() }
    var rows: [ManifestRow] = []
    for record in records.dropFirst() where record.cells != [""] {
      var row = ManifestRow(place: "\(name):\(record.line)")
      guard record.cells.count == names.count else {
        problems.append(
          "\(row.place): expected \(names.count) cells as in the header, found "
            + "\(record.cells.count)")
        continue
      }
      for (field, cell) in zip(names, record.cells) where !cell.isEmpty {
        if let problem = row.add(field, .text(cell)) { problems.append(problem) }
      }
      rows.append(row)
    }
    return (rows, problems)
  }

  private struct Record {
    var line: Int
    var cells: [String]
  }

  private static func records(
    of text: String, name: String, problems: inout [String]
  ) -> [Record] {
    var records: [Record] = []
    var cells: [String] = []
    var cell = ""
    var line = 1
    var recordLine = 1
    var quoted = false
    var wasQuoted = false
    var characters = text.drop { $0 == "\u{FEFF}" }[...]
    while let character = characters.popFirst() {
      if character.isNewline { line += 1 }
      if quoted {
        if character != "\"" {
          cell.append(character)
        } else if characters.first == "\"" {
          characters.removeFirst()
          cell.append("\"")
        } else {
          quoted = false
        }
      } else if character == "\"", cell.isEmpty, !wasQuoted {
        (quoted, wasQuoted) = (true, true)
      } else if character == "," || character.isNewline {
        cells.append(cell)
        (cell, wasQuoted) = ("", false)
        if character.isNewline {
          records.append(Record(line: recordLine, cells: cells))
          (cells, recordLine) = ([], line)
        }
      } else if character == "\"" || wasQuoted {
        problems.append("\(name):\(line): a quote inside a cell must be doubled, the cell quoted")
        return records
      } else {
        cell.append(character)
      }
    }
    if quoted {
      problems.append("\(name):\(recordLine): a quoted cell is not closed")
    } else if !cell.isEmpty || !cells.isEmpty || wasQuoted {
      records.append(Record(line: recordLine, cells: cells + [cell]))
    }
    return records
  }
}

extension String {
  /// Without spaces and tabs at both ends.
  fileprivate func trimmingSpaces() -> String {
    let isSpace = { (character: Character) in character == " " || character == "\t" }
    return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }
}
