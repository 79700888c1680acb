import Foundation

/// A fast 64-bit hash of many bytes, the same on every machine and in every run.
struct ContentHash {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Takes in the length and all bytes.
  mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    mix(UInt64(bytes.count))
    let words = bytes.count / 8
    for i in 0..<words {
      mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self)))
    }
    for byte in bytes[(words * 8)...] { mix(UInt64(byte)) }
  }

  /// Takes in the length and all bytes.
  mutating func combine(_ data: Data) { data.withUnsafeBytes { combine($0) } }

  /// The hash so far, as 16 hexadecimal digits.
  var digits: String {
    let text = String(state, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  /// Both halves of a full product depend on all bits of the state and of the word.
  private mutating func mix(_ word: UInt64) {
    let product = (state ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    state = product.high ^ product.low &+ 0x9E37_79B9_7F4A_7C15
  }
}

extension ModelDirectory {
  /// The bytes of a file of the model.
  func fileBytes(_ file: String) throws(ModelError) -> Data {
    guard let data = FileManager.default.contents(atPath: "\(path)/\(file)") else {
      throw ModelError(.missing, "\(path)/\(file): cannot be read")
    }
    return data
  }
}
