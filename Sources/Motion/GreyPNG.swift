import Foundation
import Tracks

/// PNG files of grey samples, 8 or 16 bits, without interlacing: numbers, not light.
///
/// A reader of its own because picture readers bring 16 bits down to 8 and apply gamma.
enum GreyPNG {
  static func parse(_ data: Data, name: String) throws(TrackError) -> DepthMap {
    let bytes = [UInt8](data)
    func fail(_ place: String, _ reason: String) -> TrackError {
      TrackError(file: name, place: place, reason: reason)
    }
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
      throw fail("", "not a PNG file: its first bytes are wrong")
    }
    func number(_ offset: Int) -> Int {
      bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    var header: (width: Int, height: Int, bytesPerSample: Int)?
    var packed = Data()
    var position = 8
    var ended = false
    while !ended {
      guard position + 12 <= bytes.count, number(position) <= bytes.count - position - 12 else {
        throw fail("byte \(position)", "the PNG file is cut short")
      }
      let size = number(position)
      let kind = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
      let start = position + 8
      if Int(Inflate.crc32(Data(bytes[position + 4..<start + size]))) != number(start + size) {
        throw fail("chunk \(kind) at byte \(position)", "its checksum is wrong")
      }
      switch kind {
      case "IHDR":
        guard size == 13 else { throw fail("chunk IHDR", "expected 13 bytes, found \(size)") }
        let (depth, color, interlace) = (bytes[start + 8], bytes[start + 9], bytes[start + 12])
        guard color == 0, depth == 8 || depth == 16, interlace == 0 else {
          throw fail(
            "chunk IHDR",
            "expected 8 or 16-bit grey without interlacing, found \(depth)-bit, colour type "
              + "\(color), interlace \(interlace)")
        }
        header = (number(start), number(start + 4), Int(depth) / 8)
      case "IDAT": packed += Data(bytes[start..<start + size])
      case "IEND": ended = true
      default: break
      }
      position = start + size + 4
    }
    guard let (width, height, sample) = header else { throw fail("", "chunk IHDR is missing") }
    try DepthMap.checkSize(width, height, name: name)
    let stride = width * sample + 1
    // A zlib stream is two bytes, raw deflate, and a checksum of four.
    guard packed.count > 6,
      let rows = Inflate.raw(Data(packed.dropFirst(2).dropLast(4)), size: stride * height)
    else { throw fail("chunk IDAT", "the packed rows are damaged or not \(width)x\(height)") }
    return try unfilter([UInt8](rows), width, height, sample, name)
  }

  /// Undoes the five row filters of the PNG specification, section 9.
  private static func unfilter(
    _ packed: [UInt8], _ width: Int, _ height: Int, _ sample: Int, _ name: String
  ) throws(TrackError) -> DepthMap {
    let length = width * sample
    var above = [UInt8](repeating: 0, count: length)
    var row = above
    var values: [Double] = []
    values.reserveCapacity(width * height)
    for y in 0..<height {
      let start = y * (length + 1)
      let filter = packed[start]
      guard filter <= 4 else {
        throw TrackError(file: name, place: "row \(y)", reason: "unknown PNG filter \(filter)")
      }
      for x in 0..<length {
        let left = x >= sample ? Int(row[x - sample]) : 0
        let corner = x >= sample ? Int(above[x - sample]) : 0
        let up = Int(above[x])
        let guess =
          switch filter {
          case 1: left
          case 2: up
          case 3: (left + up) / 2
          case 4: paeth(left, up, corner)
          default: 0
          }
        row[x] = packed[start + 1 + x] &+ UInt8(truncatingIfNeeded: guess)
      }
      for x in 0..<width {
        values.append(
          sample == 1 ? Double(row[x]) : Double(Int(row[2 * x]) << 8 | Int(row[2 * x + 1])))
      }
      swap(&above, &row)
    }
    return DepthMap(width: width, height: height, values: values)
  }

  private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
    let estimate = left + up - corner
    let (a, b, c) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return a <= b && a <= c ? left : (b <= c ? up : corner)
  }
}
