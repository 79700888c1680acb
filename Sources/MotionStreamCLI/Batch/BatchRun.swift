import Foundation
import MotionStream

/// One run of `batch`: checks all items of its shard, then makes those that are not done, one
/// after the other, with one model. Whatever happens to one item is its own affair; whatever ends
/// the process leaves a state from which the same command goes on.
final class BatchRun {
  /// What is printed at the end.
  struct Summary: Encodable {
    /// Clips made now.
    var made = 0
    /// Clips that were there.
    var skipped = 0
    /// Items that cannot be made.
    var failed = 0
    /// Items not yet made.
    var left = 0
    /// The file of results.
    var results: String
  }

  /// An item that is to be made.
  struct Pending {
    let item: BatchItem
    let prompt: String
    let frames: Int
    let pixels: Double
  }

  /// Seconds that a signal waits for the chunk in hand, well inside the 30 that Kubernetes and
  /// Slurm grant.
  private static let grace = 10.0

  /// Seconds to wait for another process of the same share.
  private static let patience = 60

  let command: BatchCommand
  let defaults: ClipRequest
  let shard: Shard
  let reporter: RunReporter
  private(set) var summary: Summary
  private let items: [BatchItem]
  private let limit: TimeLimit?
  private let start = ContinuousClock.now
  /// Rows of earlier runs.
  var previous: [String: ResultRow]
  var prompts = PromptCache()
  /// Of the clip made last.
  private var secondsPerPixel: Double?

  init(
    _ command: BatchCommand, items: [BatchItem], defaults: ClipRequest, reporter: RunReporter
  ) throws {
    self.command = command
    self.defaults = defaults
    self.reporter = reporter
    shard =
      try command.batch.shard.map {
        try Shard(
          $0, count: command.batch.shardCount, environment: ProcessInfo.processInfo.environment)
      } ?? .all
    self.items = items.filter { [shard] in shard.contains($0.index) }
    limit = command.batch.timeLimit.flatMap { TimeLimit($0) }
    let results = command.resultsPath(shard)
    summary = Summary(results: results)
    previous = ResultsLog.latest(in: results)
  }

  /// Waits while another process works on the same share, as one does that was told to go and has
  /// not gone yet; false if it stays.
  private func wait(for results: ResultsLog, signals: SignalWatch) -> Bool {
    for second in 0..<Self.patience {
      if results.lock() { return true }
      if second == 0 {
        reporter.warn("\(results.path): another process works on these items; waiting for it")
      }
      if signals.stop != nil { return false }
      Thread.sleep(forTimeInterval: 1)
    }
    reporter.error("\(results.path): another process still works on these items")
    return false
  }

  /// Does all that can be done; returns the exit status.
  func run() throws -> ExitStatus {
    if command.batch.dryRun { return try dryRun() }
    try Self.makeFolder(of: summary.results)
    let results = try ResultsLog(path: summary.results)
    let signals = watchSignals(results)
    guard wait(for: results, signals: signals) else { return signals.stop ?? .stoppedEarly }
    previous = ResultsLog.latest(in: summary.results)
    let model = try ChosenModel(defaults.model, locator: ModelLocator(), reporter: reporter)
    var pending: [Pending] = []
    for item in items {
      if let stop = signals.stop { return stop }
      switch check(item, model: model) {
      case .pending(let item): pending.append(item)
      case .settled(let row, let isNew):
        if isNew { try results.append(row) }
        count(row)
        if row.status == .failed, command.batch.failFast {
          summary.left = items.count - summary.skipped - summary.failed
          return .failure
        }
      }
    }
    summary.left = pending.count
    reporter.info(
      "\(items.count) items: \(summary.skipped) done, \(summary.failed) failed, "
        + "\(pending.count) to make")
    let stopped = try make(pending, model: model, results: results, signals: signals)
    return stopped ?? (summary.failed > 0 ? .failure : .done)
  }

  /// Checks everything and writes nothing.
  private func dryRun() throws -> ExitStatus {
    let model = try ChosenModel(defaults.model, locator: ModelLocator(), reporter: reporter)
    var frames = 0
    for item in items {
      switch check(item, model: model) {
      case .pending(let item):
        summary.left += 1
        frames += item.frames
      case .settled(let row, _): count(row)
      }
    }
    reporter.info(
      "\(items.count) items: \(summary.skipped) done, \(summary.failed) failed, \(summary.left) to "
        + "make, \(frames) frames")
    return summary.failed > 0 ? .failure : .done
  }

  // MARK: The loop

