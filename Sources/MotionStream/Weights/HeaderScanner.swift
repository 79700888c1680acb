/// Reads the JSON of a safetensors header, and only that: an object of objects.
///
/// A general JSON reader keeps the last of two equal keys and turns integers into doubles; both
/// would let a hostile file through, so this one knows the grammar and refuses everything else.
struct HeaderScanner {
  /// One tensor's description as written in the file.
  struct Entry: Equatable {
    var name: String
    var dtype: String
    var shape: [Int]
    var begin: Int
    var end: Int
  }

  /// Why a header was refused; the file's name is added by the caller.
  struct Failure: Error {
    let reason: String
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  /// Reads all entries, in the order of the file.
  static func entries(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> [Entry] {
    var scanner = HeaderScanner(bytes: bytes)
    return try scanner.header()
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func header() throws(Failure) -> [Entry] {
    var entries: [Entry] = []
    var names: Set<String> = []
    try object { (scanner, name) throws(Failure) in
      guard names.insert(name).inserted else {
        throw Failure(reason: "the name \"\(name)\" appears twice in the header")
      }
      if name == "__metadata__" {
        try scanner.object { (scanner, _) throws(Failure) in _ = try scanner.string() }
      } else {
        entries.append(try scanner.entry(name))
      }
    }
    skipSpace()
    guard position == bytes.count else { throw failure("the end of the header") }
    return entries
  }

  private mutating func entry(_ name: String) throws(Failure) -> Entry {
    var dtype: String?
    var shape: [Int]?
    var offsets: [Int]?
    try object { (scanner, field) throws(Failure) in
      switch field {
      case "dtype" where dtype == nil: dtype = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw Failure(reason: "\(name): unknown or repeated field \"\(field)\"")
      }
    }
    guard let dtype, let shape, let offsets, offsets.count == 2 else {
      throw Failure(reason: "\(name): expected dtype, shape and two data_offsets")
    }
    return Entry(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
  }

  // MARK: Grammar

  private mutating func object(
    _ member: (inout HeaderScanner, String) throws(Failure) -> Void
  ) throws(Failure) {
    try expect("{")
    if accept("}") { return }
    repeat {
      let name = try string()
      try expect(":")
      try member(&self, name)
    } while accept(",")
    try expect("}")
  }

  private mutating func integers() throws(Failure) -> [Int] {
    var values: [Int] = []
    try expect("[")
    if accept("]") { return values }
    repeat { values.append(try integer()) } while accept(",")
    try expect("]")
    return values
  }

  /// A non-negative integer without sign, fraction or exponent.
  private mutating func integer() throws(Failure) -> Int {
    skipSpace()
    var value = 0
    let start = position
    while position < bytes.count, case let digit = bytes[position], (0x30...0x39).contains(digit) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(digit - 0x30))
      if overflow || carry { throw Failure(reason: "a number at byte \(start) is too large") }
      value = sum
      position += 1
    }
    if position == start { throw failure("a non-negative whole number") }
    return value
  }

  private mutating func string() throws(Failure) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw Failure(reason: "a name before byte \(position) is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text.append(contentsOf: Array(try escape().utf8))
      case 0..<0x20: throw Failure(reason: "a control character at byte \(position - 1)")
      default: text.append(byte)
      }
    }
    throw Failure(reason: "the header ends inside a name")
  }

  private mutating func escape() throws(Failure) -> Character {
    guard position < bytes.count else { throw failure("an escape") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return Character(UnicodeScalar(byte))
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = try hex4()
      // A pair of surrogates stands for one character beyond the first 65,536.
      if (0xD800..<0xDC00).contains(code) {
        try expectByte("\\")
        try expectByte("u")
        let low = try hex4()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("a low surrogate") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = UnicodeScalar(code) else { throw failure("a character") }
      return Character(scalar)
    default: throw failure("an escape")
    }
  }

  private mutating func hex4() throws(Failure) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue
      else { throw failure("four hexadecimal digits") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
    if !accept(character) { throw failure("'\(character)'") }
  }

  private mutating func expectByte(_ character: Unicode.Scalar) throws(Failure) {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else {
      throw failure("'\(character)'")
    }
    position += 1
  }

  private func failure(_ expected: String) -> Failure {
    Failure(reason: "expected \(expected) at byte \(position) of the header")
  }
}
