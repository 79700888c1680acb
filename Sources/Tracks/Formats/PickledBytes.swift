package import Foundation

/// The one pickle that is read: a byte string and nothing else.
///
/// Protocol 3 and later store it as it is; protocol 2, PyTorch's default, as a call of
/// `_codecs.encode(text, "latin1")`. Every other opcode, and every other name to call, is refused,
/// so nothing in the file is ever run.
package enum PickledBytes {
  private enum Item {
    case encode
    case text(ArraySlice<UInt8>)
    case pair(ArraySlice<UInt8>, ArraySlice<UInt8>)
    case bytes(Data)
  }

  static func decode(_ pickle: Data, file: String) throws(TrackError) -> Data {
    let bytes = [UInt8](pickle)
    var position = 0
    var stack: [Item] = []
    func fail(_ reason: String) -> TrackError {
      TrackError(file: file, place: "data.pkl, byte \(position)", reason: reason)
    }
    func take(_ count: Int) throws(TrackError) -> ArraySlice<UInt8> {
      guard count >= 0, count <= bytes.count - position else {
        throw fail("the pickle is cut short")
      }
      defer { position += count }
      return bytes[position..<position + count]
    }
    func length(_ width: Int) throws(TrackError) -> Int {
      let value = try take(width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard let count = Int(exactly: value) else { throw fail("the pickle is cut short") }
      return count
    }
    func line() throws(TrackError) -> String {
      guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
        throw fail("the pickle is cut short")
      }
      defer { position = end + 1 }
      return String(decoding: bytes[position..<end], as: UTF8.self)
    }
    while true {
      let start = position
      switch try take(1).first {
      case 0x80: _ = try take(1)  // PROTO
      case 0x95: _ = try take(8)  // FRAME
      case UInt8(ascii: "q"): _ = try take(1)  // BINPUT
      case UInt8(ascii: "r"): _ = try take(4)  // LONG_BINPUT
      case 0x94: break  // MEMOIZE
      case UInt8(ascii: "c"):
        let name = try "\(line()) \(line())"
        guard name == "_codecs encode" else {
          throw fail("refused to call \"\(name.prefix(60))\"; only a byte string is read")
        }
        stack.append(.encode)
      case UInt8(ascii: "X"): stack.append(.text(try take(try length(4))))
      case 0x8C: stack.append(.text(try take(try length(1))))
      case UInt8(ascii: "B"): stack.append(.bytes(Data(try take(try length(4)))))
      case UInt8(ascii: "C"): stack.append(.bytes(Data(try take(try length(1)))))
      case 0x8E: stack.append(.bytes(Data(try take(try length(8)))))
      case 0x86:  // TUPLE2
        guard case .text(let second) = stack.popLast(), case .text(let first) = stack.popLast()
        else { throw fail("expected two strings") }
        stack.append(.pair(first, second))
      case UInt8(ascii: "R"):  // REDUCE
        guard case .pair(let text, let codec) = stack.popLast(), case .encode = stack.popLast(),
          codec.elementsEqual("latin1".utf8), let data = latin1(text)
        else { throw fail("expected a latin1 string to encode") }
        stack.append(.bytes(data))
      case UInt8(ascii: "."):
        guard stack.count == 1, case .bytes(let data) = stack[0] else {
          throw fail("expected one byte string")
        }
        return data
      case let opcode:
        position = start
        throw fail(
          "pickle opcode 0x\(String(opcode ?? 0, radix: 16)) is refused; only a byte string is read"
        )
      }
    }
  }

  /// A protocol 2 pickle of the bytes, as PyTorch writes it.
  package static func encode(_ data: Data) -> Data {
    var text: [UInt8] = []
    text.reserveCapacity(data.count * 2)
    for byte in data {
      if byte < 0x80 { text.append(byte) } else { text += [0xC0 | byte >> 6, 0x80 | byte & 0x3F] }
    }
    var pickle = Data([0x80, 2]) + Data("c_codecs\nencode\n".utf8) + Data("X".utf8)
    pickle.append(littleEndian: [UInt32(text.count)])
    pickle += Data(text) + Data("X".utf8)
    pickle.append(littleEndian: [UInt32(6)])
    return pickle + Data("latin1".utf8) + Data([0x86]) + Data("R.".utf8)
  }

  /// Code points of UTF-8 text as bytes; nil if one is above 255 or the text is not UTF-8.
  private static func latin1(_ text: ArraySlice<UInt8>) -> Data? {
    var data = Data(capacity: text.count)
    var position = text.startIndex
    while position < text.endIndex {
      let byte = text[position]
      if byte < 0x80 {
        data.append(byte)
        position += 1
      } else {
        guard byte == 0xC2 || byte == 0xC3, position + 1 < text.endIndex,
          text[position + 1] & 0xC0 == 0x80
        else { return nil }
        data.append(byte << 6 | text[position + 1] & 0x3F)
        position += 2
      }
    }
    return data
  }
}
