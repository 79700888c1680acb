package import ArgumentParser
import Foundation

/// `motionstream batch`: many clips from one manifest.
package struct BatchCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "batch",
    abstract: "Make the clips of a manifest, over one or many machines, resumable at any point.",
    discussion: """
      The manifest has an item a line (JSONL, CSV) or a list (YAML). Fields: id and output, then \
      prompt, image, tracks, clip (a driving clip whose motion is taken, kept as a track file \
      beside the output), seed, frames and any other option of generate by its long name; \
      options given here are the defaults. Relative files start at the manifest's folder. An item \
      without a seed gets one from --seed (default 0) and its id, the same in every shard and order.

      All items are checked before the model is loaded. An item is done when its clip exists and \
      its sidecar is complete and of the same configuration; run the same command again to go on.

      Exit codes: 0 all done, 1 some items failed (see the results), 65 the manifest is wrong, \
      75 stopped early and resumable, 130 or 143 stopped by a signal and resumable.
      """)

  @Argument(help: "Manifest; - is standard input.")
  package var manifest: String

  @OptionGroup(title: "Batch") package var batch: BatchOptions
  @OptionGroup(title: "Input") package var input: InputOptions
  @OptionGroup(title: "Video") package var video: VideoOptions
  @OptionGroup(title: "Output") package var encoding: EncodingOptions
  @OptionGroup(title: "Run") package var threads: ThreadOptions
  @OptionGroup(title: "Messages") package var report: ReportOptions

  package init() {}

  package mutating func validate() throws {
    if video.endless { throw ValidationError("--endless: a clip of a batch needs an end.") }
    if input.tracks == "-" || input.image == "-" {
      throw ValidationError("--tracks, --image: standard input cannot serve many clips.")
    }
    if manifest == "-", input.promptFile == "-" {
      throw ValidationError("The manifest and --prompt-file cannot both be standard input.")
    }
    if manifest != "-", batch.manifestFormat == nil,
      ManifestFormat(inferredFrom: manifest) == nil
    {
      throw ValidationError(
        "\(manifest): expected a name in .jsonl, .csv or .yaml, or --manifest-format.")
    }
  }

  package func run() throws {
    let reporter = try RunReporter(options: report)
    let run = try BatchRun(self, items: readItems(), defaults: readDefaults(), reporter: reporter)
    let status = try run.run()
    try StandardOutput.print(JSONText.encoded(run.summary))
    if status != .done { throw ExitCode(status.rawValue) }
  }

  /// The folder of the manifest; empty for the current one.
  private var folder: String {
    guard manifest != "-", let slash = manifest.lastIndex(of: "/") else { return "" }
    return slash == manifest.startIndex ? "/" : String(manifest[..<slash])
  }

  /// Where relative outputs start.
  private var outputFolder: String { batch.outputDir ?? folder }

  /// Where results are added for a share of the items.
  func resultsPath(_ shard: Shard) -> String {
    if let results = batch.results { return results }
    let name =
      shard.count == 1 ? "results.jsonl" : "results-\(shard.index)-of-\(shard.count).jsonl"
    return outputFolder.isEmpty ? name : outputFolder + "/" + name
  }

  private func readItems() throws -> [BatchItem] {
    let text = try InputFile.readText(manifest, role: "manifest", allowStandardInput: true)
    let name = manifest == "-" ? "standard input" : manifest
    let format = batch.manifestFormat ?? ManifestFormat(inferredFrom: manifest) ?? .jsonl
    let (rows, problems) = format.rows(of: text, name: name)
    return try Manifest(
      rows: rows, problems: problems, name: name, folder: folder, outputFolder: outputFolder
    ).items
  }

  /// What items get that say nothing themselves.
  private func readDefaults() throws -> ClipRequest {
    var defaults = ClipRequest(input: input, video: video, encoding: encoding)
    if let file = input.promptFile {
      defaults.prompt = try GenerationPlan.readPrompt(file)
    }
    if let path = input.fromMetadata {
      defaults = defaults.filled(from: try Sidecar.read(path).request)
    }
    defaults.seed = nil  // the batch's seed is not an item's
    return defaults
  }
}