  /// Makes the items; returns why it stopped before the last, nil if it did not.
  private func make(
    _ pending: [Pending], model: ChosenModel, results: ResultsLog, signals: SignalWatch
  ) throws -> ExitStatus? {
    guard !pending.isEmpty else { return nil }
    prompts = PromptCache(pending.map(\.prompt))
    let threads = command.threads.count
    let (loaded, seconds) = try timed { try Model.load(model.directory, threads: threads) }
    reporter.detail("loaded in \(ProgressState.decimal(seconds, 2)) s, \(threads) threads")
    for (number, item) in pending.enumerated() {
      if let stop = signals.stop { return stop }
      if let most = command.batch.maxItems, number >= most { return .stoppedEarly }
      guard fits(item) else {
        reporter.info("\(item.item.id): would not end before --time-limit; stopped early")
        return .stoppedEarly
      }
      let place = ProgressState.Whole(
        id: item.item.id, number: number + 1, count: pending.count,
        framesAfter: pending[(number + 1)...].reduce(0) { $0 + $1.frames })
      let attempt = ItemAttempt(
        batch: self, item: item.item, place: place, chosen: model, model: loaded)
      let (row, stopped) = attempt.run(results) { [self] plan, tally in
        signals.stop ?? (allows(plan, tally) ? nil : .stoppedEarly)
      }
      prompts.used(item.prompt)
      try results.append(row)
      reporter.event(.item(Event.Item(row, place)))
      if let stopped { return stopped }
      summary.left -= 1
      count(row)
      if row.status == .failed, command.batch.failFast { return .failure }
    }
    return nil
  }

  private func count(_ row: ResultRow) {
    switch row.status {
    case .ok: summary.made += 1
    case .skipped: summary.skipped += 1
    case .failed: summary.failed += 1
    case .interrupted: break
    }
  }

  // MARK: Time

  /// Whether an item that has not begun ends in time, by the speed of the one before.
  private func fits(_ item: Pending) -> Bool {
    guard let limit else { return true }
    return limit.allows((secondsPerPixel ?? 0) * item.pixels, elapsed: start.secondsToNow)
  }

  /// Whether the clip in hand ends in time, by its own chunks.
  private func allows(_ plan: GenerationPlan, _ tally: ClipRun.Tally) -> Bool {
    guard let limit, let chunks = plan.chunks else { return true }
    return limit.allows(
      chunks: tally.chunks, of: chunks, clipSeconds: tally.seconds, elapsed: start.secondsToNow)
  }

  /// Learns from a clip that is done.
  func learn(_ plan: GenerationPlan, _ tally: ClipRun.Tally) {
    secondsPerPixel = tally.seconds / plan.pixels(frames: max(tally.frames, 1))
  }

  private func watchSignals(_ results: ResultsLog) -> SignalWatch {
    SignalWatch(
      onFirst: { [reporter] name in
        reporter.warn("\(name): stopping; the clip in hand will be made again by the next run")
        let code: ExitStatus = name == "SIGINT" ? .interrupted : .terminated
        Thread.detachNewThread {
          Thread.sleep(forTimeInterval: Self.grace)
          results.interrupt(code: code.rawValue)
        }
      },
      onSecond: { [reporter] signal in
        reporter.console.show(bar: "")
        reporter.error("\(signal) again: stopped at once")
      })
  }

  /// Makes the folders above a file.
  static func makeFolder(of path: String) throws(CommandError) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw CommandError(.cannotCreate, "\(folder): cannot create the folder: \(systemMessage())")
    }
  }
}

/// Embeddings of prompts, each encoded once and kept until the last item with that prompt is done.
struct PromptCache {
  private var uses: [String: Int] = [:]
  private var kept: [String: PromptEmbedding?] = [:]

  /// Knows all prompts to come.
  init(_ prompts: [String] = []) {
    for prompt in prompts { uses[prompt, default: 0] += 1 }
  }

  /// The embedding, made by `encode` if it is not kept.
  mutating func embedding(
    of prompt: String, encode: () throws -> PromptEmbedding?
  ) rethrows -> PromptEmbedding? {
    if let found = kept[prompt] { return found }
    let made = try encode()
    if uses[prompt, default: 0] > 1 { kept[prompt] = .some(made) }
    return made
  }

  /// Says that an item with this prompt is over.
  mutating func used(_ prompt: String) {
    uses[prompt, default: 1] -= 1
    if uses[prompt, default: 0] <= 0 { kept[prompt] = nil }
  }
}
