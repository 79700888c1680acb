import Foundation

/// What the user says about a file that does not say it itself.
public struct TrackFileOptions: Sendable {
  /// Canvas of the coordinates in pixels, for an NPZ file without `width` and `height`.
  public var size: (width: Int, height: Int)?
  /// Frame rate, for an NPZ file without `fps`.
  public var fps: FrameRate?

  /// Makes options; nil means "not said".
  public init(size: (width: Int, height: Int)? = nil, fps: FrameRate? = nil) {
    self.size = size
    self.fps = fps
  }
}

/// The NPZ encoding of a document, for dense tracks.
///
/// Arrays: `tracks` [T, N, 2] in canvas pixels with corner origin, `visibility` [T, N] flags
/// (absent: all visible), `specified` [T, N] flags (absent: all; 0 is what null is in JSON),
/// `ids` [N] (absent: 0 to N − 1), and the numbers `width`, `height`, `fps`, `version`. Names,
/// easing and what happens past the end have no place in it.
public enum TrackNPZ {
  static func decode(
    _ data: Data, name: String, options: TrackFileOptions
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    let zip = try ZipArchive(data, file: name)
    func array(_ key: String) throws(TrackError) -> NpyArray? {
      guard let member = try zip.contents(of: "\(key).npy") else { return nil }
      return try NpyArray(member, file: name, place: key)
    }
    func scalar(_ key: String) throws(TrackError) -> Double? {
      guard let array = try array(key) else { return nil }
      guard array.values.count == 1 else {
        throw TrackError(
          file: name, place: key, reason: "expected one number, found shape \(array.shape)")
      }
      return array.values[0]
    }
    if let version = try scalar("version"), version != Double(TrackDocument.version) {
      throw TrackError(
        file: name, place: "version",
        reason:
          "this program reads version \(TrackDocument.version), the file has \(plain(version))")
    }
    guard let tracks = try array("tracks") else {
      throw TrackError(
        file: name, place: "tracks",
        reason: "is missing; the file holds \(zip.names.joined(separator: ", "))")
    }
    let width = try scalar("width") ?? options.size.map { Double($0.width) }
    let height = try scalar("height") ?? options.size.map { Double($0.height) }
    guard let width, let height else {
      throw TrackError(
        file: name, place: "width, height",
        reason: "are missing; say the size of the tracks' canvas with --track-size WxH")
    }
    let fps = try scalar("fps").map { FrameRate.number($0) } ?? options.fps
    guard let fps else {
      throw TrackError(
        file: name, place: "fps",
        reason: "is missing; say the tracks' frame rate with --track-fps R")
    }
    func dimension(_ value: Double, _ key: String) throws(TrackError) -> Int {
      guard value == value.rounded(), (1...Double(TrackLimits.dimension)).contains(value) else {
        throw TrackError(
          file: name, place: key,
          reason:
            "expected a whole number from 1 to \(TrackLimits.dimension), found \(plain(value))")
      }
      return Int(value)
    }
    var dense = try DenseTracks(
      tracks: tracks, visibility: try array("visibility"), specified: try array("specified"),
      file: name)
    if let ids = try array("ids") { try dense.setIDs(ids, file: name) }
    let document = TrackDocument(
      width: try dimension(width, "width"), height: try dimension(height, "height"), fps: fps,
      frameCount: dense.frames, tracks: dense.makeTracks())
    try document.validate(name: name)
    let known: Set = [
      "tracks", "visibility", "specified", "ids", "width", "height", "fps", "version",
    ]
    let warnings = zip.names.filter { !known.contains(String($0.dropLast(4))) }.map {
      "unknown array \"\($0)\" is ignored"
    }
    return (document, warnings)
  }
}
