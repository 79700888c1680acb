public import Foundation

extension TrackNPZ {
  /// Writes a document's frames 0 to `frames` − 1 at its own rate.
  ///
  /// - Parameter frames: nil takes the document's own length.
  /// - Throws: ``TrackError`` if the document has no end and `frames` is nil.
  public static func encode(
    _ document: TrackDocument, frames: Int? = nil, name: String
  ) throws -> Data {
    let dense = try DenseTracks(document, frames: frames, name: name)
    var file = Data()
    try write(document, ids: dense.ids, frames: dense.frames, rows: dense.rows) { file += $0 }
    return file
  }

  /// Hands out the file from front to end. Its size is below 4 GiB, the most of a plain zip file,
  /// because no array has more than `TrackLimits.points` cells of 10 bytes.
  ///
  /// - Parameters:
  ///   - document: canvas and frame rate; its own tracks are not looked at.
  ///   - rows: hands out one row of `ids.count` cells for each frame; called six times.
  static func write(
    _ document: TrackDocument, ids: [Int], frames: Int,
    rows: @escaping (_ take: ([TrackCell]) throws -> Void) throws -> Void,
    to output: (Data) throws -> Void
  ) throws {
    func whole(
      _ key: String, _ shape: [Int], _ values: [Double], _ type: NpyArray.Storage
    ) -> ZipMember {
      let data = NpyArray(shape: shape, values: values).encode(as: type)
      return ZipMember(name: "\(key).npy", size: data.count) { take in
        try take(data)
      }
    }
    func byRows(
      _ key: String, _ shape: [Int], _ type: NpyArray.Storage, bytesPerCell: Int,
      _ encode: @escaping (TrackCell, inout Data) -> Void
    ) -> ZipMember {
      let header = NpyArray.header(shape: shape, type)
      let size = header.count + frames * ids.count * bytesPerCell
      return ZipMember(name: "\(key).npy", size: size) { take in
        try take(header)
        try rows { row in
          var data = Data(capacity: row.count * bytesPerCell)
          for cell in row { encode(cell, &data) }
          try take(data)
        }
      }
    }
    let shape = [frames, ids.count]
    try ZipArchive.write(
      [
        byRows("tracks", shape + [2], .float32, bytesPerCell: 8) {
          $1.append(littleEndian: [$0.x.bitPattern, $0.y.bitPattern])
        },
        byRows("visibility", shape, .bool, bytesPerCell: 1) {
          $1.append($0.state == .visible ? 1 : 0)
        },
        byRows("specified", shape, .bool, bytesPerCell: 1) {
          $1.append($0.state == .unspecified ? 0 : 1)
        },
        whole("ids", [ids.count], ids.map { Double($0) }, .int64),
        whole("width", [], [Double(document.width)], .int64),
        whole("height", [], [Double(document.height)], .int64),
        whole("fps", [], [document.fps.value], .float64),
        whole("version", [], [Double(TrackDocument.version)], .int64),
      ], to: output)
  }
}
