package import ArgumentParser
import Foundation
import Media

/// The clip's length, size and rate, and how it is computed.
package struct VideoOptions: ParsableArguments {
  /// Sides and counts beyond these cannot be meant.
  static let largestSide = 16_384
  static let mostFrames = 1_000_000_000

  @Option(
    help: ArgumentHelp(
      "Number of frames (default: as long as the tracks, else 81).", valueName: "n"))
  package var frames: Int?

  @Option(help: ArgumentHelp("Length in seconds instead of frames.", valueName: "seconds"))
  package var duration: Double?

  @Flag(help: "Go on until stopped or until the reader closes the pipe.")
  package var endless = false

  @Option(
    name: [.customShort("W"), .long],
    help: ArgumentHelp("Width in pixels (default: the model's).", valueName: "pixels"))
  package var width: Int?

  @Option(
    name: [.customShort("H"), .long],
    help: ArgumentHelp("Height in pixels (default: the model's).", valueName: "pixels"))
  package var height: Int?

  @Option(
    help: ArgumentHelp(
      "Playback rate, as 16 or 30000/1001 (default: the model's). Changes the speed, not the frames.",
      valueName: "rate"))
  package var fps: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Seed of the noise (default: random, printed).", valueName: "n"))
  package var seed: UInt64?

  @Option(help: ArgumentHelp("Denoising steps per chunk (default: the model's).", valueName: "n"))
  package var steps: Int?

  package init() {}

  package mutating func validate() throws {
    if [frames != nil, duration != nil, endless].count(where: { $0 }) > 1 {
      throw ValidationError("Give only one of --frames, --duration and --endless.")
    }
    if let frames, !(1...Self.mostFrames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(Self.mostFrames), found \(frames).")
    }
    if let duration, !(duration > 0 && duration <= 1e7) {
      throw ValidationError("--duration: expected seconds above 0, found \(duration).")
    }
    for (name, side) in [("--width", width), ("--height", height)] {
      if let side, !(1...Self.largestSide).contains(side) {
        throw ValidationError("\(name): expected 1 to \(Self.largestSide) pixels, found \(side).")
      }
    }
    if let fps, Media.FrameRate(fps) == nil {
      throw ValidationError(
        "--fps: expected a rate of 0.1 to 1000 such as 16, 12.5 or 30000/1001, found \(fps).")
    }
    if let steps, !(1...1000).contains(steps) {
      throw ValidationError("--steps: expected 1 to 1000, found \(steps).")
    }
  }
}

/// How many threads work.
package struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads (default: one per processor). The result does not depend on it.", valueName: "n"))
  package var threads: Int?

  package init() {}

  package mutating func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads: expected 1 to 256, found \(threads).")
    }
  }

  /// What was given, else the processors this process may use.
  var count: Int { threads ?? min(ProcessInfo.processInfo.activeProcessorCount, 256) }
}
