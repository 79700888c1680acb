package import Foundation

/// Zip files as NumPy and PyTorch write them: stored or deflated members, no encryption, below
/// 4 GiB, one disk.
package struct ZipArchive {
  /// First bytes of a zip file with a member.
  static let magic = Data("PK\u{3}\u{4}".utf8)

  private struct Member {
    var method: Int
    var crc: UInt32
    var packed: Int
    var size: Int
    var header: Int
  }

  /// Names of the members, in the order of the directory.
  package private(set) var names: [String] = []
  private var members: [String: Member] = [:]
  private let bytes: Data
  private let file: String

  /// Reads the directory at the end of a zip file.
  package init(_ data: Data, file: String) throws(TrackError) {
    bytes = Data(data)  // so that indices start at 0
    self.file = file
    let tail = 22
    // A comment of up to 65,535 bytes may follow the end record.
    guard bytes.count >= tail,
      let end = (max(0, bytes.count - tail - 65_535)...(bytes.count - tail)).last(where: {
        bytes[$0] == 0x50 && u32($0) == 0x0605_4b50
      })
    else { throw TrackError(file: file, reason: "not a whole zip file: its directory is missing") }
    let count = u16(end + 10)
    var position = u32(end + 16)
    for index in 0..<count {
      guard position + 46 <= end, u32(position) == 0x0201_4b50 else {
        throw TrackError(file: file, reason: "zip directory entry \(index) is broken")
      }
      let nameLength = u16(position + 28)
      guard position + 46 + nameLength <= end,
        let name = String(
          validating: bytes[position + 46..<position + 46 + nameLength], as: UTF8.self)
      else { throw TrackError(file: file, reason: "zip directory entry \(index) is broken") }
      let member = Member(
        method: u16(position + 10), crc: UInt32(u32(position + 16)), packed: u32(position + 20),
        size: u32(position + 24), header: u32(position + 42))
      if u16(position + 8) & 1 != 0 {
        throw TrackError(file: file, reason: "zip member \"\(name)\" is encrypted")
      }
      if members.updateValue(member, forKey: name) != nil {
        throw TrackError(file: file, reason: "zip member \"\(name)\" appears twice")
      }
      names.append(name)
      position += 46 + nameLength + u16(position + 30) + u16(position + 32)
    }
  }

  /// The unpacked bytes of a member, checked against its CRC; nil if there is none of that name.
  package func contents(of name: String) throws(TrackError) -> Data? {
    guard let member = members[name] else { return nil }
    func fail(_ reason: String) -> TrackError {
      TrackError(file: file, reason: "zip member \"\(name)\" \(reason)")
    }
    if member.size > TrackLimits.bytes { throw fail("is larger than \(TrackLimits.bytes) bytes") }
    guard member.header + 30 <= bytes.count, u32(member.header) == 0x0403_4b50 else {
      throw fail("has no header")
    }
    let start = member.header + 30 + u16(member.header + 26) + u16(member.header + 28)
    guard start + member.packed <= bytes.count else { throw fail("is cut short") }
    let packed = bytes.subdata(in: start..<start + member.packed)
    var data = packed
    switch member.method {
    case 0: break
    case 8:
      // Deflate packs at most 1,032 to 1; a larger claim is a lie that would only cost memory.
      guard member.size <= packed.count * 1_032 + 64,
        let unpacked = Inflate.raw(packed, size: member.size)
      else { throw fail("does not unpack to its \(member.size) bytes") }
      data = unpacked
    default: throw fail("uses compression method \(member.method); stored and deflate are read")
    }
    guard data.count == member.size, Inflate.crc32(data) == member.crc else {
      throw fail("is damaged: its checksum does not match")
    }
    return data
  }

  private func u16(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }

  private func u32(_ offset: Int) -> Int { u16(offset) | u16(offset + 2) << 16 }
}

extension Data {
  /// Appends integers, least significant byte first.
  mutating func append(littleEndian values: [some FixedWidthInteger]) {
    for value in values {
      Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
  }
}
