package import ArgumentParser

/// `motionstream tracks`: all about track files.
package struct TracksCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "tracks",
    abstract: "Check, describe and convert track files.",
    subcommands: [
      TracksSchemaCommand.self, TracksValidateCommand.self, TracksInfoCommand.self,
      TracksConvertCommand.self,
    ])

  package init() {}
}
