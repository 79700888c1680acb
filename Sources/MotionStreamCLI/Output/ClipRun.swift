import Foundation
import Frames
import Media
import MotionStream

/// One run of `generate` whose inputs are all checked: loads the model, makes the chunks, hands
/// them to the encoding thread, and ends the output in the way that fits how the run ended.
struct ClipRun {
  let plan: GenerationPlan
  let output: OutputPlan
  let options: GenerateOptions
  let reporter: RunReporter
  /// The clip's place among others, for the progress; nil for a clip on its own.
  var whole: ProgressState.Whole?

  /// Chunks that wait for the encoder beside the one it writes.
  private static let queuedChunks = 1

  /// Makes the clip; returns how it ended. Throws what ended it badly, the output then abandoned.
  func generate() throws -> ExitStatus {
    let sink = try output.settings.makeSink()
    let signals = watchSignals()
    return try generate(into: sink, load: loadModel) { _ in signals.stop }.status
  }

  /// How an attempt ended, and what came out.
  struct Outcome {
    let status: ExitStatus
    let tally: Tally
  }

  /// As `generate()`, with the model from `load`. `stop` is asked before every chunk; what it says
  /// ends the clip there, as a playable shorter one if `keepsCutClip`, else with nothing left.
  func generate(
    into sink: any FrameSink, keepsCutClip: Bool = true, load: () throws -> Loaded,
    stop: (Tally) -> ExitStatus?
  ) throws -> Outcome {
    do {
      announceRawFlags()
      let loaded = try load()
      reporter.event(.ready(readyEvent))
      let (tally, stopped) = try makeChunks(loaded, sink: sink, stop: stop)
      if let stopped, tally.frames == 0 || !keepsCutClip {
        abandon(sink, keepsPart: false)
        if keepsCutClip { reporter.info("stopped before the first frame; nothing was written") }
        finishEvents(reason: "interrupted", frames: 0, status: stopped)
        return Outcome(status: stopped, tally: tally)
      }
      try sink.finish()
      return Outcome(
        status: try conclude(tally, loaded: loaded, stop: stopped), tally: tally)
    } catch let error as MediaError where error.kind == .closedPipe {
      sink.abandon()
      guard plan.frames == nil else { throw error }
      reporter.info("the reader closed the pipe; done")
      finishEvents(reason: "closed", frames: 0, status: .done)
      return Outcome(status: .done, tally: Tally())
    } catch {
      abandon(sink, keepsPart: keepsCutClip)
      throw error
    }
  }

  /// Ends the sink; an unfinished file stays only if it is of use to someone.
  private func abandon(_ sink: any FrameSink, keepsPart: Bool) {
    guard let partial = sink.abandon() else { return }
    if keepsPart {
      reporter.info("what was made is in \(partial)")
    } else if partial.hasSuffix(".part") {
      unlink(partial)
    }
  }

  /// The model, the prompt, and how long they took.
  struct Loaded {
    let pipeline: StreamingPipeline
    let model: Model
    let loadSeconds: Double
    let promptSeconds: Double
  }

  /// Loads the model and opens the stream.
  func loadModel() throws -> Loaded {
    let threads = options.threads.count
    let (model, seconds) = try timed {
      try Model.load(plan.directory, threads: threads, draws: plan.image == nil)
    }
    reporter.detail("loaded in \(ProgressState.decimal(seconds, 2)) s, \(threads) threads")
    return try openStream(model, loadSeconds: seconds, encode: encodePrompt)
  }

  /// Opens the stream of a loaded model, the prompt encoded by `encode`.
  func openStream(
    _ model: Model, loadSeconds: Double, encode: (Model) throws -> PromptEmbedding?
  ) throws -> Loaded {
    try checkMemory(model)
    let (prompt, promptSeconds) = try timed { try encode(model) }
    let pipeline = try StreamingPipeline(
      model: model,
      configuration: GenerationConfiguration(
        width: plan.width, height: plan.height, seed: plan.seed, steps: plan.request.steps),
      prompt: prompt, image: plan.image, tracks: plan.tracks)
    return Loaded(
      pipeline: pipeline, model: model, loadSeconds: loadSeconds, promptSeconds: promptSeconds)
  }

  func encodePrompt(_ model: Model) throws -> PromptEmbedding? {
    guard plan.directory.textEncoder != nil else { return nil }
    let prompt = try model.encodePrompt(plan.prompt)
    if prompt.truncatedTokens > 0 {
      reporter.warn(
        "the prompt has \(prompt.tokenCount + prompt.truncatedTokens) tokens, the model reads "
          + "\(prompt.tokenCount); the last \(prompt.truncatedTokens) are ignored")
    }
    reporter.detail("prompt: \(prompt.tokenCount) tokens")
    return prompt
  }

  // MARK: The loop

  /// What came out.
  struct Tally {
    var frames = 0
    var chunks = 0
    var firstChunkSeconds = 0.0
    var seconds = 0.0
  }

  private func makeChunks(
    _ loaded: Loaded, sink: any FrameSink, stop: (Tally) -> ExitStatus?
  ) throws -> (Tally, stopped: ExitStatus?) {
    reporter.info("seed \(plan.seed)")
    let progress = ProgressReporter(
      mode: options.report.mode, console: reporter.console, totalFrames: plan.frames,
      totalChunks: plan.chunks, whole: whole)
    defer { progress.end() }
    let writer = ChunkWriter(
      sink: sink, frames: plan.frames, rate: plan.frameRate, preview: options.output.preview,
      reporter: reporter, progress: progress)
    let thread = EncodingThread(capacity: Self.queuedChunks, write: writer.write)
    let pipeline = loaded.pipeline
    var tally = Tally()
    let start = ContinuousClock.now
    var stopped: ExitStatus?
    while tally.frames < plan.frames ?? .max {
      stopped = stop(tally)
      if stopped != nil { break }
      let chunk: ChunkOutput
      do {
        chunk = try pipeline.next()
      } catch {
        try? thread.finish()  // keep what is done; the engine's error is the one to report
        throw error
      }
      if tally.frames == 0 { tally.firstChunkSeconds = start.secondsToNow }
      tally.frames = min(tally.frames + chunk.frames.count, plan.frames ?? .max)
      tally.chunks += 1
      tally.seconds = start.secondsToNow
      try thread.submit(chunk)
    }
    try thread.finish()
    tally.seconds = start.secondsToNow
    return (tally, stopped)
  }

  private func watchSignals() -> SignalWatch {
    SignalWatch(
      onFirst: { [reporter] name in
        reporter.warn("\(name): finishing this chunk; once more to stop at once")
      },
      onSecond: { [reporter, output] signal in
        reporter.console.show(bar: "")
        let place = output.partialPath.map { "; what was made is in \($0)" } ?? ""
        reporter.error("\(signal) again: stopped at once\(place)")
      })
  }
}

extension ContinuousClock.Instant {
  /// Seconds since this instant.
  var secondsToNow: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - self).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}

/// A result and the seconds it took.
func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, Double) {
  let start = ContinuousClock.now
  let result = try body()
  return (result, start.secondsToNow)
}
