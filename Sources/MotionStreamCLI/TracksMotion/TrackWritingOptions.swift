package import ArgumentParser
import Foundation
import Motion
import Tracks

/// Where a canonical track file goes.
package struct TrackWritingOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Track file to write, .json or .npz; - prints JSON.", valueName: "file"))
  package var output: String

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing file.")
  package var overwrite = false

  package init() {}

  package mutating func validate() throws {
    let name = output.lowercased()
    guard output == "-" || name.hasSuffix(".json") || name.hasSuffix(".npz") else {
      throw ValidationError("--output: expected a name ending in .json or .npz, found \(output).")
    }
  }

  /// Refuses to replace a file, before any work is done for it.
  func refuseExisting() throws {
    if output != "-", !overwrite, FileManager.default.fileExists(atPath: output) {
      throw CommandError(.cannotCreate, "\(output): already exists; --overwrite replaces it")
    }
  }

  /// Checks and writes a document.
  func write(_ document: TrackDocument) throws {
    try document.validate(name: output)
    try TrackOutput.write(document, to: output, overwrite: overwrite)
  }
}

/// Writing of canonical track files.
enum TrackOutput {
  /// Whether a file of that name is NPZ; else it is JSON.
  static func isNPZ(_ path: String) -> Bool { path.lowercased().hasSuffix(".npz") }

  /// Writes a document; `-` prints JSON.
  static func write(_ document: TrackDocument, to path: String, overwrite: Bool) throws {
    let data =
      isNPZ(path) ? try TrackNPZ.encode(document, name: path) : document.encode()
    try write(to: path, overwrite: overwrite) { take in try take(data) }
  }

  /// Writes what `pieces` hands out to a file, or to standard output for `-`.
  static func write(
    to path: String, overwrite: Bool, _ pieces: (_ take: (Data) throws -> Void) throws -> Void
  ) throws {
    let file = path == "-" ? nil : try PartialFile(path, overwrite: overwrite)
    var buffer: [UInt8] = []
    func flush() throws {
      if let file { try file.write(buffer) } else { try StandardOutput.write(buffer) }
      buffer.removeAll(keepingCapacity: true)
    }
    try pieces { piece in
      buffer += piece
      if buffer.count >= 1 << 16 { try flush() }
    }
    try flush()
    try file?.commit()
  }
}

/// Texts of options that several of the commands share.
enum TrackArgument {
  /// Reads `832x480`.
  static func size(_ text: String, _ option: String) throws -> (width: Int, height: Int) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    let range = 1...TrackLimits.dimension
    guard sides.count == 2, let width = sides[0], let height = sides[1], range.contains(width),
      range.contains(height)
    else { throw ValidationError("\(option): expected WxH such as 832x480, found \(text).") }
    return (width, height)
  }

  /// Reads `50x50`.
  static func grid(_ text: String) throws -> PointGrid {
    guard let grid = PointGrid(text) else {
      throw ValidationError("--grid: expected columns x rows such as 50x50, found \(text).")
    }
    return grid
  }

  /// Reads `16` or `30000/1001`.
  static func rate(_ text: String) throws -> Tracks.FrameRate {
    guard let rate = Tracks.FrameRate(text) else {
      throw ValidationError("--fps: expected a rate such as 16 or 30000/1001, found \(text).")
    }
    return rate
  }

  /// A `source` field: the command and what it was told.
  static func source(_ command: String, _ fields: [(String, String)]) -> JSONValue {
    let all = [("tool", "motionstream tracks \(command)")] + fields
    let members = all.map { JSONMember(name: $0.0, value: JSONValue(.string($0.1))) }
    return JSONValue(.object(members))
  }
}
