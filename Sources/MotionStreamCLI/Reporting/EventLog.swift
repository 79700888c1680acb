import Foundation
import Synchronization

/// One line of the events file.
enum Event: Encodable {
  /// The model is loaded; the first chunk begins.
  struct Ready: Encodable {
    var type = "ready"
    var version: String
    var model: String
    var width: Int
    var height: Int
    var fps: String
    var frames: Int?
    var firstChunk: Int
    var chunk: Int
    var seed: UInt64
    var threads: Int
  }

  /// A chunk has been written.
  struct Chunk: Encodable {
    /// Milliseconds per stage; `denoise` has one entry per step, `drawing` is there if the stream
    /// drew its first picture before this chunk.
    struct Milliseconds: Encodable {
      var drawing: Double?
      var conditions: Double
      var denoise: [Double]
      var commit: Double
      var decode: Double
      var encode: Double
    }
    var type = "chunk"
    var index: Int
    var firstFrame: Int
    var frames: Int
    var pts: Double
    var ms: Milliseconds
    var rssMib: Double?
  }

  /// Something the user should know.
  struct Warning: Encodable {
    var type = "warning"
    var message: String
  }

  /// The run is over.
  struct End: Encodable {
    var type = "end"
    var reason: String
    var message: String?
    var frames: Int
    var output: String
    var exitCode: Int32
  }

  /// An item of a batch is over.
  struct Item: Encodable {
    var type = "item"
    var id: String
    var number: Int
    var items: Int
    var status: String
    var exitCode: Int32
    var message: String?

    init(_ row: ResultRow, _ place: ProgressState.Whole) {
      (id, number, items) = (row.id, place.number, place.count)
      (status, exitCode, message) = (row.status.rawValue, row.code, row.message)
    }
  }

  case ready(Ready)
  case chunk(Chunk)
  case warning(Warning)
  case end(End)
  case item(Item)

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .ready(let event): try event.encode(to: encoder)
    case .chunk(let event): try event.encode(to: encoder)
    case .warning(let event): try event.encode(to: encoder)
    case .end(let event): try event.encode(to: encoder)
    case .item(let event): try event.encode(to: encoder)
    }
  }
}

/// Writes events to a file or a pipe, one JSON object a line, each with one `write`.
///
/// When nobody reads any more, later events are dropped: they are news, not the result.
final class EventLog: Sendable {
  private let descriptor: Mutex<Int32>

  init(path: String) throws(CommandError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw CommandError(.cannotCreate, "--events: cannot create \(path): \(systemMessage())")
    }
    self.descriptor = Mutex(descriptor)
  }

  deinit {
    descriptor.withLock { if $0 >= 0 { _ = close($0) } }
  }

  func write(_ event: Event) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    guard let line = try? encoder.encode(event) else { return }
    descriptor.withLock { descriptor in
      guard descriptor >= 0 else { return }
      if FileDescriptor.writeAll(Array(line) + [UInt8(ascii: "\n")], to: descriptor) != 0 {
        _ = close(descriptor)
        descriptor = -1
      }
    }
  }
}
