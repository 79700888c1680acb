import Glibc

/// What went wrong while reading or writing pictures and clips, and where.
public struct MediaError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Whose fault it is, as the exit codes of `sysexits.h` divide it.
  public enum Kind: Sendable, CaseIterable {
    /// The settings contradict each other or the format (64).
    case invalidSettings
    /// The input is there, but is not what it should be (65).
    case badData
    /// The input does not exist or may not be read (66).
    case inputMissing
    /// The installed libraries lack a codec or container (69).
    case unavailable
    /// The output cannot be made: it exists, or its folder is missing or read-only (73).
    case cannotCreate
    /// The operating system refused bytes, for instance on a full disk (74).
    case inputOutput
    /// The reader of the pipe went away (74, or 0 where the reader decides the end).
    case closedPipe
  }

  /// The class of the failure.
  public let kind: Kind
  /// What was expected, what was found, and where.
  public let message: String

  /// Makes an error.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }
}

extension MediaError {
  /// The text of an `errno`, as `strerror` has it.
  static func systemText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    strerror_r(code, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
