import Foundation
import Synchronization

/// The built `motionstream`, run as a user would.
struct Program {
  /// How a run ended.
  struct Result {
    /// The exit code; nil when a signal ended it, which no input may cause.
    let code: Int32?
    let output: [UInt8]
    let messages: String
  }

  /// Beside the test bundle: SwiftPM puts both into one folder.
  static let path: String = {
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return own.deletingLastPathComponent().appendingPathComponent("motionstream").path
  }()

  private let process = Process()
  private let output = Pipe()
  private let messages = Pipe()

  /// Prepares a run. Standard input is empty unless `input` is given.
  init(_ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]) throws {
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.arguments = arguments
    var all = ProcessInfo.processInfo.environment
    all["MOTIONSTREAM_MODEL"] = nil
    process.environment = all.merging(environment) { $1 }
    process.standardOutput = output
    process.standardError = messages
    let stdin = Pipe()
    process.standardInput = stdin
    try process.run()
    Thread.detachNewThread {
      try? stdin.fileHandleForWriting.write(contentsOf: Data(input))
      try? stdin.fileHandleForWriting.close()
    }
  }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// The process's number.
  var identifier: Int32 { process.processIdentifier }

  /// Closes our end of its standard output, as a reader does that has seen enough.
  func closeOutput() throws { try output.fileHandleForReading.close() }

  /// Reads some bytes of its standard output; nil at the end.
  func readOutput(_ count: Int) throws -> Data? {
    try output.fileHandleForReading.read(upToCount: count)
  }

  /// Waits for the end, collecting what it writes.
  func wait(collectOutput: Bool = true) -> Result {
    let out = collectOutput ? Collector(output) : nil
    let err = Collector(messages)
    let bytes = out?.bytes() ?? []
    let text = String(decoding: err.bytes(), as: UTF8.self)
    process.waitUntilExit()
    let exited = process.terminationReason == .exit
    return Result(
      code: exited ? process.terminationStatus : nil, output: bytes, messages: text)
  }

  /// Runs to the end.
  static func run(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
  ) throws -> Result {
    try Program(arguments, input: input, environment: environment).wait()
  }
}

/// Reads a pipe to its end on a thread of its own, so that two pipes cannot block each other.
private final class Collector: Sendable {
  private let data = Mutex<Data>(Data())
  private let done = DispatchSemaphore(value: 0)

  init(_ pipe: Pipe) {
    let handle = pipe.fileHandleForReading
    Thread.detachNewThread { [self] in
      let all = (try? handle.readToEnd()) ?? nil
      data.withLock { $0 = all ?? Data() }
      done.signal()
    }
  }

  func bytes() -> [UInt8] {
    done.wait()
    return data.withLock { Array($0) }
  }
}
