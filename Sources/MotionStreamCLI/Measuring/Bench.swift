import Foundation
import Frames
import MotionStream
import Tracks

/// Runs a stream without encoding it and measures every chunk.
struct Bench {
  private let plan: GenerationPlan
  private let threads: Int
  /// Chunks until sink and window are full, so that all later ones do the same work.
  private let warmUpChunks: Int

  init(_ request: ClipRequest, threads: Int) throws {
    let reporter = RunReporter()
    plan = try GenerationPlan(
      request, promptFile: nil, locator: ModelLocator(), reporter: reporter)
    self.threads = threads
    let manifest = plan.directory.manifest
    let past = manifest.sinkFrames + manifest.windowFrames
    warmUpChunks = 1 + (past + manifest.chunk - 1) / manifest.chunk
  }

  /// Loads the model, fills the window, and times `chunks` chunks.
  func run(chunks: Int) throws -> BenchResult {
    let (model, loadSeconds) = try timed {
      try Model.load(plan.directory, threads: threads, draws: plan.image == nil)
    }
    let (prompt, promptSeconds) = try timed {
      plan.directory.textEncoder == nil ? nil : try model.encodePrompt(plan.prompt)
    }
    let start = ContinuousClock.now
    let pipeline = try StreamingPipeline(
      model: model,
      configuration: GenerationConfiguration(
        width: plan.width, height: plan.height, seed: plan.seed, steps: plan.request.steps),
      prompt: prompt, image: plan.image, tracks: plan.tracks ?? gridOfPins)
    _ = try pipeline.next()
    let firstChunk = start.secondsToNow
    for _ in 1..<warmUpChunks { _ = try pipeline.next() }
    var seconds: [Double] = []
    var timings: [StageTimings] = []
    for _ in 0..<chunks {
      let (chunk, wall) = try timed { try pipeline.next() }
      seconds.append(wall)
      timings.append(chunk.timings)
    }
    return BenchResult(
      model: plan.directory.manifest.name, width: plan.width, height: plan.height,
      threads: threads, framesPerChunk: plan.frames(inChunk: 1), loadSeconds: loadSeconds,
      promptSeconds: promptSeconds, firstFrameSeconds: promptSeconds + firstChunk,
      chunkSeconds: seconds, timings: timings, peakBytes: ProcessMemory.peak)
  }

  /// Sixteen points that stay where they are, so that a model with tracks does its track work.
  private var gridOfPins: TrackSampler? {
    let manifest = plan.directory.manifest
    guard manifest.tracks != nil else { return nil }
    let tracks = (0..<16).map { index in
      Track(
        id: index,
        motion: .pinned(
          TrackPosition(
            x: (Double(index % 4) + 0.5) / 4 * Double(plan.width),
            y: (Double(index / 4) + 0.5) / 4 * Double(plan.height))))
    }
    let document = TrackDocument(
      width: plan.width, height: plan.height, fps: .number(manifest.fps), tracks: tracks)
    return TrackSampler(
      document, fps: manifest.fps, fit: .stretch, output: (width: plan.width, height: plan.height))
  }
}
