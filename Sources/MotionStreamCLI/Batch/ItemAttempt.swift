import Foundation
import Media
import MotionStream

extension BatchRun {
  /// What the check before the model is loaded finds.
  enum Check {
    /// To be made.
    case pending(Pending)
    /// Done, or not to be made; `isNew` if the results do not say so yet.
    case settled(ResultRow, isNew: Bool)
  }

  /// Reads all inputs of an item and looks at what is there already.
  func check(_ item: BatchItem, model: ChosenModel) -> Check {
    var row = row(item, .failed)
    let before = previous[item.id]
    do {
      let silent = RunReporter(silent: reporter.console)
      let (plan, configuration) = try plan(item, model: model, reporter: silent)
      row.seed = plan.seed
      row.configuration = configuration
      switch ItemState(output: item.output, configuration: configuration) {
      case .done:
        row.status = .skipped
        row.frames = plan.frames ?? 0
        let known = before?.status == .ok || before?.status == .skipped
        return .settled(row, isNew: !known)
      case .taken(let name) where !command.batch.overwrite: throw Self.taken(name)
      case .open, .taken: break
      }
      if let before, before.isFinal, before.configuration == configuration,
        !command.batch.retryFailed
      {
        reporter.warn(
          "\(item.id): failed before (--retry-failed tries again): "
            + (before.message ?? ""))
        return .settled(before, isNew: false)
      }
      return .pending(
        Pending(
          item: item, prompt: plan.prompt, frames: plan.frames ?? 0,
          pixels: plan.pixels(frames: plan.frames ?? 0)))
    } catch {
      row.fail(error)
      reporter.error("\(item.place): item \"\(item.id)\": \(row.message ?? "")")
      let known = before?.status == .failed && before?.message == row.message
      return .settled(row, isNew: !known)
    }
  }

  /// An item's plan, and the hash that says whether a clip is it.
  func plan(
    _ item: BatchItem, model: ChosenModel, reporter: RunReporter
  ) throws -> (GenerationPlan, configuration: String) {
    var request = item.options.request
    if let path = item.options.input.fromMetadata {
      request = request.filled(from: try Sidecar.read(path).request)
    }
    let promptFile = item.options.input.promptFile
    request = request.filled(from: defaults)
    request.seed = request.seed ?? ItemSeed.derived(from: command.video.seed ?? 0, id: item.id)
    if item.clip != nil {
      throw CommandError(
        .unavailable, "clip: this program cannot take tracks out of a clip; give tracks")
    }
    if request.endless == true {
      throw CommandError(.badData, "endless: a clip of a batch needs an end; give frames")
    }
    let plan = try GenerationPlan(
      request, promptFile: promptFile, model: model, reporter: reporter)
    var decisive = plan.request
    decisive.format = try OutputPlan.format(of: plan.request, name: item.output).rawValue
    return (plan, try decisive.configurationHash())
  }

  /// A row about an item that is over now.
  func row(_ item: BatchItem, _ status: ResultRow.Status) -> ResultRow {
    ResultRow(
      id: item.id, status: status, code: 0, output: item.output,
      shard: "\(shard.index)/\(shard.count)")
  }

  static func taken(_ name: String) -> CommandError {
    CommandError(
      .cannotCreate,
      "\(name): already exists and is not of this configuration; --overwrite replaces it")
  }
}

extension GenerationPlan {
  /// Pixels of so many frames, to scale times by.
  func pixels(frames: Int) -> Double { Double(frames) * Double(width) * Double(height) }
}

extension BatchItem {
  /// Where the clip goes.
  var output: String { options.output.output }
}

extension ResultRow {
  /// Whether the same would happen again: a failure that is neither the machine's nor the disk's.
  var isFinal: Bool {
    let surroundings: [ExitStatus] = [.outOfMemory, .cannotCreate, .inputOutput]
    return status == .failed && !surroundings.contains { $0.rawValue == code }
  }

  /// Takes status, code and message from an error.
  mutating func fail(_ error: any Error) {
    status = .failed
    code = (ExitStatus(error) ?? .failure).rawValue
    message = "\(error)"
  }
}

/// One attempt at one item.
struct ItemAttempt {
  let batch: BatchRun
  let item: BatchItem
  let place: ProgressState.Whole
  let chosen: ChosenModel
  let model: Model

