import Foundation
import Synchronization

/// Standard error, shared by messages and the progress bar so that neither tears the other.
///
/// Failures to write are ignored: a closed standard error must not end a long run.
final class Console: Sendable {
  private let bar = Mutex<String>("")
  /// Whether standard error is a terminal that understands carriage returns and erasing.
  let isTerminal: Bool
  /// Whether colours may be used there.
  let usesColor: Bool

  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
    usesColor = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
  }

  /// Prints a line above the bar.
  func line(_ text: String) {
    bar.withLock { bar in
      Self.write(bar.isEmpty ? text + "\n" : "\r\u{1B}[K" + text + "\n" + bar)
    }
  }

  /// Replaces the bar; an empty text removes it.
  func show(bar text: String) {
    bar.withLock { bar in
      guard isTerminal, !(text.isEmpty && bar.isEmpty) else { return }
      bar = text
      Self.write("\r\u{1B}[K" + text)
    }
  }

  /// Columns of the terminal, 80 when it does not say.
  var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private static func write(_ text: String) {
    _ = FileDescriptor.writeAll(Array(text.utf8), to: STDERR_FILENO)
  }
}

/// System calls on bare descriptors, retried when interrupted.
enum FileDescriptor {
  /// Writes all bytes; returns 0 or `errno`.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var start = 0
    while start < bytes.count {
      let written = bytes.withUnsafeBytes { buffer -> Int in
        guard let base = buffer.baseAddress else { return 0 }
        return write(descriptor, base + start, buffer.count - start)
      }
      if written < 0 {
        if errno == EINTR { continue }
        return errno
      }
      start += written
    }
    return 0
  }
}
