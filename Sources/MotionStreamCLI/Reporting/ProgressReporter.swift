import Foundation
import Synchronization

/// Shows progress on standard error in the mode asked for.
///
/// The bar is drawn again every second by a thread of its own, so that a long chunk is seen to be
/// alive; plain lines come at most every `plainInterval` seconds.
final class ProgressReporter: Sendable {
  private struct Guarded {
    var state: ProgressState
    var nextPlainLine = 0.0
    var ended = false
  }

  private static let plainInterval = 5.0
  private let mode: ProgressMode
  private let console: Console
  private let start = ContinuousClock.now
  private let guarded: Mutex<Guarded>

  init(
    mode: ProgressMode, console: Console, totalFrames: Int?, totalChunks: Int?,
    whole: ProgressState.Whole? = nil
  ) {
    self.mode = mode == .auto ? (console.isTerminal ? .bar : .plain) : mode
    self.console = console
    var state = ProgressState(totalFrames: totalFrames, totalChunks: totalChunks)
    state.whole = whole
    guarded = Mutex(Guarded(state: state))
    if self.mode == .bar {
      Thread.detachNewThread { [self] in tick() }
    }
  }

  /// Says that one more chunk, of `frames` frames, is written.
  func chunkWritten(frames: Int) {
    let now = elapsed
    let line: String? = guarded.withLock { guarded in
      guarded.state.frames += frames
      guarded.state.chunks += 1
      guarded.state.elapsed = now
      guarded.state.elapsedAtChunk = now
      switch mode {
      case .json: return guarded.state.json()
      case .plain where now >= guarded.nextPlainLine:
        guarded.nextPlainLine = now + Self.plainInterval
        return guarded.state.plain()
      default: return nil
      }
    }
    if let line { console.line(line) }
    if mode == .bar { draw() }
  }

  /// Removes the bar.
  func end() {
    guarded.withLock {
      $0.ended = true
      if mode == .bar { console.show(bar: "") }
    }
  }

  private var elapsed: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  private func draw() {
    guarded.withLock { guarded in
      guard !guarded.ended else { return }
      guarded.state.elapsed = elapsed
      console.show(bar: guarded.state.bar(columns: console.columns))
    }
  }

  private func tick() {
    while !guarded.withLock({ $0.ended }) {
      draw()
      Thread.sleep(forTimeInterval: 1)
    }
  }
}
