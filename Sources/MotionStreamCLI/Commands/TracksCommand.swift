package import ArgumentParser

/// `motionstream tracks`: all about track files.
package struct TracksCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "tracks",
    abstract: "Make, check, describe and convert track files.",
    subcommands: [
      TracksSchemaCommand.self, TracksValidateCommand.self, TracksInfoCommand.self,
      TracksConvertCommand.self, TracksExtractCommand.self, TracksCameraCommand.self,
      TracksPreviewCommand.self, TracksResampleCommand.self, TracksGridCommand.self,
      TracksLintCommand.self,
    ])

  package init() {}
}
