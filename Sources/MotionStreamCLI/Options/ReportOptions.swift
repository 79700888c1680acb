package import ArgumentParser

/// How progress is shown.
package enum ProgressMode: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// A bar on a terminal, else plain lines.
  case auto
  /// One line that is drawn again and again.
  case bar
  /// A line every few seconds.
  case plain
  /// A JSON object a line, for every chunk.
  case json
  /// Nothing.
  case none
}

/// What the program says while it works, all of it on standard error.
package struct ReportOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Progress on standard error.", valueName: "mode"))
  package var progress: ProgressMode?

  @Option(
    help: ArgumentHelp(
      "Write one JSON object a line here: ready, chunk, warning, end.", valueName: "file"))
  package var events: String?

  @OptionGroup package var volume: VolumeOptions

  package init() {}

  package mutating func validate() throws {
    if events == "-" {
      throw ValidationError(
        "--events: expected a file, found -; standard output is for frames. "
          + "Give a file, a pipe or /dev/fd/3.")
    }
  }

  /// Quiet means no progress either, unless it was asked for.
  package var mode: ProgressMode { progress ?? (volume.quiet ? .none : .auto) }
}

/// How much is said.
package struct VolumeOptions: ParsableArguments {
  @Flag(name: [.short, .long], help: "Say only errors.")
  package var quiet = false

  @Flag(name: [.short, .long], help: "Say more.")
  package var verbose = false

  package init() {}

  package mutating func validate() throws {
    if quiet, verbose { throw ValidationError("Give either --quiet or --verbose, not both.") }
  }
}

/// How much commands say that print a result and no more.
package struct QuietOption: ParsableArguments {
  @Flag(name: [.short, .long], help: "Say only errors: no progress, no warnings.")
  package var quiet = false

  package init() {}
}
