public import Foundation

extension TrackDocument {
  /// Reads a track document, JSON or NPZ (told apart by their first bytes).
  ///
  /// - Parameters:
  ///   - data: the whole file.
  ///   - name: the file as the user named it, for messages.
  ///   - options: canvas and frame rate for an NPZ file that lacks them.
  /// - Returns: the document, and warnings that each name their place.
  /// - Throws: ``TrackError`` that names file, line, track (index and id), field and frame.
  public static func parse(
    _ data: Data, name: String, options: TrackFileOptions = TrackFileOptions()
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    try checkSize(of: data, name: name)
    if data.starts(with: ZipArchive.magic) {
      return try TrackNPZ.decode(data, name: name, options: options)
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONReader.parse(data, allowNonFinite: true)
    } catch {
      let place = JSONReader.place(of: error.offset, in: data)
      throw TrackError(
        file: name, line: place.line, column: place.column, reason: "not JSON: \(error.reason)")
    }
    var reader = TrackDocumentReader(file: name, data: data)
    let document = try reader.document(root)
    return (document, reader.warnings)
  }
}

/// Refuses a file that is empty or larger than its kind may be.
func checkSize(of data: Data, name: String) throws(TrackError) {
  if data.isEmpty { throw TrackError(file: name, reason: "the file is empty") }
  let isArray = data.starts(with: ZipArchive.magic) || data.first == NpyArray.magic[0]
  let limit = isArray ? TrackLimits.bytes : TrackLimits.textBytes
  if data.count > limit {
    throw TrackError(file: name, reason: "expected at most \(limit) bytes, found \(data.count)")
  }
}