  /// Makes the clip; returns the row for the results, and why the batch has to stop, if it has to.
  func run(
    _ results: ResultsLog, stop: @escaping (GenerationPlan, ClipRun.Tally) -> ExitStatus?
  ) -> (ResultRow, stopped: ExitStatus?) {
    let start = ContinuousClock.now
    var row = batch.row(item, .interrupted)
    var stopped: ExitStatus?
    batch.reporter.info("clip \(place.number)/\(place.count): \(item.id)")
    do {
      results.begin(row)
      let (plan, configuration) = try batch.plan(
        item, model: chosen, reporter: batch.reporter)
      row.seed = plan.seed
      row.configuration = configuration
      results.begin(row)
      // Another process may have finished it since the check.
      let state = ItemState(output: item.output, configuration: configuration)
      if state == .done {
        row.status = .skipped
        row.frames = plan.frames ?? 0
      } else {
        let outcome = try make(plan, state: state, configuration: configuration) { tally in
          stop(plan, tally)
        }
        row.frames = outcome.tally.frames
        row.code = outcome.status.rawValue
        if outcome.status == .done {
          row.status = .ok
          batch.learn(plan, outcome.tally)
        } else {
          stopped = outcome.status
        }
      }
    } catch {
      row.fail(error)
      if let configuration = row.configuration,
        ItemState(output: item.output, configuration: configuration) == .done
      {
        (row.status, row.code, row.message) = (.skipped, 0, nil)  // another process was faster
      } else {
        batch.reporter.error("\(item.place): item \"\(item.id)\": \(row.message ?? "")")
      }
    }
    row.seconds = (start.secondsToNow * 1000).rounded() / 1000
    row.finished = Date.now.ISO8601Format()
    return (row, stopped)
  }

  private func make(
    _ plan: GenerationPlan, state: ItemState, configuration: String,
    stop: (ClipRun.Tally) -> ExitStatus?
  ) throws -> ClipRun.Outcome {
    var options = item.options
    options.threads = batch.command.threads
    options.report = batch.command.report
    options.output.sidecar = true
    switch state {
    case .taken(let name):
      guard batch.command.batch.overwrite else { throw BatchRun.taken(name) }
      options.output.overwrite = true
    case .open(let replaces): options.output.overwrite = replaces
    case .done: break
    }
    try BatchRun.makeFolder(of: item.output)
    let output = try OutputPlan(options.output, plan: plan, standardOutputIsTerminal: false)
    let sink = try output.settings.makeSink()
    let sidecar = Sidecar.path(for: item.output)
    do {
      try claim(plan, output: output, sidecar: sidecar)
    } catch {
      sink.abandon()
      throw error
    }
    options.output.overwrite = true  // the sidecar is ours from here on
    let run = ClipRun(
      plan: plan, output: output, options: options, reporter: batch.reporter, whole: place)
    let load = {
      try run.openStream(model, loadSeconds: 0) { model in
        try batch.prompts.embedding(of: plan.prompt) { try run.encodePrompt(model) }
      }
    }
    do {
      let outcome = try run.generate(into: sink, keepsCutClip: false, load: load, stop: stop)
      if outcome.status != .done { withdraw(sidecar) }
      return outcome
    } catch {
      withdraw(sidecar)
      throw error
    }
  }

  /// Writes a sidecar that says what is about to be made, so that a clip whose process was killed
  /// before the real sidecar is known as ours, and is replaced.
  private func claim(_ plan: GenerationPlan, output: OutputPlan, sidecar: String) throws {
    var request = plan.request
    request.format = output.settings.format.rawValue
    let record = Sidecar(
      program: MotionStreamCommand.version, status: .interrupted,
      created: Date.now.ISO8601Format(), request: request,
      output: Sidecar.Output(path: InputFile.absolute(item.output), frames: 0, seconds: 0),
      timings: Sidecar.Timings(load: 0, prompt: 0, firstChunk: 0, generate: 0))
    try SmallFile.write(Array(record.encoded().utf8), to: sidecar, overwrite: true)
  }

  /// Takes the claim back when there is no clip that it could speak of.
  private func withdraw(_ sidecar: String) {
    if access(item.output, F_OK) != 0, !item.output.contains("%") { unlink(sidecar) }
  }
}
