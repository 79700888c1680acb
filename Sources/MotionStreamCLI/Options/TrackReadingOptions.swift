package import ArgumentParser
import Foundation
import Tracks

/// What the user says about a track file that does not say it itself.
package struct TrackReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Canvas of an NPZ file without width and height.", valueName: "WxH"))
  package var trackSize: String?

  @Option(help: ArgumentHelp("Frame rate of an NPZ file without fps.", valueName: "rate"))
  package var trackFps: String?

  package init() {}

  package mutating func validate() throws {
    if let trackSize, Self.size(trackSize) == nil {
      throw ValidationError("--track-size: expected WxH such as 832x480, found \(trackSize).")
    }
    if let trackFps, Tracks.FrameRate(trackFps) == nil {
      throw ValidationError(
        "--track-fps: expected a rate such as 24 or 30000/1001, found \(trackFps).")
    }
  }

  /// Reads a track file; `-` is standard input.
  func read(_ path: String) throws -> (document: TrackDocument, warnings: [String]) {
    let bytes = try InputFile.read(path, role: "tracks", allowStandardInput: true)
    return try TrackDocument.parse(
      Data(bytes), name: path == "-" ? "standard input" : path,
      options: TrackFileOptions(
        size: trackSize.flatMap(Self.size), fps: trackFps.flatMap { Tracks.FrameRate($0) }))
  }

  private static func size(_ text: String) -> (width: Int, height: Int)? {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1], width > 0, height > 0
    else { return nil }
    return (width, height)
  }
}
