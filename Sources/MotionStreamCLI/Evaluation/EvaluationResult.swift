/// A measurement as it is printed: a few numbers about the whole, and a table.
struct EvaluationResult {
  /// `epe`, `psnr`, `ssim` or `drift`.
  let metric: String
  /// What the numbers count.
  let unit: String
  /// What a row is about: `frame` or `chunk`.
  let rowName: String
  /// Names of the columns.
  let columns: [String]
  /// The whole; nil where a number cannot be had.
  var summary: [(name: String, value: Double?)] = []
  /// The table; rows are numbered from 0.
  var rows: [[Double?]] = []

  /// One JSON object. Infinite values are null, as JSON has none.
  func json() -> String {
    let whole = summary.map { "\(JSONText.quoted($0.name)):\(Self.json($0.value))" }
    let table = rows.enumerated().map { number, row in
      let cells = zip(columns, row).map { "\(JSONText.quoted($0)):\(Self.json($1))" }
      return "{\"\(rowName)\":\(number),\(cells.joined(separator: ","))}"
    }
    return "{\"metric\":\"\(metric)\",\"unit\":\(JSONText.quoted(unit)),"
      + whole.joined(separator: ",") + ",\"\(rowName)s\":[\(table.joined(separator: ","))]}"
  }

  /// A header and a line for every row.
  func csv() -> String {
    let lines = rows.enumerated().map { number, row in
      ([String(number)] + row.map(Self.cell)).joined(separator: ",")
    }
    return ([([rowName] + columns).joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
  }

  /// The summary for people.
  func text() -> String {
    let width = summary.map(\.name.count).max() ?? 0
    let lines = summary.map { name, value in
      let padded = name + String(repeating: " ", count: width - name.count)
      return padded + "  " + (value.map(Self.readable) ?? "none")
    }
    return (["\(metric), in \(unit)"] + lines).joined(separator: "\n")
  }

  private static func json(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    return cell(value)
  }

  private static func cell(_ value: Double?) -> String {
    guard let value else { return "" }
    if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
    return value.isInfinite ? (value > 0 ? "inf" : "-inf") : "\(value)"
  }

  private static func readable(_ value: Double) -> String {
    if Int(exactly: value) != nil || value.isInfinite { return cell(value) }
    return abs(value) < 0.01 ? "\(value)" : ProgressState.decimal(value, 4)
  }
}
