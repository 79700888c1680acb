package import Foundation

/// Why a text is not JSON, and at which byte.
package struct JSONError: Error, Equatable {
  /// Byte offset into the text.
  package var offset: Int
  /// What was expected and found.
  package var reason: String
}

/// A strict JSON reader (RFC 8259) that keeps the place of every value.
///
/// Stricter than most: a repeated name in an object is an error, and so is nesting deeper than
/// `TrackLimits.depth`. A UTF-8 byte-order mark is skipped.
package enum JSONReader {
  /// Reads one value that fills the whole text.
  ///
  /// - Parameter allowNonFinite: let `NaN`, `Infinity`, `-Infinity` and numbers that overflow
  ///   through as numbers that are not finite, so that the caller can name the place in its own
  ///   words. Python writes these tokens.
  package static func parse(
    _ data: Data, allowNonFinite: Bool = false
  ) throws(JSONError) -> JSONValue {
    let result = data.withUnsafeBytes { raw -> Result<JSONValue, JSONError> in
      var parser = Parser(bytes: raw.bindMemory(to: UInt8.self), allowNonFinite: allowNonFinite)
      do throws(JSONError) {
        return .success(try parser.document())
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Line and column of a byte offset, both from 1; columns count characters.
  package static func place(of offset: Int, in data: Data) -> (line: Int, column: Int) {
    let before = data.prefix(offset)
    let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? before.startIndex
    return (line, before[start...].reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) })
  }
}

private struct Parser {
  let bytes: UnsafeBufferPointer<UInt8>
  let allowNonFinite: Bool
  var position = 0

  init(bytes: UnsafeBufferPointer<UInt8>, allowNonFinite: Bool) {
    self.bytes = bytes
    self.allowNonFinite = allowNonFinite
  }

  mutating func document() throws(JSONError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw JSONError(offset: 0, reason: "expected UTF-8 text, found UTF-16")
    }
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    if position < bytes.count { throw unexpected("the end of the file") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard position < bytes.count else { throw unexpected("a JSON value") }
    if depth > TrackLimits.depth {
      throw JSONError(
        offset: position, reason: "nested deeper than \(TrackLimits.depth) levels")
    }
    let offset = position
    switch bytes[position] {
    case UInt8(ascii: "{"): return JSONValue(try object(depth: depth), offset: offset)
    case UInt8(ascii: "["): return JSONValue(try array(depth: depth), offset: offset)
    case UInt8(ascii: "\""): return JSONValue(.string(try string()), offset: offset)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return JSONValue(.number(try number()), offset: offset)
    default:
      if take("true") { return JSONValue(.bool(true), offset: offset) }
      if take("false") { return JSONValue(.bool(false), offset: offset) }
      if take("null") { return JSONValue(.null, offset: offset) }
      if allowNonFinite, take("NaN") { return JSONValue(.number(.nan), offset: offset) }
      if allowNonFinite, take("Infinity") { return JSONValue(.number(.infinity), offset: offset) }
      throw unexpected("a JSON value")
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue.Kind {
    position += 1
    var items: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(items) }
    while true {
      skipSpace()
      items.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      if take(UInt8(ascii: "]")) { return .array(items) }
      throw unexpected("\",\" or \"]\"")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue.Kind {
    position += 1
    var members: [JSONMember] = []
    var seen: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      let offset = position
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw unexpected("a name in double quotes")
      }
      let name = try string()
      if !seen.insert(name).inserted {
        throw JSONError(offset: offset, reason: "the name \"\(name)\" appears twice in one object")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected("\":\"") }
      skipSpace()
      members.append(JSONMember(name: name, value: try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      if take(UInt8(ascii: "}")) { return .object(members) }
      throw unexpected("\",\" or \"}\"")
    }
  }

  // MARK: Strings

  private mutating func string() throws(JSONError) -> String {
    let open = position
    position += 1
    var start = position
    var text: [UInt8]?  // filled only when there are escapes
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let tail = bytes[start..<position]
        position += 1
        let decoded =
          if let text { String(validating: text + tail, as: UTF8.self) } else {
            String(validating: tail, as: UTF8.self)
          }
        guard let decoded else {
          throw JSONError(offset: open, reason: "expected UTF-8 text, found invalid bytes")
        }
        return decoded
      }
      if byte < 0x20 {
        throw JSONError(offset: position, reason: "a control character must be escaped in a string")
      }
      if byte == UInt8(ascii: "\\") {
        text = (text ?? []) + bytes[start..<position]
        text?.append(contentsOf: try escape())
        start = position
      } else {
        position += 1
      }
    }
    throw JSONError(offset: open, reason: "the string that starts here is not closed")
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    let offset = position
    position += 2
    guard offset + 1 < bytes.count else { throw unexpected("an escape") }
    switch bytes[offset + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [bytes[offset + 1]]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "u"):
      var code = try hex4()
      if (0xD800..<0xDC00).contains(code), take("\\u") {
        let low = try hex4()
        guard (0xDC00..<0xE000).contains(low) else {
          throw JSONError(offset: offset, reason: "half of a surrogate pair in a string")
        }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw JSONError(offset: offset, reason: "half of a surrogate pair in a string")
      }
      return Array(String(Character(scalar)).utf8)
    default: throw JSONError(offset: offset, reason: "unknown escape in a string")
    }
  }

  private mutating func hex4() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count,
      bytes[position..<position + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
      let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw JSONError(offset: position, reason: "expected four hexadecimal digits") }
    position += 4
    return code
  }

  // MARK: Numbers

  private mutating func number() throws(JSONError) -> Double {
    let start = position
    let negative = take(UInt8(ascii: "-"))
    if negative, allowNonFinite, take("Infinity") { return -.infinity }
    var mantissa: UInt64 = 0
    var exponent = 0
    var exact = true
    func isDigit(_ index: Int) -> Bool {
      index < bytes.count && bytes[index] >= 0x30 && bytes[index] <= 0x39
    }
    func push(_ byte: UInt8) {
      if mantissa > (1 << 53) / 10 {
        exact = false
      } else {
        mantissa = mantissa * 10 + UInt64(byte - 0x30)
      }
    }
    guard isDigit(position) else { throw unexpected("a digit") }
    if bytes[position] == 0x30, isDigit(position + 1) {
      throw JSONError(offset: start, reason: "a number must not start with 0")
    }
    while isDigit(position) {
      push(bytes[position])
      position += 1
    }
    if take(UInt8(ascii: ".")) {
      guard isDigit(position) else { throw unexpected("a digit after the decimal point") }
      while isDigit(position) {
        push(bytes[position])
        exponent -= 1
        position += 1
      }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      var sign = 1
      if take(UInt8(ascii: "-")) { sign = -1 } else { _ = take(UInt8(ascii: "+")) }
      guard isDigit(position) else { throw unexpected("a digit in the exponent") }
      var power = 0
      while isDigit(position) {
        power = min(power * 10 + Int(bytes[position] - 0x30), 100_000)
        position += 1
      }
      exponent += sign * power
    }
    // A mantissa below 2^53 and a power up to 10^22 are both exact, so one operation rounds once.
    if exact, abs(exponent) < Parser.powersOfTen.count {
      let scale = Parser.powersOfTen[abs(exponent)]
      let value = exponent < 0 ? Double(mantissa) / scale : Double(mantissa) * scale
      return negative ? -value : value
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    let value = Double(text) ?? (negative ? -.infinity : .infinity)
    if !value.isFinite, !allowNonFinite {
      throw JSONError(offset: start, reason: "the number \(text.prefix(40)) is too large")
    }
    return value
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  // MARK: Bytes

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard position + count <= bytes.count,
      (0..<count).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
    else { return false }
    position += count
    return true
  }

  private func unexpected(_ wanted: String) -> JSONError {
    guard position < bytes.count else {
      return JSONError(offset: bytes.count, reason: "expected \(wanted), found the end of the file")
    }
    let byte = bytes[position]
    let found =
      byte > 0x20 && byte < 0x7F
      ? "\"\(Character(UnicodeScalar(byte)))\"" : "byte 0x\(String(byte, radix: 16))"
    return JSONError(offset: position, reason: "expected \(wanted), found \(found)")
  }
}
