import Foundation
import Synchronization

/// One attempt at an item, a line of the results.
package struct ResultRow: Codable, Equatable, Sendable {
  /// How it went.
  package enum Status: String, Codable, Sendable {
    /// The clip and its sidecar are complete.
    case ok
    /// It was complete already.
    case skipped
    /// It cannot be made; `code` and `message` say why.
    case failed
    /// A signal or a limit stopped it; it will be made again from its start.
    case interrupted
  }

  /// The item.
  package var id: String
  /// How it went.
  package var status: Status
  /// The exit code that `generate` would have had.
  package var code: Int32
  /// Why it failed.
  package var message: String?
  /// The clip.
  package var output: String
  /// Frames in it.
  package var frames: Int
  /// Seconds that the attempt took.
  package var seconds: Double
  /// Seed of the noise.
  package var seed: UInt64?
  /// Hash of everything that decides the clip; nil when an input could not be read.
  package var configuration: String?
  /// Which share of the manifest, `0/4`.
  package var shard: String
  /// When it ended, ISO 8601, UTC.
  package var finished: String

  /// Collects the facts.
  package init(
    id: String, status: Status, code: Int32, message: String? = nil, output: String,
    frames: Int = 0,
    seconds: Double = 0, seed: UInt64? = nil, configuration: String? = nil, shard: String,
    finished: String = Date.now.ISO8601Format()
  ) {
    (self.id, self.status, self.code, self.message) = (id, status, code, message)
    (self.output, self.frames, self.seconds, self.seed) = (output, frames, seconds, seed)
    (self.configuration, self.shard, self.finished) = (configuration, shard, finished)
  }
}

/// The file of results: rows are only ever added, each with one `write` and on the disk before the
/// next item begins.
final class ResultsLog: Sendable {
  private struct Guarded {
    /// What to write should the process be told to go while the item is in hand.
    var inHand: ResultRow?
  }

  let path: String
  private let descriptor: Int32
  private let guarded = Mutex(Guarded())

  /// Opens or makes the file. A last line that a crash cut short is closed off.
  init(path: String) throws(CommandError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw CommandError(.cannotCreate, "--results: cannot open \(path): \(systemMessage())")
    }
    let size = lseek(descriptor, 0, SEEK_END)
    var last: UInt8 = 0
    if size > 0, pread(descriptor, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") {
      _ = FileDescriptor.writeAll([UInt8(ascii: "\n")], to: descriptor)
    }
  }

  deinit { close(descriptor) }

  /// Makes these results this process's own until it ends; false while they are another's. On a disk
  /// that knows no locks, nobody is kept out.
  func lock() -> Bool {
    flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
  }

  /// The latest row of every item. A line that is no row (cut short by a crash) does not count.
  static func latest(in path: String) -> [String: ResultRow] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [:] }
    var rows: [String: ResultRow] = [:]
    for line in text.split(separator: "\n") {
      if let row = try? JSONDecoder().decode(ResultRow.self, from: Data(line.utf8)) {
        rows[row.id] = row
      }
    }
    return rows
  }

  /// Says which item is in hand; `row` is what `interrupt()` would write.
  func begin(_ row: ResultRow) { guarded.withLock { $0.inHand = row } }

  /// Adds a row; no item is in hand any more.
  func append(_ row: ResultRow) throws(CommandError) {
    let code = guarded.withLock { guarded in
      guarded.inHand = nil
      return write(row)
    }
    guard code == 0 else {
      throw CommandError(.inputOutput, "\(path): cannot write: \(systemMessage(code))")
    }
  }

  /// Writes the row of the item in hand and ends the process, whatever it is doing.
  func interrupt(code: Int32) -> Never {
    guarded.withLock { guarded in
      if let row = guarded.inHand { _ = write(row) }
      _exit(code)
    }
  }

  /// Returns 0 or `errno`.
  private func write(_ row: ResultRow) -> Int32 {
    guard let line = try? JSONText.encoded(row) else { return EINVAL }
    let code = FileDescriptor.writeAll(Array(line.utf8) + [UInt8(ascii: "\n")], to: descriptor)
    return code == 0 && fsync(descriptor) != 0 ? errno : code
  }
}

/// Values as JSON on one line.
enum JSONText {
  /// A value, names sorted.
  static func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// A text in quotes.
  static func quoted(_ text: String) -> String { (try? encoded(text)) ?? "\"\"" }
}
