package import ArgumentParser
package struct BenchCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(commandName: "bench")
  package init() {}
  package func run() throws {}
}
