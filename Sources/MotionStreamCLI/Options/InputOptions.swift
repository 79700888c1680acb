package import ArgumentParser
package import Frames

/// What the clip is made from.
package struct InputOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Model directory (default: MOTIONSTREAM_MODEL, else the shipped model).", valueName: "dir"))
  package var model: String?

  @Option(name: [.short, .long], help: "What the clip shows.")
  package var prompt: String?

  @Option(
    help: ArgumentHelp(
      "Read the prompt from a file; - is standard input.", valueName: "file"))
  package var promptFile: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Picture that the clip starts from.", valueName: "file"))
  package var image: String?

  @Option(
    help: ArgumentHelp(
      "How picture and tracks meet another shape of output (default: crop).", valueName: "fit"))
  package var imageFit: ImageFit?

  @Option(
    name: [.customShort("k"), .long],
    help: ArgumentHelp(
      "Track file that says where points move; - is standard input.", valueName: "file"))
  package var tracks: String?

  @Option(
    help: ArgumentHelp(
      "Take every option not given here from a clip's sidecar (clip.mp4.json).", valueName: "file"))
  package var fromMetadata: String?

  package init() {}

  package mutating func validate() throws {
    if prompt != nil, promptFile != nil {
      throw ValidationError("Give either --prompt or --prompt-file, not both.")
    }
    if promptFile == "-", tracks == "-" {
      throw ValidationError(
        "--prompt-file and --tracks cannot both be standard input; name a file for one of them.")
    }
  }
}
