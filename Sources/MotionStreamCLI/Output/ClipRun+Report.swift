import Foundation
import Media
import MotionStream

extension ClipRun {
  /// `--format raw` has no header: the flags that make ffmpeg read it.
  func announceRawFlags() {
    guard output.settings.format == .raw else { return }
    let flags = RawWriter.ffmpegInputFlags(
      width: plan.width, height: plan.height, frameRate: plan.frameRate)
    reporter.info("raw frames; for ffmpeg: \(flags)")
  }

  /// Refuses a size that cannot fit in this machine, and warns when it does not fit in what is free
  /// now.
  func checkMemory(_ model: Model) throws(CommandError) {
    let estimate = model.memoryEstimate(width: plan.width, height: plan.height)
    if let limit = ProcessMemory.limit, estimate.total > limit {
      throw CommandError(
        .outOfMemory,
        "size \(plan.width)x\(plan.height): needs about \(estimate.total >> 20) MiB, there are "
          + "\(limit >> 20) MiB")
    }
    let needed = estimate.run
    guard let available = ProcessMemory.available, needed > available else { return }
    reporter.warn(
      "this size needs about \(needed >> 20) MiB beside the weights; \(available >> 20) MiB are free"
    )
  }

  /// The first event.
  var readyEvent: Event.Ready {
    Event.Ready(
      version: MotionStreamCommand.version, model: plan.directory.manifest.name,
      width: plan.width, height: plan.height, fps: plan.frameRate.description,
      frames: plan.frames, firstChunk: plan.frames(inChunk: 0), chunk: plan.frames(inChunk: 1),
      seed: plan.seed, threads: options.threads.count)
  }

  /// The last event.
  func finishEvents(reason: String, frames: Int, status: ExitStatus) {
    reporter.event(
      .end(
        Event.End(
          reason: reason, frames: frames, output: output.name, exitCode: status.rawValue)))
  }

  /// Counts the frames of the finished output, writes the sidecar, and says what was made.
  func conclude(_ tally: Tally, loaded: Loaded, stop: ExitStatus?) throws -> ExitStatus {
    if let found = try output.countFrames(), found != tally.frames {
      throw CommandError(
        .internalCheck, "\(output.name): expected \(tally.frames) frames, found \(found)")
    }
    let cutShort = stop != nil && tally.frames < plan.frames ?? .max
    if let path = output.sidecar {
      let record = sidecar(tally, loaded: loaded, status: cutShort ? .interrupted : .complete)
      try SmallFile.write(
        Array(record.encoded().utf8), to: path, overwrite: options.output.overwrite)
    }
    let rate = ProgressState.decimal(Double(tally.frames) / max(tally.seconds, 1e-9), 1)
    reporter.info(
      "\(output.isStandardOutput ? "standard output" : output.name): \(tally.frames) frames, "
        + "\(ProgressState.decimal(plan.frameRate.seconds(ofFrame: tally.frames), 1)) s at "
        + "\(plan.frameRate) fps, made in \(ProgressState.decimal(tally.seconds, 1)) s (\(rate) fps)"
    )
    let status = cutShort ? stop ?? .done : .done
    finishEvents(
      reason: cutShort ? "interrupted" : "complete", frames: tally.frames, status: status)
    return status
  }

  private func sidecar(_ tally: Tally, loaded: Loaded, status: Sidecar.Status) -> Sidecar {
    var request = plan.request
    request.format = output.settings.format.rawValue
    return Sidecar(
      program: MotionStreamCommand.version, status: status,
      created: Date.now.ISO8601Format(), request: request,
      output: Sidecar.Output(
        path: InputFile.absolute(output.name), frames: tally.frames,
        seconds: plan.frameRate.seconds(ofFrame: tally.frames)),
      timings: Sidecar.Timings(
        load: milliseconds(loaded.loadSeconds), prompt: milliseconds(loaded.promptSeconds),
        firstChunk: milliseconds(tally.firstChunkSeconds),
        generate: milliseconds(tally.seconds)))
  }
}

/// Seconds without digits that mean nothing.
private func milliseconds(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }

extension Event.End {
  /// The end of a run that failed.
  static func failure(_ error: any Error, status: ExitStatus, output: String) -> Event.End {
    Event.End(
      reason: "error", message: "\(error)", frames: 0, output: output, exitCode: status.rawValue)
  }
}
