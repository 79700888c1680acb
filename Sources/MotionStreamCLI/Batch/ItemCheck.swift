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
    if let clip = item.clip {
      let driving = DrivingClip(path: clip, output: item.output)
      if command.batch.dryRun {
        try driving.check()
      } else {
        request.tracks = ClipRequest.Input(path: try driving.tracks())
      }
    }
    let promptFile = item.options.input.promptFile
    request = request.filled(from: defaults)
    request.seed = request.seed ?? ItemSeed.derived(from: command.video.seed ?? 0, id: item.id)
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
