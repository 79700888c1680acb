package import ArgumentParser
import Foundation
package import Tracks

/// `motionstream tracks convert`: from other programs' track files to ours and back.
package struct TracksConvertCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert track files between formats.",
    discussion: """
      What a format does not declare (canvas, frame rate, first frame) is asked for, never guessed. \
      Formats with one position per frame cannot hold names, easing and what happens past the end.
      """)

  @Argument(help: "Track file; - is standard input.")
  package var file: String

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Result; - is standard output.", valueName: "file"))
  package var output: String

  @Option(
    help: ArgumentHelp(
      "Format of the result (default: json or npz by the name's ending).", valueName: "format"))
  package var to: TrackFormat?

  @Option(
    help: ArgumentHelp("Second file of the result, where the format has two.", valueName: "file"))
  package var visibilityOutput: String?

  @Option(
    help: ArgumentHelp(
      "Frames, for formats with one position per frame (default: the document's length).",
      valueName: "n"))
  package var frames: Int?

  @Flag(name: [.customShort("y"), .long], help: "Replace existing files.")
  package var overwrite = false

  @OptionGroup(title: "Reading") package var reading: TrackReadingOptions

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    guard let format else {
      throw ValidationError(
        "--output: cannot tell the format from \(output); end it in .json or .npz, or give --to.")
    }
    guard format.canWrite else {
      throw ValidationError("--to: \(format.rawValue) can be read but not written.")
    }
    guard (format == .wanMove) == (visibilityOutput != nil) else {
      throw ValidationError("--visibility-output: needed for --to wan-move, and for nothing else.")
    }
    if let frames, !(1...TrackLimits.frames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(TrackLimits.frames), found \(frames).")
    }
  }

  package func run() throws {
    guard let format else { return }
    let document = try reading.read(file, quiet: volume.quiet)
    let result = try format.write(document, frames: frames, name: file)
    try write(result.file, to: output)
    if let second = result.visibility, let path = visibilityOutput { try write(second, to: path) }
  }

  private var format: TrackFormat? {
    if let to { return to }
    if output == "-" || output.lowercased().hasSuffix(".json") { return .json }
    return output.lowercased().hasSuffix(".npz") ? .npz : nil
  }

  private func write(_ data: Data, to path: String) throws {
    if path == "-" {
      try StandardOutput.write(Array(data))
    } else {
      try SmallFile.write(Array(data), to: path, overwrite: overwrite)
    }
  }
}
