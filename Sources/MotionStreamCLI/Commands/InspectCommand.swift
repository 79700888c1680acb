package import ArgumentParser
package struct InspectCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(commandName: "inspect")
  package init() {}
  package func run() throws {}
}
