import CZlib
package import Foundation

/// The one door to zlib: raw inflate and CRC-32.
package enum Inflate {
  /// Unpacks a raw deflate stream that must give exactly `size` bytes; nil if it does not.
  package static func raw(_ data: Data, size: Int) -> Data? {
    var output = Data(count: size)
    var stream = z_stream()
    guard czlib_inflate_init_raw(&stream) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = data.isEmpty ? Data([0]) : data
    var spare: UInt8 = 0
    let complete = input.withUnsafeMutableBytes { source in
      output.withUnsafeMutableBytes { target in
        stream.next_in = source.bindMemory(to: UInt8.self).baseAddress
        stream.avail_in = UInt32(data.count)
        // zlib wants a place to write even for nothing.
        return withUnsafeMutablePointer(to: &spare) { spare in
          stream.next_out = size == 0 ? spare : target.bindMemory(to: UInt8.self).baseAddress
          stream.avail_out = UInt32(size)
          return inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0
        }
      }
    }
    return complete ? output : nil
  }

  /// CRC-32 as zip files use it, going on from that of the bytes before.
  package static func crc32(_ data: Data, after crc: UInt32 = 0) -> UInt32 {
    data.withUnsafeBytes { bytes in
      UInt32(
        CZlib.crc32(UInt(crc), bytes.bindMemory(to: UInt8.self).baseAddress, UInt32(bytes.count)))
    }
  }
}
