package import ArgumentParser
package struct TracksCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(commandName: "tracks")
  package init() {}
  package func run() throws {}
}
