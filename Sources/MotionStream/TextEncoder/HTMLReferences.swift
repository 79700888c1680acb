/// HTML character references in text: `&eacute;`, `&#233;`, `&#xE9;`.
enum HTMLReferences {
  /// Resolves every reference once. Unknown names stay as they are; as in HTML 5, the semicolon may
  /// be missing after a number and after the names that HTML 4 took from Latin-1.
  static func unescape(_ text: String) -> String {
    guard text.unicodeScalars.contains("&") else { return text }
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      if scalars[index] == "&", let found = reference(in: scalars[(index + 1)...]) {
        result.append(contentsOf: found.text.unicodeScalars)
        index += 1 + found.length
      } else {
        result.append(scalars[index])
        index += 1
      }
    }
    return String(result)
  }

  /// The reference that starts right after an ampersand: its text and how many scalars it takes.
  private static func reference(
    in scalars: ArraySlice<Unicode.Scalar>
  ) -> (text: String, length: Int)? {
    if scalars.first == "#" { return number(in: scalars.dropFirst()) }
    let name = String(String.UnicodeScalarView(scalars.prefix(32).prefix { $0.isLetterOrDigit }))
    let length = name.unicodeScalars.count
    if scalars.dropFirst(length).first == ";", let value = names[name] {
      return (String(value), length + 1)
    }
    // Without a semicolon the longest known beginning counts: "&notit" is "¬it".
    for shorter in stride(from: length, to: 1, by: -1) {
      let start = String(name.prefix(shorter))
      if legacyNames.contains(start), let value = names[start] { return (String(value), shorter) }
    }
    return nil
  }

  private static func number(
    in scalars: ArraySlice<Unicode.Scalar>
  ) -> (text: String, length: Int)? {
    let isHexadecimal = scalars.first == "x" || scalars.first == "X"
    let digits = scalars.dropFirst(isHexadecimal ? 1 : 0)
      .prefix { isHexadecimal ? $0.properties.isASCIIHexDigit : ("0"..."9").contains($0) }
    guard !digits.isEmpty else { return nil }
    var value: UInt32 = 0
    for digit in digits {
      let unit = UInt32(String(digit), radix: 16) ?? 0
      value = min(value * (isHexadecimal ? 16 : 10) + unit, 0x110000)
    }
    let after = scalars.dropFirst(digits.count + (isHexadecimal ? 1 : 0)).first
    // One for "#", one each for a possible "x" and ";".
    let length = 1 + (isHexadecimal ? 1 : 0) + digits.count + (after == ";" ? 1 : 0)
    return (String(character(value)), length)
  }

  /// HTML 5's reading of a number: Windows-1252 for 0x80 ... 0x9F, U+FFFD for what is no character.
  private static func character(_ value: UInt32) -> Unicode.Scalar {
    let mapped = (0x80...0x9F).contains(value) ? Windows1252.high[Int(value - 0x80)] : value
    return mapped == 0 ? "\u{FFFD}" : Unicode.Scalar(mapped) ?? "\u{FFFD}"
  }

  /// HTML 4's names of U+00A0 ... U+00FF, in code order.
  private static let latin1 = """
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr
    deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest
    Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil
    Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml
    ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times
    Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig
    agrave aacute acirc atilde auml aring aelig ccedil
    egrave eacute ecirc euml igrave iacute icirc iuml
    eth ntilde ograve oacute ocirc otilde ouml divide
    oslash ugrave uacute ucirc uuml yacute thorn yuml
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  private static let legacyNames = Set(
    latin1 + ["amp", "lt", "gt", "quot", "AMP", "LT", "GT", "QUOT"])

  private static let names: [String: Unicode.Scalar] = {
    var names: [String: Unicode.Scalar] = [
      "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'",
      "AMP": "&", "LT": "<", "GT": ">", "QUOT": "\"",
      "ndash": "–", "mdash": "—", "lsquo": "‘", "rsquo": "’", "sbquo": "‚", "ldquo": "“",
      "rdquo": "”", "bdquo": "„", "hellip": "…", "bull": "•", "trade": "™", "euro": "€",
      "dagger": "†", "permil": "‰", "prime": "′", "Prime": "″", "minus": "−", "thinsp": "\u{2009}",
      "ensp": "\u{2002}", "emsp": "\u{2003}", "OElig": "Œ", "oelig": "œ", "Scaron": "Š",
      "scaron": "š", "Yuml": "Ÿ", "larr": "←", "uarr": "↑", "rarr": "→", "darr": "↓",
    ]
    for (offset, name) in latin1.enumerated() { names[name] = Unicode.Scalar(UInt8(0xA0 + offset)) }
    return names
  }()
}

extension Unicode.Scalar {
  fileprivate var isLetterOrDigit: Bool {
    isASCII && (properties.isAlphabetic || ("0"..."9").contains(self))
  }
}
