package import ArgumentParser
import Foundation
import MotionStream

/// `motionstream inspect`: what is in a model directory.
package struct InspectCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Say what is in a model directory, and what is wrong with it.",
    discussion: "Exits with 78 if tensors are missing, unexpected or of the wrong shape.")

  @Argument(help: "Model directory (default: MOTIONSTREAM_MODEL, else the shipped model).")
  package var model: String?

  @Flag(help: "Print JSON.")
  package var json = false

  @Flag(help: "List every tensor.")
  package var tensors = false

  package init() {}

  package func run() throws {
    let directory = try ModelDirectory(path: model ?? ModelLocator().locate())
    let report = try ModelReport(directory)
    try StandardOutput.print(json ? report.json() : report.text(tensors: tensors))
    if !report.summary.isComplete {
      throw CommandError(.badModel, "\(directory.path): the weights do not fit the configuration")
    }
  }
}
