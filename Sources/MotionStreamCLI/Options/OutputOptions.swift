package import ArgumentParser
package import Media

/// In which form a clip is stored.
package struct EncodingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Kind of output (default: by the file's ending; y4m on standard output).",
      valueName: "format"))
  package var format: OutputFormat?

  @Option(
    help: ArgumentHelp("Encoder, by libavcodec's name (default: by the format).", valueName: "name")
  )
  package var codec: String?

  @Option(
    help: ArgumentHelp("Quality of the encoder, lower is better.", valueName: "q"))
  package var crf: Int?

  package init() {}
}

/// Where the clip goes and in which form.
package struct OutputOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Output file; - is standard output; a name ending in / or with %05d makes pictures.",
      valueName: "file"))
  package var output: String

  @OptionGroup package var encoding: EncodingOptions

  @Flag(name: [.customShort("y"), .long], help: "Replace existing files.")
  package var overwrite = false

  @Flag(
    inversion: .prefixedNo,
    help: "Write <output>.json with everything needed to make the clip again.")
  package var sidecar = true

  @Option(
    help: ArgumentHelp("Keep a PNG of the latest frame here, for looking in.", valueName: "file"))
  package var preview: String?

  package init() {}

  package mutating func validate() throws {
    if output.isEmpty { throw ValidationError("--output: expected a file name, found nothing.") }
  }
}
