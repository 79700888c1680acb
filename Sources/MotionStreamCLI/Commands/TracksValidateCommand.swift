package import ArgumentParser
import Tracks

/// `motionstream tracks validate`: reads track files and says whether they are good.
package struct TracksValidateCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check track files; errors name track, field and frame.",
    discussion: "Exits with 65 at the first file that is wrong, 66 if it is missing.")

  @Argument(help: "Track files; - is standard input.")
  package var files: [String]

  @OptionGroup package var reading: TrackReadingOptions

  @OptionGroup package var volume: QuietOption

  package init() {}

  package func run() throws {
    for file in files {
      let document = try reading.read(file, quiet: volume.quiet)
      let count = document.tracks.count
      try StandardOutput.print("\(file): valid, \(count) track\(count == 1 ? "" : "s")")
    }
  }
}
