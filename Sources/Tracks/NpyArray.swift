package import Foundation

/// An array of a `.npy` file: shape and numbers, whatever their stored type was.
package struct NpyArray {
  /// First bytes of a `.npy` file.
  static let magic = Data([0x93]) + Data("NUMPY".utf8)

  /// Extents, slowest first; empty for a single number.
  package var shape: [Int]
  /// Values in row-major order.
  package var values: [Double]
  /// Whether the file stored flags.
  var isBoolean: Bool

  /// Makes an array; `values` must fill `shape`.
  package init(shape: [Int], values: [Double], isBoolean: Bool = false) {
    precondition(shape.reduce(1, *) == values.count, "\(shape) of \(values.count) values")
    self.shape = shape
    self.values = values
    self.isBoolean = isBoolean
  }

  /// Reads a `.npy` file of version 1 to 3 with little-endian numbers or flags, either order.
  ///
  /// Objects (pickles) are refused.
  package init(_ data: Data, file: String, place: String) throws(TrackError) {
    func fail(_ reason: String) -> TrackError {
      TrackError(file: file, place: place, reason: reason)
    }
    let bytes = [UInt8](data)
    guard bytes.count >= 10, bytes.starts(with: Self.magic) else {
      throw fail("not a npy array: its first bytes are wrong")
    }
    let long = bytes[6] >= 2
    guard (1...3).contains(bytes[6]), bytes.count >= 12 else {
      throw fail("npy version \(bytes[6]) is unknown; 1 to 3 are read")
    }
    let length =
      Int(bytes[8]) | Int(bytes[9]) << 8 | (long ? Int(bytes[10]) << 16 | Int(bytes[11]) << 24 : 0)
    let start = (long ? 12 : 10) + length
    guard start <= bytes.count else { throw fail("the npy header is cut short") }
    let header = String(decoding: bytes[(long ? 12 : 10)..<start], as: UTF8.self)
    guard let type = Self.field("descr", of: header),
      let order = Self.field("fortran_order", of: header),
      let extents = Self.field("shape", of: header)
    else { throw fail("the npy header lacks descr, fortran_order or shape") }
    var shape: [Int] = []
    var count = 1
    for part in extents.split(separator: ",") {
      guard let extent = Int(part.drop { $0 == " " }), extent >= 0,
        !count.multipliedReportingOverflow(by: max(extent, 1)).overflow
      else { throw fail("the npy shape (\(extents)) is broken") }
      shape.append(extent)
      count *= extent
    }
    let size: Int
    let read: (UnsafeRawBufferPointer, Int) -> Double
    switch type {
    case "<f4": (size, read) = (4, { Double($0.loadUnaligned(fromByteOffset: $1, as: Float.self)) })
    case "<f8": (size, read) = (8, { $0.loadUnaligned(fromByteOffset: $1, as: Double.self) })
    case "<f2":
      (size, read) = (2, { Self.half($0.loadUnaligned(fromByteOffset: $1, as: UInt16.self)) })
    case "|b1": (size, read) = (1, { $0[$1] == 0 ? 0 : 1 })
    case "|u1": (size, read) = (1, { Double($0[$1]) })
    case "|i1": (size, read) = (1, { Double($0.loadUnaligned(fromByteOffset: $1, as: Int8.self)) })
    case "<i2": (size, read) = (2, { Double($0.loadUnaligned(fromByteOffset: $1, as: Int16.self)) })
    case "<u2":
      (size, read) = (2, { Double($0.loadUnaligned(fromByteOffset: $1, as: UInt16.self)) })
    case "<i4": (size, read) = (4, { Double($0.loadUnaligned(fromByteOffset: $1, as: Int32.self)) })
    case "<u4":
      (size, read) = (4, { Double($0.loadUnaligned(fromByteOffset: $1, as: UInt32.self)) })
    case "<i8": (size, read) = (8, { Double($0.loadUnaligned(fromByteOffset: $1, as: Int64.self)) })
    case "<u8":
      (size, read) = (8, { Double($0.loadUnaligned(fromByteOffset: $1, as: UInt64.self)) })
    default:
      throw fail("numbers of type \"\(type)\" are not read; use float32, int or bool (no objects)")
    }
    guard count <= (bytes.count - start) / size, start + count * size == bytes.count else {
      throw fail(
        "expected \(count) numbers of \(size) bytes for shape (\(extents)), "
          + "found \(bytes.count - start) bytes")
    }
    self.shape = shape
    isBoolean = type == "|b1"
    values = bytes.withUnsafeBytes { raw in
      (0..<count).map { read(raw, start + $0 * size) }
    }
    if order == "True", shape.count > 1 { values = Self.rowMajor(values, shape) }
  }

  /// The array as a `.npy` file of float32, int64 or flags.
  package func encode(as type: Storage) -> Data {
    var data = Self.header(shape: shape, type)
    switch type {
    case .float32: data.append(littleEndian: values.map { Float($0).bitPattern })
    case .float64: data.append(littleEndian: values.map(\.bitPattern))
    case .int64: data.append(littleEndian: values.map { Int64($0) })
    case .bool: data.append(contentsOf: values.map { $0 == 0 ? 0 : 1 })
    }
    return data
  }

  /// What a `.npy` file says before its numbers.
  static func header(shape: [Int], _ type: Storage) -> Data {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': (\(extents)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Self.magic + Data([1, 0])
    data.append(littleEndian: [UInt16(header.utf8.count)])
    return data + Data(header.utf8)
  }

  /// Number types that are written.
  package enum Storage: String {
    case float32 = "<f4"
    case float64 = "<f8"
    case int64 = "<i8"
    case bool = "|b1"
  }

  /// The text of one entry of the header's Python dictionary, without quotes or brackets.
  private static func field(_ name: String, of header: String) -> String? {
    guard let key = header.range(of: "'\(name)':") else { return nil }
    let rest = header[key.upperBound...].drop { $0 == " " }
    switch rest.first {
    case "'":
      return rest.dropFirst().firstIndex(of: "'").map {
        String(rest[rest.index(after: rest.startIndex)..<$0])
      }
    case "(":
      return rest.firstIndex(of: ")").map { String(rest[rest.index(after: rest.startIndex)..<$0]) }
    default: return String(rest.prefix { $0.isLetter })
    }
  }

  /// Reorders values stored with the first axis fastest.
  private static func rowMajor(_ values: [Double], _ shape: [Int]) -> [Double] {
    var result = values
    var index = [Int](repeating: 0, count: shape.count)
    for value in values {
      var target = 0
      for axis in shape.indices { target = target * shape[axis] + index[axis] }
      result[target] = value
      for axis in shape.indices {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
    return result
  }

  /// IEEE half precision; Swift's own type is missing on some x86 targets.
  private static func half(_ bits: UInt16) -> Double {
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10) & 31
    let fraction = Double(bits & 0x3FF)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * (1 + fraction / 1024)
        * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}
