package import ArgumentParser
import Foundation
package import Tracks

/// How a track file is read, and what it does not say itself.
package struct TrackReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Format of the file (default: json or npz, told apart by the contents).", valueName: "format")
  )
  package var from: TrackFormat?

  @Option(help: ArgumentHelp("Canvas in pixels, for files without one.", valueName: "WxH"))
  package var trackSize: String?

  @Option(help: ArgumentHelp("Frame rate, for files without one.", valueName: "rate"))
  package var trackFps: String?

  @Option(help: ArgumentHelp("Number of the first frame, where it is 0 or 1.", valueName: "n"))
  package var firstFrame: Int?

  @Option(help: ArgumentHelp("Seconds that a drawn path lasts.", valueName: "seconds"))
  package var pathDuration: Double?

  @Option(help: ArgumentHelp("Second file of a pair, with the visibility.", valueName: "file"))
  package var visibility: String?

  package init() {}

  package mutating func validate() throws {
    if let trackSize, Self.size(trackSize) == nil {
      throw ValidationError("--track-size: expected WxH such as 832x480, found \(trackSize).")
    }
    if let trackFps, Tracks.FrameRate(trackFps) == nil {
      throw ValidationError(
        "--track-fps: expected a rate such as 24 or 30000/1001, found \(trackFps).")
    }
    if let pathDuration, !(pathDuration > 0 && pathDuration <= 1e7) {
      throw ValidationError("--path-duration: expected seconds above 0, found \(pathDuration).")
    }
  }

  /// Reads a track file; `-` is standard input. Warnings go to standard error.
  func read(_ path: String, quiet: Bool = false) throws -> TrackDocument {
    let bytes = try InputFile.read(path, role: "tracks", allowStandardInput: true)
    let pair = try visibility.map {
      (data: Data(try InputFile.read($0, role: "--visibility")), name: $0)
    }
    let options = ImportOptions(
      size: trackSize.flatMap(Self.size), fps: trackFps.flatMap { Tracks.FrameRate($0) },
      firstFrame: firstFrame, duration: pathDuration, visibility: pair)
    // Both canonical forms are recognised by their first bytes.
    let (document, warnings) = try (from ?? .json).read(
      Data(bytes), name: path == "-" ? "standard input" : path, options: options)
    if !quiet { for warning in warnings { Console().line("warning: \(warning)") } }
    return document
  }

  private static func size(_ text: String) -> (width: Int, height: Int)? {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1],
      (1...TrackLimits.dimension).contains(width), (1...TrackLimits.dimension).contains(height)
    else { return nil }
    return (width, height)
  }
}
