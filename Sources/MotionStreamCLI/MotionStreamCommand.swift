package import ArgumentParser

/// The program.
@main
package struct MotionStreamCommand: ParsableCommand {
  /// The program's version.
  static let version = "0.1.0"

  package static let configuration = CommandConfiguration(
    commandName: "motionstream",
    abstract: "Makes videos that follow point tracks, frame by frame, on the CPU.",
    version: version,
    subcommands: [
      GenerateCommand.self, BatchCommand.self, EvaluationCommand.self, InspectCommand.self,
      BenchCommand.self, TracksCommand.self,
    ],
    defaultSubcommand: GenerateCommand.self)

  package init() {}

  /// Parses, runs, and ends the process with the code that `ExitStatus` gives.
  package static func main() {
    SignalWatch.ignoreBrokenPipes()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      if let status = ExitStatus(error) {
        Console().line("error: \(error)")
        exit(withError: ExitCode(status.rawValue))
      }
      exit(withError: error)  // ArgumentParser's own: usage, help, version, an ExitCode
    }
  }
}
