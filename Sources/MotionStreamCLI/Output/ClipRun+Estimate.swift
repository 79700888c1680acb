import Foundation
import Media
import MotionStream

extension ClipRun {
  /// `--dry-run`: loads the model, makes one chunk, and says what the whole would take.
  func estimate() throws -> ExitStatus {
    try tryOutput()
    let loaded = try loadModel()
    let (chunk, seconds) = try timed { try loaded.pipeline.next() }
    let memory = loaded.model.memoryEstimate(width: plan.width, height: plan.height)
    var lines = [
      "size: \(plan.width)x\(plan.height), \(plan.frameRate) fps",
      "memory: about \(memory.total >> 20) MiB (weights \(memory.weights >> 20), "
        + "running \(memory.run >> 20))",
      "loading: \(ProgressState.decimal(loaded.loadSeconds + loaded.promptSeconds, 1)) s",
      "first chunk: \(ProgressState.decimal(seconds, 2)) s for \(chunk.frames.count) frames "
        + "(measured; later chunks look back at more and take somewhat longer)",
    ]
    if let frames = plan.frames, let chunks = plan.chunks {
      let perFrame = seconds / Double(chunk.frames.count)
      lines.insert("length: \(frames) frames in \(chunks) chunks", at: 0)
      lines.append("whole clip: about \(ProgressState.clock(perFrame * Double(frames)))")
      lines.append("disk: \(diskEstimate(frames: frames))")
    } else {
      lines.insert("length: endless", at: 0)
    }
    for line in lines { reporter.console.line(line) }
    finishEvents(reason: "dry-run", frames: 0, status: .done)
    return .done
  }

  /// Opens the output and takes it away again, so that a missing codec or folder shows.
  private func tryOutput() throws {
    guard !output.isStandardOutput, !output.isDevice else { return }
    try output.settings.makeSink().abandon()
  }

  /// Rounded up.
  private func mebibytes(_ bytes: Int) -> Int { (bytes + (1 << 20) - 1) / (1 << 20) }

  private func diskEstimate(frames: Int) -> String {
    let pixels = plan.width * plan.height * frames
    switch output.settings.format {
    case .raw, .y4m: return "\(mebibytes(pixels * 3)) MiB"
    case .png: return "at most \(mebibytes(pixels * 3)) MiB"
    case .mp4, .mkv, .webm:
      // 0.2 bits a pixel is what x264 takes at its default quality for clips of moderate motion.
      return "about \(mebibytes(pixels / 40)) MiB, depending on the content"
    }
  }
}
