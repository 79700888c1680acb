package import ArgumentParser
import Foundation
import Frames
import MotionStream

/// `motionstream bench`: how fast a model runs here.
package struct BenchCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure seconds per stage, frames per second, latency and memory.",
    discussion: """
      Nothing is encoded. The stream runs until its window is full, then --chunks more are timed; \
      figures are medians over these.
      """)

  @OptionGroup(title: "Input") package var input: BenchInputOptions
  @OptionGroup(title: "Run") package var threads: ThreadOptions

  @Option(help: ArgumentHelp("Chunks to time.", valueName: "n"))
  package var chunks = 12

  @Flag(help: "Print JSON.")
  package var json = false

  package init() {}

  package mutating func validate() throws {
    guard (1...1_000_000).contains(chunks) else {
      throw ValidationError("--chunks: expected 1 to 1000000, found \(chunks).")
    }
  }

  package func run() throws {
    let bench = try Bench(input.request, threads: threads.count)
    let result = try bench.run(chunks: chunks)
    try StandardOutput.print(json ? result.json() : result.table())
  }
}

/// What is made for the measurement.
package struct BenchInputOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Model directory (default: MOTIONSTREAM_MODEL, else the shipped model).", valueName: "dir"))
  package var model: String?

  @Option(name: [.short, .long], help: "What the clip shows.")
  package var prompt = "a red ball rolls over the floor"

  @Option(name: [.short, .long], help: ArgumentHelp("First picture.", valueName: "file"))
  package var image: String?

  @Option(name: [.customShort("k"), .long], help: ArgumentHelp("Track file.", valueName: "file"))
  package var tracks: String?

  @Option(name: [.customShort("W"), .long], help: ArgumentHelp("Width.", valueName: "pixels"))
  package var width: Int?

  @Option(name: [.customShort("H"), .long], help: ArgumentHelp("Height.", valueName: "pixels"))
  package var height: Int?

  @Option(help: ArgumentHelp("Denoising steps per chunk.", valueName: "n"))
  package var steps: Int?

  package init() {}

  package mutating func validate() throws {
    if let steps, !(1...1000).contains(steps) {
      throw ValidationError("--steps: expected 1 to 1000, found \(steps).")
    }
  }

  var request: ClipRequest {
    var request = ClipRequest()
    request.model = model.map { ClipRequest.Model(path: $0) }
    request.prompt = prompt
    request.image = image.map { ClipRequest.Input(path: $0) }
    request.tracks = tracks.map { ClipRequest.Input(path: $0) }
    request.width = width
    request.height = height
    request.steps = steps
    request.seed = 0
    request.endless = true
    return request
  }
}
