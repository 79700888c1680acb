import Foundation
import Tracks

/// Manifests of one JSON object a line; empty lines are skipped.
enum JSONLManifest {
  static func rows(of text: String, name: String) -> (rows: [ManifestRow], problems: [String]) {
    var rows: [ManifestRow] = []
    var problems: [String] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() where line.contains(where: { !$0.isWhitespace }) {
      var row = ManifestRow(place: "\(name):\(index + 1)")
      do throws(JSONError) {
        let value = try JSONReader.parse(Data(line.utf8))
        guard case .object(let members) = value.kind else {
          problems.append("\(row.place): expected a JSON object, found \(value.summary)")
          continue
        }
        for member in members {
          switch self.value(of: member.value) {
          case .success(let value):
            if let value, let problem = row.add(member.name, value) { problems.append(problem) }
          case .failure(let reason):
            problems.append("\(row.place): \(member.name): \(reason.text)")
          }
        }
        rows.append(row)
      } catch {
        let place = JSONReader.place(of: error.offset, in: Data(line.utf8))
        problems.append("\(row.place):\(place.column): not JSON: \(error.reason)")
      }
    }
    return (rows, problems)
  }

  private struct Reason: Error {
    var text: String
  }

  private static func value(of json: JSONValue) -> Result<ManifestRow.Value?, Reason> {
    switch json.kind {
    case .null: return .success(nil)
    case .bool(let flag): return .success(.flag(flag))
    case .string(let text): return .success(.text(text))
    case .number(let number):
      guard number == number.rounded() else { return .success(.text("\(number)")) }
      // Above 2^53 the reader's Double may not be the number that was written.
      guard let whole = Int(exactly: number), abs(whole) < 1 << 53 else {
        return .failure(Reason(text: "write a number as large as \(json.summary) in quotes"))
      }
      return .success(.text(String(whole)))
    case .array, .object:
      return .failure(Reason(text: "expected a text, a number or true, found \(json.summary)"))
    }
  }
}
