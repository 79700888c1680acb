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
    return text + "}"
  }

  private func counts(separator: String) -> String {
    var parts = ["\(frames)" + (totalFrames.map { "/\($0)" } ?? "") + " frames"]
    if let rate { parts.append(Self.decimal(rate, 1) + " fps") }
    parts.append("chunk \(chunks)" + (totalChunks.map { "/\($0)" } ?? ""))
    if let remaining {
      parts.append("ETA " + Self.clock(remaining))
    } else {
      parts.append(Self.clock(elapsed))
    }
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
