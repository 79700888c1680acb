/// The time after which a batch starts nothing that it cannot finish.
package struct TimeLimit: Sendable {
  /// Seconds since the program started.
  package let seconds: Double

  /// Chunks of one clip differ in length and the end of a clip takes time too.
  private static let margin = 1.1

  /// Reads `90`, `90s`, `30m`, `4h`, `MM:SS` or `H:MM:SS`; nil if it is none of these or 0.
  package init?(_ text: String) {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    if fields.count > 1 {
      let numbers = fields.map { UInt16($0) }
      guard fields.count <= 3, !numbers.contains(nil) else { return nil }
      seconds = numbers.reduce(0) { $0 * 60 + Double($1 ?? 0) }
    } else {
      let unit: Double? =
        switch text.last {
        case "s": 1
        case "m": 60
        case "h": 3600
        default: nil
        }
      guard let value = Double(unit == nil ? text[...] : text.dropLast()) else { return nil }
      seconds = value * (unit ?? 1)
    }
    guard seconds > 0, seconds <= 1e9 else { return nil }
  }

  /// Whether work of `needed` seconds, begun `elapsed` seconds after the start, ends in time.
  package func allows(_ needed: Double, elapsed: Double) -> Bool {
    elapsed + needed * Self.margin <= seconds
  }

  /// Whether a clip that took `clipSeconds` for its first `chunks` chunks ends in time; true before
  /// the first, as long as there is time at all.
  package func allows(
    chunks: Int, of total: Int, clipSeconds: Double, elapsed: Double
  ) -> Bool {
    guard chunks > 0 else { return elapsed < seconds }
    return allows(clipSeconds / Double(chunks) * Double(total - chunks), elapsed: elapsed)
  }
}
