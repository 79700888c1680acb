package import ArgumentParser
import Tracks

/// `motionstream tracks schema`: the JSON Schema of the track document.
package struct TracksSchemaCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of track files.")

  package init() {}

  package func run() throws {
    try StandardOutput.print(TrackSchema.json)
  }
}
