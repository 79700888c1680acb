import Foundation

/// How far a run is, and the three ways to say so.
package struct ProgressState: Equatable, Sendable {
  /// Frames written.
  package var frames = 0
  /// Frames wanted; nil when endless.
  package var totalFrames: Int?
  /// Chunks written.
  package var chunks = 0
  /// Chunks needed; nil when endless.
  package var totalChunks: Int?
  /// Seconds since the first chunk was begun.
  package var elapsed = 0.0
  /// `elapsed` when the latest chunk was written.
  package var elapsedAtChunk = 0.0

  /// The clip's place among others; nil for a clip on its own.
  package var whole: Whole?

  /// The run of many clips that this one is part of.
  package struct Whole: Equatable, Sendable {
    /// The clip's id.
    package var id: String
    /// The clip's number in the run, from 1.
    package var number: Int
    /// Clips of the run.
    package var count: Int
    /// Frames of the clips that come after this one.
    package var framesAfter: Int

    /// Collects the facts.
    package init(id: String, number: Int, count: Int, framesAfter: Int) {
      self.id = id
      self.number = number
      self.count = count
      self.framesAfter = framesAfter
    }
  }

  /// Seconds until the whole run is done, at this clip's rate; nil when unknown.
  package var wholeRemaining: Double? {
    guard let whole, let rate, let remaining else { return nil }
    return remaining + Double(whole.framesAfter) / rate
  }

  /// Nothing done yet.
  package init(totalFrames: Int?, totalChunks: Int?) {
    self.totalFrames = totalFrames
    self.totalChunks = totalChunks
  }

  /// Frames a second so far; nil before the first chunk.
  package var rate: Double? {
    frames > 0 && elapsedAtChunk > 0 ? Double(frames) / elapsedAtChunk : nil
  }

  /// Seconds to go; nil when unknown.
  package var remaining: Double? {
    guard let rate, let totalFrames else { return nil }
    return max(0, Double(totalFrames - frames) / rate - (elapsed - elapsedAtChunk))
  }

  /// A bar no wider than `columns`: `[=====>    ]  45/81 frames  12.3 fps  chunk 4/7  ETA 0:03`.
  package func bar(columns: Int) -> String {
    let text = counts(separator: "  ")
    let room = columns - text.count - 5
    guard let totalFrames, totalFrames > 0, room >= 5 else {
      return String(text.prefix(max(columns - 1, 0)))
    }
    let width = min(room, 30)
    let filled = frames * width / totalFrames
    let head = filled > 0 && filled < width ? ">" : ""
    let done = String(repeating: "=", count: filled - head.count) + head
    return "[" + done + String(repeating: " ", count: width - filled) + "]  " + text
  }

  /// One line: `45/81 frames, 12.3 fps, chunk 4/7, ETA 0:03`.
  package func plain() -> String { counts(separator: ", ") }

  /// One JSON object.
  package func json() -> String {
    var text = #"{"type":"progress","frames":\#(frames),"chunks":\#(chunks)"#
    if let totalFrames { text += #","total_frames":\#(totalFrames)"# }
    if let totalChunks { text += #","total_chunks":\#(totalChunks)"# }
    text += #","seconds":\#(Self.decimal(elapsed, 3))"#
    if let rate { text += #","fps":\#(Self.decimal(rate, 3))"# }
    if let remaining { text += #","eta":\#(Self.decimal(remaining, 1))"# }
    if let whole {
      text += #","item":\#(JSONText.quoted(whole.id)),"number":\#(whole.number)"#
      text += #","items":\#(whole.count)"#
    }
    if let wholeRemaining { text += #","eta_all":\#(Self.decimal(wholeRemaining, 1))"# }
    return text + "}"
  }

  private func counts(separator: String) -> String {
    var parts = whole.map { ["clip \($0.number)/\($0.count) \($0.id)"] } ?? []
    parts.append("\(frames)" + (totalFrames.map { "/\($0)" } ?? "") + " frames")
    if let rate { parts.append(Self.decimal(rate, 1) + " fps") }
    parts.append("chunk \(chunks)" + (totalChunks.map { "/\($0)" } ?? ""))
    if let remaining {
      parts.append("ETA " + Self.clock(remaining))
    } else {
      parts.append(Self.clock(elapsed))
    }
    if let wholeRemaining { parts.append("all " + Self.clock(wholeRemaining)) }
    return parts.joined(separator: separator)
  }

  /// `0:07`, `12:34`, `1:02:03`.
  package static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    let (minutes, rest) = (whole / 60, whole % 60)
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return minutes < 60
      ? "\(minutes):\(two(rest))" : "\(minutes / 60):\(two(minutes % 60)):\(two(rest))"
  }

  /// A number with so many digits after the point.
  package static func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
