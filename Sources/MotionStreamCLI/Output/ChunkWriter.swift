import Frames
import Media
import MotionStream
import Synchronization

/// What the encoding thread does with a chunk: writes its frames up to the length asked for, hands
/// them to the operating system, and says so.
final class ChunkWriter: Sendable {
  private let sink: any FrameSink
  private let frames: Int?
  private let rate: Media.FrameRate
  private let preview: String?
  private let reporter: RunReporter
  private let progress: ProgressReporter
  private let previewFailed = Atomic<Bool>(false)

  init(
    sink: any FrameSink, frames: Int?, rate: Media.FrameRate, preview: String?,
    reporter: RunReporter, progress: ProgressReporter
  ) {
    self.sink = sink
    self.frames = frames
    self.rate = rate
    self.preview = preview
    self.reporter = reporter
    self.progress = progress
  }

  /// Writes one chunk. Called by one thread at a time, in order.
  func write(_ chunk: ChunkOutput) throws {
    let wanted = chunk.frames.prefix((frames ?? .max) - chunk.firstFrame)
    let (_, seconds) = try timed {
      for frame in wanted { try sink.write(frame) }
      try sink.flush()
    }
    if let last = wanted.last { updatePreview(last) }
    report(chunk, frames: wanted.count, encodeSeconds: seconds)
    progress.chunkWritten(frames: wanted.count)
  }

  /// A preview that cannot be written is a pity, not the end of a long run.
  private func updatePreview(_ frame: RGBFrame) {
    guard let preview else { return }
    do {
      try PNGWriter.write(frame, to: preview, overwrite: true)
    } catch {
      if !previewFailed.exchange(true, ordering: .relaxed) { reporter.warn("--preview: \(error)") }
    }
  }

  private func report(_ chunk: ChunkOutput, frames: Int, encodeSeconds: Double) {
    let ms = { (seconds: Double) in (seconds * 1e6).rounded() / 1000 }
    reporter.event(
      .chunk(
        Event.Chunk(
          index: chunk.index, firstFrame: chunk.firstFrame, frames: frames,
          pts: rate.seconds(ofFrame: chunk.firstFrame),
          ms: Event.Chunk.Milliseconds(
            drawing: chunk.timings.drawing > 0 ? ms(chunk.timings.drawing) : nil,
            conditions: ms(chunk.timings.conditions), denoise: chunk.timings.denoise.map(ms),
            commit: ms(chunk.timings.commit), decode: ms(chunk.timings.decode),
            encode: ms(encodeSeconds)),
          rssMib: ProcessMemory.resident.map { Double($0 >> 10) / 1024 })))
  }
}
