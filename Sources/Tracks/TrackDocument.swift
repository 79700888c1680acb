/// A set of point trajectories on a canvas: the canonical track document, version 1.
///
/// x runs right, y runs down, frames count from 0. Read one with ``parse(_:name:options:)``, write
/// one with ``encode()``, evaluate one with ``TrackSampler``. ``TrackSchema`` is its JSON Schema.
public struct TrackDocument: Sendable, Equatable {
  /// The `format` field of a document.
  public static let format = "motionstream-tracks"
  /// The one version of the document that this library reads and writes.
  public static let version = 1

  /// Width of the canvas in pixels.
  public var width: Int
  /// Height of the canvas in pixels.
  public var height: Int
  /// What the coordinates count.
  public var coordinates: CoordinateUnit
  /// Where pixel coordinates start.
  public var pixelOrigin: PixelOrigin
  /// Time base of frames and points.
  public var fps: FrameRate
  /// Frames of the clip the tracks were made for; nil when open-ended.
  public var frameCount: Int?
  /// The tracks, ids unique.
  public var tracks: [Track]
  /// Camera, kept as it is; nothing here expands it into tracks.
  public var camera: JSONValue?
  /// Where the tracks come from: tool, version, original file, filters.
  public var source: JSONValue?
  /// Fields whose name starts with `x-`, kept as they are.
  public var extensions: [JSONMember]

  /// Makes a document. ``validate(name:)`` checks it.
  public init(
    width: Int, height: Int, coordinates: CoordinateUnit = .pixel,
    pixelOrigin: PixelOrigin = .corner, fps: FrameRate, frameCount: Int? = nil,
    tracks: [Track], camera: JSONValue? = nil, source: JSONValue? = nil,
    extensions: [JSONMember] = []
  ) {
    self.width = width
    self.height = height
    self.coordinates = coordinates
    self.pixelOrigin = pixelOrigin
    self.fps = fps
    self.frameCount = frameCount
    self.tracks = tracks
    self.camera = camera
    self.source = source
    self.extensions = extensions
  }
}

/// What the coordinates of a document count.
public enum CoordinateUnit: String, Sendable, CaseIterable {
  /// Pixels of the canvas.
  case pixel
  /// 0 to 1 over the width and over the height.
  case normalized
}

/// Which point of the first pixel has the coordinate (0, 0). Half a pixel separates the two.
public enum PixelOrigin: String, Sendable, CaseIterable {
  /// Its top-left corner, so that its middle is (0.5, 0.5), as in TAP-Vid.
  case corner
  /// Its middle, as in CoTracker.
  case center
}

/// Frames per second: a number, or an exact ratio such as 30000/1001.
public enum FrameRate: Sendable, Equatable, CustomStringConvertible {
  /// A plain number.
  case number(Double)
  /// Numerator and denominator.
  case ratio(Int, Int)

  /// Reads `25`, `23.976` or `30000/1001`; nil if it is neither or outside ``TrackLimits/fps``.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let top = Int(parts[0]), let bottom = Int(parts[1]), bottom > 0 {
      self = .ratio(top, bottom)
    } else if let value = Double(text) {
      self = .number(value)
    } else {
      return nil
    }
    guard TrackLimits.fps.contains(value) else { return nil }
  }

  /// Frames per second.
  public var value: Double {
    switch self {
    case .number(let value): return value
    case .ratio(let top, let bottom): return Double(top) / Double(bottom)
    }
  }

  /// `16` or `30000/1001`.
  public var description: String {
    switch self {
    case .number(let value): return plain(value)
    case .ratio(let top, let bottom): return "\(top)/\(bottom)"
    }
  }
}
