package import ArgumentParser

/// `motionstream eval`: numbers about tracks and clips.
package struct EvaluationCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure how tracks and clips differ, and how a clip drifts.",
    subcommands: [EPECommand.self, PSNRCommand.self, SSIMCommand.self, DriftCommand.self])

  package init() {}
}

/// How a measurement is given out.
package struct EvaluationOutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object with every row.")
  package var json = false

  @Option(
    help: ArgumentHelp("Write a table with every row; - is standard output.", valueName: "file"))
  package var csv: String?

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing table.")
  package var overwrite = false

  package init() {}

  package mutating func validate() throws {
    if json, csv == "-" {
      throw ValidationError("--json and --csv - cannot both be on standard output.")
    }
  }

  func write(_ result: EvaluationResult) throws {
    if let csv, csv != "-" {
      try SmallFile.write(Array(result.csv().utf8), to: csv, overwrite: overwrite)
    }
    if csv == "-" {
      try StandardOutput.write(Array(result.csv().utf8))
    } else {
      try StandardOutput.print(json ? result.json() : result.text())
    }
  }
}

/// `motionstream eval epe`: distance between two track files.
package struct EPECommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "epe",
    abstract: "Mean distance of tracks from a reference, over its visible points.",
    discussion: """
      Tracks are matched by id, at the reference's frames and on its canvas; points that the other \
      file lacks are counted apart.
      """)

  @Argument(help: "Track file that is right.")
  package var reference: String

  @Argument(help: "Track file to measure.")
  package var estimate: String

  @Option(help: ArgumentHelp("Frames (default: all of the reference).", valueName: "n"))
  package var frames: Int?

  @OptionGroup(title: "Reading") package var reading: TrackReadingOptions
  @OptionGroup(title: "Result") package var output: EvaluationOutputOptions

  package init() {}

  package mutating func validate() throws {
    if let frames, !(1...10_000_000).contains(frames) {
      throw ValidationError("--frames: expected 1 to 10000000, found \(frames).")
    }
    if reference == "-", estimate == "-" {
      throw ValidationError("Only one of the two files can be standard input.")
    }
  }

  package func run() throws {
    let error = try EndPointError(
      reference: reading.read(reference), estimate: reading.read(estimate), frames: frames,
      names: (reference, estimate))
    try output.write(error.result)
  }
}
