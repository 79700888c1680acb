import Foundation
import Media
import MotionStream

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
      if let configuration = row.configuration, isFinishedElsewhere(configuration) {
        (row.status, row.code, row.message) = (.skipped, 0, nil)  // another process was faster
      } else {
        batch.reporter.error("\(item.place): item \"\(item.id)\": \(row.message ?? "")")
      }
    }
    row.seconds = (start.secondsToNow * 1000).rounded() / 1000
    row.finished = Date.now.ISO8601Format()
    return (row, stopped)
  }

  /// Whether another process has made the clip; where it has only the sidecar left to write, waits
  /// for that.
  private func isFinishedElsewhere(_ configuration: String) -> Bool {
    for _ in 0..<20 {
      let state = ItemState(output: item.output, configuration: configuration)
      if state == .done { return true }
      guard state == .open(replaces: true), access(item.output, F_OK) == 0 else { return false }
      Thread.sleep(forTimeInterval: 0.25)
    }
    return false
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
