import Foundation
import Synchronization

/// Turns SIGINT and SIGTERM into a wish to stop that the chunk loop reads.
///
/// Both signals are blocked in every thread and fetched by one of our own with `sigwait`, so nothing
/// ever runs inside a signal handler. The first asks for a stop at the next chunk boundary; the
/// second ends the process at once. SIGPIPE is ignored: a closed reader is an error of `write`.
final class SignalWatch: Sendable {
  private let first = Atomic<Int32>(0)

  /// Call before any other thread exists, so that all of them inherit the blocked signals.
  /// `onFirst` and `onSecond` run on the watching thread; after `onSecond` the process exits.
  init(
    onFirst: @escaping @Sendable (_ name: String) -> Void,
    onSecond: @escaping @Sendable (_ name: String) -> Void
  ) {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let waited = signals
    Thread.detachNewThread { [self] in
      var waited = waited
      while true {
        var number: Int32 = 0
        guard sigwait(&waited, &number) == 0 else { continue }
        let name = number == SIGINT ? "SIGINT" : "SIGTERM"
        if first.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged {
          onFirst(name)
        } else {
          onSecond(name)
          _exit(128 + number)
        }
      }
    }
  }

  /// The exit status of the first signal, nil when none has come.
  var stop: ExitStatus? {
    switch first.load(ordering: .relaxed) {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    default: nil
    }
  }

  /// Makes a write to a closed pipe an error instead of the process's death.
  static func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
  }
}
