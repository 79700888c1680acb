import Foundation

/// The record beside a clip, `<output>.json`: what it was made from and how that went.
package struct Sidecar: Codable, Equatable, Sendable {
  /// How the run ended.
  package enum Status: String, Codable, Sendable {
    /// All frames were written and counted.
    case complete
    /// A signal stopped it; the frames up to there are complete.
    case interrupted
  }

  /// What was written.
  package struct Output: Codable, Equatable, Sendable {
    /// The clip.
    package var path: String
    /// Frames in it.
    package var frames: Int
    /// Seconds it plays.
    package var seconds: Double

    /// Collects the facts.
    package init(path: String, frames: Int, seconds: Double) {
      self.path = path
      self.frames = frames
      self.seconds = seconds
    }
  }

  /// Seconds that the run took.
  package struct Timings: Codable, Equatable, Sendable {
    /// Reading and preparing the model.
    package var load: Double
    /// Encoding the prompt.
    package var prompt: Double
    /// From the first chunk's start until its frames were there.
    package var firstChunk: Double
    /// Making all frames, encoding them alongside.
    package var generate: Double

    enum CodingKeys: String, CodingKey {
      case load, prompt, generate
      case firstChunk = "first_chunk"
    }

    /// Collects the times.
    package init(load: Double, prompt: Double, firstChunk: Double, generate: Double) {
      self.load = load
      self.prompt = prompt
      self.firstChunk = firstChunk
      self.generate = generate
    }
  }

  /// `motionstream-clip`.
  package var format = Self.formatName
  /// 1.
  package var version = Self.currentVersion
  /// The program's version.
  package var program: String
  /// How the run ended.
  package var status: Status
  /// When it ended, ISO 8601, UTC.
  package var created: String
  /// The request with every choice made.
  package var request: ClipRequest
  /// What was written.
  package var output: Output
  /// How long it took.
  package var timings: Timings

  static let formatName = "motionstream-clip"
  static let currentVersion = 1

  /// Makes a record of the current version.
  package init(
    program: String, status: Status, created: String, request: ClipRequest, output: Output,
    timings: Timings
  ) {
    self.program = program
    self.status = status
    self.created = created
    self.request = request
    self.output = output
    self.timings = timings
  }

  /// The sidecar's place for a clip: beside it, `.json` appended.
  package static func path(for output: String) -> String {
    var name = output
    while name.count > 1, name.hasSuffix("/") { name.removeLast() }
    return name + ".json"
  }

  /// The file's text.
  package func encoded() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// Reads the sidecar that `--from-metadata` names.
  static func read(_ path: String) throws(CommandError) -> Sidecar {
    try decode(InputFile.read(path, role: "--from-metadata"), name: path)
  }

  /// Reads a sidecar; `name` is for messages.
  package static func decode(_ bytes: [UInt8], name: String) throws(CommandError) -> Sidecar {
    struct Header: Decodable {
      var format: String
      var version: Int
    }
    let data = Data(bytes)
    do {
      let header = try JSONDecoder().decode(Header.self, from: data)
      guard header.format == formatName else {
        throw CommandError(
          .badData, "\(name): format: expected \"\(formatName)\", found \"\(header.format)\"")
      }
      guard header.version == currentVersion else {
        throw CommandError(
          .badData, "\(name): version: expected \(currentVersion), found \(header.version)")
      }
      return try JSONDecoder().decode(Sidecar.self, from: data)
    } catch let error as CommandError {
      throw error
    } catch let error as DecodingError {
      throw CommandError(.badData, "\(name): \(describe(error))")
    } catch {
      throw CommandError(.badData, "\(name): \(error)")
    }
  }

  private static func describe(_ error: DecodingError) -> String {
    func place(_ path: [any CodingKey], _ last: String? = nil) -> String {
      let keys = path.map(\.stringValue) + (last.map { [$0] } ?? [])
      return keys.isEmpty ? "" : keys.joined(separator: ".") + ": "
    }
    switch error {
    case .keyNotFound(let key, let context):
      return place(context.codingPath, key.stringValue) + "missing"
    case .typeMismatch(let type, let context):
      return place(context.codingPath) + "expected \(type), found something else"
    case .valueNotFound(let type, let context):
      return place(context.codingPath) + "expected \(type), found null"
    case .dataCorrupted(let context):
      return place(context.codingPath) + "not a valid JSON document"
    @unknown default: return "\(error)"
    }
  }
}
