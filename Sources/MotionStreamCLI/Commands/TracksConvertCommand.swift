package import ArgumentParser
import Foundation
import Tracks

/// `motionstream tracks convert`: canonical JSON to NPZ and back.
package struct TracksConvertCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert a track file between JSON and NPZ.",
    discussion: """
      NPZ holds one position per frame: names, easing and what happens past the end have no place \
      in it.
      """)

  @Argument(help: "Track file, JSON or NPZ; - is standard input.")
  package var file: String

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Result, ending in .json or .npz; - prints JSON.", valueName: "file"))
  package var output: String

  @Option(
    help: ArgumentHelp("Frames of an NPZ file (default: the document's length).", valueName: "n"))
  package var frames: Int?

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing file.")
  package var overwrite = false

  @OptionGroup package var reading: TrackReadingOptions

  package init() {}

  package mutating func validate() throws {
    let endings = [".json", ".npz"]
    guard output == "-" || endings.contains(where: output.lowercased().hasSuffix) else {
      throw ValidationError("--output: expected a name ending in .json or .npz, found \(output).")
    }
    if let frames, !(1...TrackLimits.frames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(TrackLimits.frames), found \(frames).")
    }
  }

  package func run() throws {
    let (document, warnings) = try reading.read(file)
    for warning in warnings { Console().line("warning: \(warning)") }
    if output == "-" {
      try StandardOutput.print(String(decoding: document.encode(), as: UTF8.self))
      return
    }
    let dense = output.lowercased().hasSuffix(".npz")
    let bytes =
      dense
      ? try TrackNPZ.encode(document, frames: frames, name: file) : document.encode()
    try SmallFile.write(Array(bytes), to: output, overwrite: overwrite)
  }
}
