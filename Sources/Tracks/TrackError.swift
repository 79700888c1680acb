/// Why a track file was refused or could not be written: which file, where in it, and what was
/// expected and found.
public struct TrackError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong.
  public enum Kind: Sendable {
    /// The data is not what it should be.
    case badData
    /// A file that is written cannot be created.
    case cannotCreate
    /// Writing or reading back failed, as on a full disk.
    case inputOutput
  }

  /// The file as the user named it.
  public var file: String
  /// Line and column from 1, for text formats.
  public var line: Int?
  /// Column from 1, counted in characters.
  public var column: Int?
  /// The place in the document: `tracks[3] (id 7), points[12] (frame 22)`. Empty for the whole file.
  public var place: String
  /// What was expected and what was found.
  public var reason: String
  /// What went wrong.
  public var kind: Kind

  /// Makes an error.
  public init(
    file: String, line: Int? = nil, column: Int? = nil, place: String = "", reason: String,
    kind: Kind = .badData
  ) {
    self.kind = kind
    self.file = file
    self.line = line
    self.column = column
    self.place = place
    self.reason = reason
  }

  /// `file:line:column: place: reason`.
  public var description: String {
    var text = file
    if let line { text += ":\(line)" }
    if let column { text += ":\(column)" }
    return text + ": " + (place.isEmpty ? "" : place + ": ") + reason
  }
}

/// What a track file may hold. Beyond these a file is refused, so that a broken or hostile one
/// cannot take the machine's memory.
public enum TrackLimits {
  /// Bytes of an array file, and of each array in it.
  public static let bytes = 1 << 30
  /// Bytes of a text file; more points than fit in it belong in an NPZ.
  public static let textBytes = 1 << 28
  /// Nesting of JSON lists and objects.
  public static let depth = 64
  /// Width or height of the canvas, in pixels.
  public static let dimension = 65_536
  /// Tracks in one document.
  public static let tracks = 100_000
  /// Frame numbers, counts and points of one track.
  public static let frames = 10_000_000
  /// Points of all tracks together.
  public static let points = 100_000_000
  /// Size of a coordinate, in the document's unit.
  public static let coordinate = 1_000_000.0
  /// Largest track id.
  public static let id = Int(Int32.max)
  /// Frames per second, slowest and fastest.
  public static let fps = 0.001...1_000.0
  /// Characters of a name, group or colour.
  public static let text = 1_000
}
