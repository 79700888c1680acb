import Foundation
import Synchronization

/// Turns SIGINT and SIGTERM into a wish to stop that the chunk loop reads.
///
/// The handler only passes the signal's number through a pipe to a thread of our own, which does the
/// rest. (Blocking the signals and waiting for them would need every thread to block them, and BLAS
/// starts its threads before `main`.) The first asks for a stop at the next chunk boundary; the second
/// ends the process at once. SIGPIPE is ignored: a closed reader is an error of `write`.
final class SignalWatch: Sendable {
  private let first = Atomic<Int32>(0)

  /// The pipe from the handler to the watching thread, the same for the whole process.
  private static let pipe: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    // Without a pipe there is no watching, and a signal ends the process as usual.
    guard Glibc.pipe(&ends) == 0 else { return (-1, -1) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }()

  /// Takes both signals from here on. `onFirst` and `onSecond` run on the watching thread; after
  /// `onSecond` the process exits.
  init(
    onFirst: @escaping @Sendable (_ name: String) -> Void,
    onSecond: @escaping @Sendable (_ name: String) -> Void
  ) {
    let source = Self.pipe.read
    guard source >= 0 else { return }
    Thread.detachNewThread { [self] in
      // The program may have been started with them blocked.
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGINT)
      sigaddset(&signals, SIGTERM)
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      var number: UInt8 = 0
      while true {
        guard read(source, &number, 1) == 1 else { continue }
        let name = number == UInt8(SIGINT) ? "SIGINT" : "SIGTERM"
        if first.compareExchange(expected: 0, desired: Int32(number), ordering: .relaxed).exchanged
        {
          onFirst(name)
        } else {
          onSecond(name)
          _exit(128 + Int32(number))
        }
      }
    }
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(SignalWatch.pipe.write, &byte, 1)
        errno = before
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
