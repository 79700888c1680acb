package import Foundation

/// A member of a zip file that is written: its bytes come in pieces, the same ones every time.
struct ZipMember {
  /// Name in the archive.
  var name: String
  /// Bytes of all pieces.
  var size: Int
  /// Hands out the pieces, in order.
  var pieces: (_ take: (Data) throws -> Void) throws -> Void
}

extension ZipArchive {
  /// A zip file of stored members.
  package static func encode(_ members: [(name: String, data: Data)]) -> Data {
    var file = Data()
    var directory = ZipDirectory()
    for (name, data) in members {
      file += directory.add(name, size: data.count, crc: Inflate.crc32(data)) + data
    }
    return file + directory.end()
  }

  /// Hands out a zip file of stored members from front to end, holding one piece at a time. A
  /// member's pieces are asked for twice: its checksum stands before its bytes.
  static func write(_ members: [ZipMember], to output: (Data) throws -> Void) throws {
    var directory = ZipDirectory()
    for member in members {
      var (crc, size) = (UInt32(0), 0)
      try member.pieces { piece in
        crc = Inflate.crc32(piece, after: crc)
        size += piece.count
      }
      precondition(size == member.size, "\(member.name): \(size) of \(member.size) bytes")
      try output(directory.add(member.name, size: size, crc: crc))
      try member.pieces(output)
    }
    try output(directory.end())
  }
}

/// What stands around the members of a zip file that is written from front to end.
private struct ZipDirectory {
  private var entries = Data()
  private var count: UInt16 = 0
  private var position: UInt32 = 0

  /// The header of the next member, whose bytes must follow it.
  mutating func add(_ name: String, size: Int, crc: UInt32) -> Data {
    let name = Data(name.utf8)
    var fields = Data()
    // version 2.0, no flags, stored, 1980-01-01 so that equal input gives equal bytes
    fields.append(littleEndian: [20, 0, 0, 0, 0x21] as [UInt16])
    fields.append(littleEndian: [crc, UInt32(size), UInt32(size)])
    fields.append(littleEndian: [UInt16(name.count), 0])
    entries.append(littleEndian: [0x0201_4b50] as [UInt32])
    entries.append(littleEndian: [20] as [UInt16])
    entries += fields
    entries.append(littleEndian: [0, 0, 0, 0, 0] as [UInt16])
    entries.append(littleEndian: [position])
    entries += name
    let header = ZipArchive.magic + fields + name
    position += UInt32(header.count + size)
    count += 1
    return header
  }

  /// The directory and the end record.
  func end() -> Data {
    var record = entries
    record.append(littleEndian: [0x0605_4b50] as [UInt32])
    record.append(littleEndian: [0, 0, count, count])
    record.append(littleEndian: [UInt32(entries.count), position])
    record.append(littleEndian: [0] as [UInt16])
    return record
  }
}
