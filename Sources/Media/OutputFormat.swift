/// The kinds of output that a clip can be written as.
public enum OutputFormat: String, CaseIterable, Sendable {
  /// Fragmented MP4: H.264 unless another codec is asked for.
  case mp4
  /// Matroska: H.264 unless another codec is asked for.
  case mkv
  /// WebM: VP9 unless another codec is asked for.
  case webm
  /// Uncompressed YUV 4:4:4 with a text header, the usual form for pipes.
  case y4m
  /// Bare rgb24 bytes.
  case raw
  /// One PNG file a frame.
  case png

  /// The format that a file name asks for by its ending; a name that ends in `/` means PNG files
  /// in that folder. `nil` when the ending says nothing.
  public init?(inferredFrom path: String) {
    if path.hasSuffix("/") {
      self = .png
      return
    }
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
    switch name[name.index(after: dot)...].lowercased() {
    case "mp4", "m4v": self = .mp4
    case "mkv": self = .mkv
    case "webm": self = .webm
    case "y4m": self = .y4m
    case "raw", "rgb": self = .raw
    case "png": self = .png
    default: return nil
    }
  }

  /// Whether the format goes through a video encoder and so takes a codec and a quality.
  public var isEncoded: Bool { self == .mp4 || self == .mkv || self == .webm }

  /// The name of the format's muxer.
  var muxerName: String { self == .mkv ? "matroska" : rawValue }
}
