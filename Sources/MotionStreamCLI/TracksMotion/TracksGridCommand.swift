package import ArgumentParser
import Motion
import Tracks

/// `motionstream tracks grid`: points that stand still.
package struct TracksGridCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "grid",
    abstract: "Write a grid of points that stand still.",
    discussion: "Still points hold a scene in place; edit or merge them with moving ones.")

  @OptionGroup package var writing: TrackWritingOptions

  @Option(help: ArgumentHelp("Canvas in pixels.", valueName: "WxH"))
  package var size: String

  @Option(help: ArgumentHelp("Columns and rows.", valueName: "CxR"))
  package var grid = "10x6"

  @Option(help: ArgumentHelp("Frames per second.", valueName: "rate"))
  package var fps = "16"

  @Option(help: ArgumentHelp("Length (default: no end in JSON).", valueName: "n"))
  package var frames: Int?

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    _ = try TrackArgument.size(size, "--size")
    _ = try TrackArgument.grid(grid)
    _ = try TrackArgument.rate(fps)
    if let frames, !(1...TrackLimits.frames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(TrackLimits.frames), found \(frames).")
    }
    if frames == nil, writing.output.lowercased().hasSuffix(".npz") {
      throw ValidationError("--frames: needed for a .npz file, which has an end.")
    }
  }

  package func run() throws {
    let (width, height) = try TrackArgument.size(size, "--size")
    try writing.write(
      TrackArgument.grid(grid).stillDocument(
        width: width, height: height, fps: TrackArgument.rate(fps), frames: frames))
  }
}
