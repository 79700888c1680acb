import Foundation
import MotionStream

/// What `bench` found, and its two forms.
struct BenchResult {
  let model: String
  let width: Int
  let height: Int
  let threads: Int
  let framesPerChunk: Int
  let loadSeconds: Double
  let promptSeconds: Double
  /// From the prompt until the first frame of a loaded model.
  let firstFrameSeconds: Double
  /// Wall time of every timed chunk.
  let chunkSeconds: [Double]
  let timings: [StageTimings]
  let peakBytes: Int?

  /// Median seconds of each stage of a chunk, in the order of work.
  var stages: [(name: String, seconds: Double)] {
    let steps = timings.map(\.denoise.count).max() ?? 0
    var stages = [("conditions", median(timings.map(\.conditions)))]
    for step in 0..<steps {
      stages.append(
        (
          "denoise step \(step + 1)",
          median(timings.compactMap { $0.denoise.dropFirst(step).first })
        )
      )
    }
    stages.append(("commit", median(timings.map(\.commit))))
    stages.append(("decode", median(timings.map(\.decode))))
    return stages
  }

  private var chunk: Double { median(chunkSeconds) }
  private var rate: Double { chunk > 0 ? Double(framesPerChunk) / chunk : 0 }

  /// For people.
  func table() -> String {
    let ms = { (seconds: Double) in ProgressState.decimal(seconds * 1000, 1) + " ms" }
    let total = stages.map(\.seconds).reduce(0, +)
    var lines = [
      "\(model), \(width)x\(height), \(threads) threads; medians of \(chunkSeconds.count) chunks of "
        + "\(framesPerChunk) frames",
      "",
    ]
    let row = { (name: String, value: String, share: String) in
      name.padding(toLength: 22, withPad: " ", startingAt: 0)
        + String(repeating: " ", count: max(0, 12 - value.count)) + value
        + String(repeating: " ", count: max(0, 8 - share.count)) + share
    }
    for (name, seconds) in stages {
      let share = total > 0 ? ProgressState.decimal(seconds / total * 100, 1) + " %" : ""
      lines.append(row(name, ms(seconds), share))
    }
    lines.append(row("whole chunk", ms(chunk), ""))
    lines.append("")
    lines.append(row("frames per second", ProgressState.decimal(rate, 2), ""))
    lines.append(row("load", ms(loadSeconds), ""))
    lines.append(row("first frame after", ms(firstFrameSeconds), ""))
    lines.append(row("later frames after", ms(chunk), ""))
    if let peakBytes { lines.append(row("peak memory", "\(peakBytes >> 20) MiB", "")) }
    return lines.joined(separator: "\n")
  }

  /// For programs.
  func json() throws -> String {
    struct Report: Encodable {
      struct Stages: Encodable {
        var conditions: Double
        var denoise: [Double]
        var commit: Double
        var decode: Double
      }
      var model: String
      var width: Int
      var height: Int
      var threads: Int
      var framesPerChunk: Int
      var loadSeconds: Double
      var promptSeconds: Double
      var firstFrameSeconds: Double
      var chunkSeconds: Double
      var framesPerSecond: Double
      var stageSeconds: Stages
      var stageShares: Stages
      var peakBytes: Int?
      var chunks: [Double]
    }
    let seconds = stages.map(\.seconds)
    let total = max(seconds.reduce(0, +), .leastNormalMagnitude)
    func report(_ values: [Double]) -> Report.Stages {
      Report.Stages(
        conditions: values[0], denoise: Array(values[1..<values.count - 2]),
        commit: values[values.count - 2], decode: values[values.count - 1])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let data = try encoder.encode(
      Report(
        model: model, width: width, height: height, threads: threads,
        framesPerChunk: framesPerChunk, loadSeconds: loadSeconds, promptSeconds: promptSeconds,
        firstFrameSeconds: firstFrameSeconds, chunkSeconds: chunk, framesPerSecond: rate,
        stageSeconds: report(seconds), stageShares: report(seconds.map { $0 / total }),
        peakBytes: peakBytes, chunks: chunkSeconds))
    return String(decoding: data, as: UTF8.self)
  }
}
