/// What Wan does to a prompt before SentencePiece sees it (its "whitespace" cleaning): repair of
/// mis-decoded text, HTML references resolved twice, runs of white space made one space.
///
/// Against the reference (ftfy 6 and Python's `html`) this leaves out: mojibake that touches only
/// part of the text or went through another encoding than Windows-1252, ftfy's terminal escapes and
/// line-break rules (white space is collapsed anyway), and HTML names outside HTML 4's Latin-1 set
/// and common punctuation. Unicode compatibility forms are folded by the SentencePiece model itself.
package enum PromptCleaning {
  /// The cleaned prompt; may be empty.
  package static func clean(_ text: String) -> String {
    let repaired = straightenQuotes(repairMojibake(text))
    return collapseWhitespace(HTMLReferences.unescape(HTMLReferences.unescape(repaired)))
  }

  /// Every run of Unicode white space becomes one space; none is left at the ends.
  static func collapseWhitespace(_ text: String) -> String {
    text.unicodeScalars
      .split(whereSeparator: \.properties.isWhitespace)
      .map { String(String.UnicodeScalarView($0)) }
      .joined(separator: " ")
  }

  /// "cafÃ©" to "café": when the whole text, read as Windows-1252, is valid UTF-8 bytes, those bytes
  /// are what was meant. Ordinary accented text is not valid UTF-8 in that reading and stays.
  static func repairMojibake(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value >= 0x80 }) else { return text }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = Windows1252.byte(for: scalar) else { return text }
      bytes.append(byte)
    }
    return String(validating: bytes, as: UTF8.self) ?? text
  }

  /// ftfy writes curly quotation marks as straight ones.
  static func straightenQuotes(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x02BC, 0x2018...0x201B: scalars.append("'")
      case 0x201C...0x201F: scalars.append("\"")
      default: scalars.append(scalar)
      }
    }
    return String(scalars)
  }
}

/// The single-byte encoding that UTF-8 text is most often mistaken for.
enum Windows1252 {
  /// Code points of bytes 0x80 ... 0x9F; the five unassigned bytes stand for themselves.
  static let high: [UInt32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
    0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
  ]

  /// The byte that decodes to `scalar`, or nil when none does.
  static func byte(for scalar: Unicode.Scalar) -> UInt8? {
    if scalar.value < 0x80 || (0xA0...0xFF).contains(scalar.value) { return UInt8(scalar.value) }
    return high.firstIndex(of: scalar.value).map { UInt8(0x80 + $0) }
  }
}
