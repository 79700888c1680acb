public import Foundation
public import Tracks

/// Depth along the camera's axis for every pixel of a picture.
public struct DepthMap: Sendable, Equatable {
  /// Width in pixels.
  public let width: Int
  /// Height in pixels.
  public let height: Int
  /// [height, width], rows top to bottom; 0 where unknown, infinite for the sky.
  public let values: [Double]

  /// What the numbers of a file mean.
  public enum Meaning: String, Sendable, CaseIterable {
    /// Distance along the axis: larger is farther.
    case depth
    /// One over it, as MiDaS gives: larger is nearer.
    case inverse
  }

  /// The largest map read, in pixels.
  public static let largestPixelCount = 64 << 20

  /// Takes values in row order; their count must be `width * height`.
  public init(width: Int, height: Int, values: [Double]) {
    precondition(values.count == width * height, "\(values.count) depths for \(width)x\(height)")
    (self.width, self.height, self.values) = (width, height, values)
  }

  /// Reads a `.npy`, `.npz` (array `depth`, or its only one), PFM, or 8 or 16-bit grey PNG file.
  ///
  /// - Parameters:
  ///   - scale: what a stored number is multiplied by, for instance 0.001 for millimetres.
  ///   - meaning: of the numbers, after scaling. Those of a relative map are taken as they are.
  /// - Throws: ``TrackError`` naming the place.
  public static func parse(
    _ data: Data, name: String, scale: Double = 1, meaning: Meaning = .depth
  ) throws(TrackError) -> DepthMap {
    let raw: DepthMap
    switch [UInt8](data.prefix(2)) {
    case [0x93, 0x4E]: raw = try fromArray(NpyArray(data, file: name, place: ""), name: name)
    case Array("PK".utf8): raw = try fromArchive(data, name: name)
    case Array("PF".utf8), Array("Pf".utf8): raw = try PortableFloatMap.parse(data, name: name)
    case [0x89, 0x50]: raw = try GreyPNG.parse(data, name: name)
    default:
      throw TrackError(
        file: name, reason: "expected a depth map: npy, npz, PFM or grey PNG, found none of them")
    }
    var known = false
    var values = raw.values
    for index in values.indices {
      let value = values[index] * scale
      guard value >= 0 || value.isNaN else {
        throw TrackError(
          file: name, place: "row \(index / raw.width), column \(index % raw.width)",
          reason: "expected a depth of 0 or more, found \(value)")
      }
      switch meaning {
      case .depth: values[index] = value.isNaN ? 0 : value
      case .inverse: values[index] = value.isNaN ? 0 : (value == 0 ? .infinity : 1 / value)
      }
      known = known || (values[index] > 0 && values[index].isFinite)
    }
    guard known else { throw TrackError(file: name, reason: "no pixel has a depth above 0") }
    return DepthMap(width: raw.width, height: raw.height, values: values)
  }

  /// The depth in the middle of the sorted known ones.
  public var median: Double {
    let known = values.filter { $0 > 0 && $0.isFinite }.sorted()
    return known.isEmpty ? 1 : known[known.count / 2]
  }

  /// The depth of the pixel at a place of a canvas that this map covers; 0 where unknown.
  ///
  /// The nearest pixel, as a mean across an edge is the depth of nothing.
  public func at(_ place: TrackPosition, canvas: (width: Int, height: Int)) -> Double {
    let column = Int(place.x / Double(canvas.width) * Double(width))
    let row = Int(place.y / Double(canvas.height) * Double(height))
    guard (0..<width).contains(column), (0..<height).contains(row) else { return 0 }
    return values[row * width + column]
  }

  static func checkSize(_ width: Int, _ height: Int, name: String) throws(TrackError) {
    guard width > 0, height > 0, width <= largestPixelCount / height else {
      throw TrackError(
        file: name,
        reason: "expected 1 to \(largestPixelCount) pixels of depth, found \(width)x\(height)")
    }
  }

  private static func fromArray(_ array: NpyArray, name: String) throws(TrackError) -> DepthMap {
    let shape = array.shape.filter { $0 != 1 }
    guard shape.count == 2 else {
      throw TrackError(file: name, reason: "expected shape [height, width], found \(array.shape)")
    }
    try checkSize(shape[1], shape[0], name: name)
    return DepthMap(width: shape[1], height: shape[0], values: array.values)
  }

  private static func fromArchive(_ data: Data, name: String) throws(TrackError) -> DepthMap {
    let zip = try ZipArchive(data, file: name)
    let member = zip.names.count == 1 ? zip.names[0] : "depth.npy"
    guard let bytes = try zip.contents(of: member) else {
      throw TrackError(
        file: name,
        reason: "expected an array \"depth\", found \(zip.names.joined(separator: ", "))")
    }
    return try fromArray(NpyArray(bytes, file: name, place: member), name: name)
  }
}

/// PFM: `PF` or `Pf`, size and byte order as text, then float32 rows from the bottom up.
enum PortableFloatMap {
  static func parse(_ data: Data, name: String) throws(TrackError) -> DepthMap {
    let bytes = [UInt8](data)
    var position = 0
    func word() -> String {
      let space = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
      while position < bytes.count, space(bytes[position]) { position += 1 }
      let start = position
      while position < bytes.count, position - start < 32, !space(bytes[position]) { position += 1 }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }
    guard word() == "Pf" else {
      throw TrackError(
        file: name, reason: "expected a PFM file of one channel (Pf), found colours (PF)")
    }
    let (widthText, heightText, scaleText) = (word(), word(), word())
    guard let width = Int(widthText), let height = Int(heightText) else {
      throw TrackError(
        file: name, place: "header",
        reason: "expected width and height, found \"\(widthText)\" and \"\(heightText)\"")
    }
    try DepthMap.checkSize(width, height, name: name)
    guard let scale = Double(scaleText), scale.isFinite, scale != 0 else {
      throw TrackError(
        file: name, place: "header",
        reason: "expected a scale whose sign gives the byte order, found \"\(scaleText)\"")
    }
    position += 1  // exactly one space before the numbers
    guard bytes.count - position == width * height * 4 else {
      throw TrackError(
        file: name,
        reason: "expected \(width * height * 4) bytes of numbers for \(width)x\(height), found "
          + "\(max(bytes.count - position, 0))")
    }
    var values: [Double] = []
    values.reserveCapacity(width * height)
    bytes.withUnsafeBytes { raw in
      for row in (0..<height).reversed() {
        for column in 0..<width {
          let offset = position + (row * width + column) * 4
          let bits = raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
          let ordered = scale < 0 ? UInt32(littleEndian: bits) : UInt32(bigEndian: bits)
          values.append(Double(Float(bitPattern: ordered)))
        }
      }
    }
    return DepthMap(width: width, height: height, values: values)
  }
}
