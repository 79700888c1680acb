package import ArgumentParser
import Motion
import Tracks

/// `motionstream tracks resample`: the same motion at another frame rate or length.
package struct TracksResampleCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "resample",
    abstract: "Write tracks at another frame rate, one point a frame.",
    discussion: """
      By time: 121 frames at 24 a second become 81 at 16. With --frames alone the whole length is \
      spread over that many frames at the old rate, so the motion gets faster or slower. With \
      --fps as well, the result is cut or runs on to that many frames.
      """)

  @Argument(help: "Track file; - is standard input.")
  package var file: String

  @OptionGroup package var writing: TrackWritingOptions

  @Option(help: ArgumentHelp("Frames per second of the result.", valueName: "rate"))
  package var fps: String?

  @Option(help: ArgumentHelp("Frames of the result.", valueName: "n"))
  package var frames: Int?

  @OptionGroup(title: "Reading") package var reading: TrackReadingOptions

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    if let fps { _ = try TrackArgument.rate(fps) }
    guard fps != nil || frames != nil else {
      throw ValidationError("Give --fps, --frames or both.")
    }
    if let frames, !(1...TrackLimits.frames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(TrackLimits.frames), found \(frames).")
    }
  }

  package func run() throws {
    let document = try reading.read(file, quiet: volume.quiet)
    if let fps {
      let rate = try TrackArgument.rate(fps)
      try writing.write(document.resampled(fps: rate, frames: frames, name: file))
      return
    }
    guard let frames else { return }
    guard let last = document.lastFrame(fps: document.fps.value), last > 0, frames > 1 else {
      throw CommandError(
        .usage, "--frames: needs tracks of two frames or more with an end, and two frames or more")
    }
    // Sampled at the rate that puts the last frame on the last frame, then played at the old one.
    let rate = document.fps.value * Double(frames - 1) / Double(last)
    guard TrackLimits.fps.contains(rate) else {
      throw CommandError(.usage, "--frames: \(frames) is too far from the \(last + 1) there are")
    }
    var result = try document.resampled(fps: .number(rate), frames: frames, name: file)
    result.fps = document.fps
    try writing.write(result)
  }
}
