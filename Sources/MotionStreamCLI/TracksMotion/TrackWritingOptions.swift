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
    if output == "-" {
      try StandardOutput.write(Array(document.encode()))
      return
    }
    let bytes =
      output.lowercased().hasSuffix(".npz")
      ? try TrackNPZ.encode(document, name: output) : document.encode()
    try SmallFile.write(Array(bytes), to: output, overwrite: overwrite)
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
