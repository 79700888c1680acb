package import ArgumentParser

/// What only `batch` has.
package struct BatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Kind of manifest: jsonl, csv or yaml (default: by the file's ending).", valueName: "format"))
  package var manifestFormat: ManifestFormat?

  @Option(
    help: ArgumentHelp(
      "Where relative outputs start (default: the manifest's folder).", valueName: "dir"))
  package var outputDir: String?

  @Option(
    help: ArgumentHelp(
      "File that results are added to (default: results.jsonl, or results-i-of-n.jsonl, beside the "
        + "outputs).", valueName: "file"))
  package var results: String?

  @Option(
    help: ArgumentHelp(
      "Make only items k with k mod n = i: i/n, or auto in a job array.", valueName: "i/n"))
  package var shard: String?

  @Option(
    help: ArgumentHelp("Number of shards, where the scheduler does not say.", valueName: "n"))
  package var shardCount: Int?

  @Flag(help: "Try items again that failed before, although nothing about them has changed.")
  package var retryFailed = false

  @Option(help: ArgumentHelp("Make at most so many clips, then exit with 75.", valueName: "n"))
  package var maxItems: Int?

  @Option(
    help: ArgumentHelp(
      "Stop in time before this (90s, 30m, 4h or H:MM:SS), exit with 75.", valueName: "time"))
  package var timeLimit: String?

  @Flag(help: "Stop at the first item that fails.")
  package var failFast = false

  @Flag(name: [.customShort("y"), .long], help: "Replace clips of another configuration.")
  package var overwrite = false

  @Flag(help: "Check the manifest and all inputs, say what would be made, and write nothing.")
  package var dryRun = false

  package init() {}

  package mutating func validate() throws {
    if let maxItems, maxItems < 1 {
      throw ValidationError("--max-items: expected 1 or more, found \(maxItems).")
    }
    if let shardCount {
      guard shardCount > 0 else {
        throw ValidationError("--shard-count: expected 1 or more, found \(shardCount).")
      }
      guard shard == "auto" else {
        throw ValidationError("--shard-count: only with --shard auto.")
      }
    }
    if let timeLimit, TimeLimit(timeLimit) == nil {
      throw ValidationError(
        "--time-limit: expected a time such as 90s, 30m, 4h or 1:30:00, found \(timeLimit).")
    }
  }
}

extension ManifestFormat: ExpressibleByArgument {}
