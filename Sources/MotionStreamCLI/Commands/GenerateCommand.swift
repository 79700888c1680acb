package import ArgumentParser
import Foundation

/// `motionstream generate`: one clip.
package struct GenerateCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make a clip from a prompt, tracks and a first picture.",
    discussion: """
      Frames are written as they are made; the first signal (Ctrl-C) ends the clip at the next \
      chunk, playable. Everything but frames goes to standard error.
      """)

  @OptionGroup package var options: GenerateOptions

  package init() {}

  package func run() throws {
    let reporter = try RunReporter(options: options.report)
    do {
      let remembered = try options.input.fromMetadata.map(Sidecar.read)
      let request = options.request.filled(from: remembered?.request ?? ClipRequest())
      let plan = try GenerationPlan(
        request, promptFile: options.input.promptFile, locator: ModelLocator(), reporter: reporter)
      let output = try OutputPlan(
        options.output, plan: plan, standardOutputIsTerminal: isatty(STDOUT_FILENO) == 1)
      let run = ClipRun(plan: plan, output: output, options: options, reporter: reporter)
      let status = try options.dryRun ? run.estimate() : run.generate()
      if status != .done { throw ExitCode(status.rawValue) }
    } catch {
      if let status = ExitStatus(error) {
        reporter.event(.end(.failure(error, status: status, output: options.output.output)))
      }
      throw error
    }
  }
}
