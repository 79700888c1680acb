package import ArgumentParser
import Foundation
import Motion
import Tracks

/// `motionstream tracks lint`: what a model will hardly follow.
package struct TracksLintCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "lint",
    abstract: "Point out motion beyond what models are trained for.",
    discussion: """
      Prints one line per finding: steps and jumps that are too large, points off the canvas, too \
      few or too many tracks. Exits with 65 if there are any (after --fix: if any are left).
      """)

  @Argument(help: "Track file; - is standard input.")
  package var file: String

  @Option(
    help: ArgumentHelp(
      "Largest step per frame in percent of the width: 12 pixels at 160, as the shipped model's "
        + "training clips have.", valueName: "percent"))
  package var speed = 7.5

  @Option(
    help: ArgumentHelp(
      "Largest change of the step from one frame to the next, in percent of the width.",
      valueName: "percent"))
  package var jump = 7.5

  @Option(help: ArgumentHelp("Fewest tracks.", valueName: "n"))
  package var fewest = 1

  @Option(help: ArgumentHelp("Most tracks.", valueName: "n"))
  package var most = 2500

  @Option(help: ArgumentHelp("Frames to look at (default: the tracks' length).", valueName: "n"))
  package var frames: Int?

  @Option(
    help: ArgumentHelp(
      "Write tracks smoothed until steps and jumps are within the limits.", valueName: "file"))
  package var fix: String?

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing file.")
  package var overwrite = false

  @OptionGroup(title: "Reading") package var reading: TrackReadingOptions

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    for (name, value) in [("--speed", speed), ("--jump", jump)] where !(value > 0) {
      throw ValidationError("\(name): expected a percentage above 0, found \(value).")
    }
    if let frames, !(1...TrackLimits.frames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(TrackLimits.frames), found \(frames).")
    }
    if let fix, !fix.lowercased().hasSuffix(".json"), !fix.lowercased().hasSuffix(".npz") {
      throw ValidationError("--fix: expected a name ending in .json or .npz, found \(fix).")
    }
  }

  package func run() throws {
    var limits = LintLimits()
    (limits.speed, limits.jump) = (speed / 100, jump / 100)
    (limits.fewest, limits.most) = (fewest, most)
    var document = try reading.read(file, quiet: volume.quiet)
    if let fix {
      document = try document.smoothed(limits, frames: frames, name: file)
      try TrackOutput.write(document, to: fix, overwrite: overwrite)
    }
    let findings = document.lint(limits, frames: frames)
    for finding in findings { try StandardOutput.print("\(fix ?? file): \(finding)") }
    if !findings.isEmpty { throw ExitCode(ExitStatus.badData.rawValue) }
  }
}
