package import ArgumentParser
import Frames
import Media

/// Two clips of one size.
package struct ClipPairOptions: ParsableArguments {
  @Argument(help: "Clip that is right.")
  package var reference: String

  @Argument(help: "Clip to measure.")
  package var clip: String

  @Flag(help: "Compare as many frames as the shorter clip has.")
  package var shortest = false

  package init() {}

  /// Hands over the frames in pairs, one pair in memory at a time.
  func forEachPair(
    smallest: Int = 1, _ body: (_ reference: RGBFrame, _ clip: RGBFrame) throws -> Void
  ) throws {
    let first = try VideoReader(reference)
    let second = try VideoReader(clip)
    guard (first.width, first.height) == (second.width, second.height) else {
      throw CommandError(
        .badData,
        "\(clip): expected \(first.width)x\(first.height) as \(reference), found "
          + "\(second.width)x\(second.height)")
    }
    try ClipSize.check(first, name: reference, smallest: smallest)
    var count = 0
    while true {
      let (a, b) = (try first.next(), try second.next())
      guard let a, let b else {
        guard count > 0 else {
          throw CommandError(
            .badData, "\(a == nil ? reference : clip): expected frames, found none")
        }
        guard shortest || (a == nil && b == nil) else {
          throw CommandError(
            .badData,
            "\(a == nil ? reference : clip): ends after \(count) frames, the other clip goes on; "
              + "--shortest compares these")
        }
        return
      }
      try body(a.picture, b.picture)
      count += 1
    }
  }
}

enum ClipSize {
  /// Refuses a clip smaller than a measure can work on.
  static func check(_ clip: VideoReader, name: String, smallest: Int) throws(CommandError) {
    guard clip.width >= smallest, clip.height >= smallest else {
      throw CommandError(
        .badData,
        "\(name): expected at least \(smallest)x\(smallest) pixels, found "
          + "\(clip.width)x\(clip.height)")
    }
  }
}

/// `motionstream eval psnr`: noise between two clips.
package struct PSNRCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "psnr",
    abstract: "Peak signal-to-noise ratio of two clips, over red, green and blue.",
    discussion: """
      psnr is that of the mean squared error over all frames; psnr_mean is the mean over frames, \
      infinite as soon as one is equal.
      """)

  @OptionGroup package var clips: ClipPairOptions
  @OptionGroup(title: "Result") package var output: EvaluationOutputOptions

  package init() {}

  package func run() throws {
    var errors: [Double] = []
    try clips.forEachPair { errors.append(ImageQuality.meanSquaredError($0, $1)) }
    var result = EvaluationResult(
      metric: "psnr", unit: "dB", rowName: "frame", columns: ["psnr", "mse"])
    let mean = errors.reduce(0, +) / Double(errors.count)
    let each = errors.map(ImageQuality.psnr)
    result.summary = [
      ("psnr", ImageQuality.psnr(meanSquaredError: mean)),
      ("psnr_mean", each.reduce(0, +) / Double(each.count)), ("mse", mean),
      ("frame_count", Double(errors.count)),
    ]
    result.rows = zip(each, errors).map { [$0, $1] }
    try output.write(result)
  }
}

/// `motionstream eval ssim`: structural similarity of two clips.
package struct SSIMCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "ssim",
    abstract: "Structural similarity of two clips, over brightness (Wang et al. 2004).")

  @OptionGroup package var clips: ClipPairOptions
  @OptionGroup(title: "Result") package var output: EvaluationOutputOptions

  package init() {}

  package func run() throws {
    var values: [Double] = []
    try clips.forEachPair(smallest: ImageQuality.window) {
      values.append(ImageQuality.ssim(Luma($0), Luma($1)))
    }
    var result = EvaluationResult(
      metric: "ssim", unit: "similarity, 1 for equal", rowName: "frame", columns: ["ssim"])
    result.summary = [
      ("ssim", values.reduce(0, +) / Double(values.count)), ("ssim_min", values.min()),
      ("frame_count", Double(values.count)),
    ]
    result.rows = values.map { [$0] }
    try output.write(result)
  }
}

/// `motionstream eval drift`: how one clip changes over time.
package struct DriftCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "drift",
    abstract: "How brightness, colour, sharpness and likeness to the first frame change.",
    discussion: """
      One row a chunk; slopes are per frame, by least squares over the chunks. The defaults are the \
      chunks of a stream with 4 frames a latent and 3 latents a chunk.
      """)

  @Argument(help: "Clip.")
  package var clip: String

  @Option(help: ArgumentHelp("Frames of the first chunk.", valueName: "n"))
  package var firstChunk = 9

  @Option(help: ArgumentHelp("Frames of every other chunk.", valueName: "n"))
  package var chunk = 12

  @OptionGroup(title: "Result") package var output: EvaluationOutputOptions

  package init() {}

  package mutating func validate() throws {
    for (name, value) in [("--first-chunk", firstChunk), ("--chunk", chunk)] {
      guard (1...1_000_000).contains(value) else {
        throw ValidationError("\(name): expected 1 to 1000000, found \(value).")
      }
    }
  }

  package func run() throws {
    let reader = try VideoReader(clip)
    try ClipSize.check(reader, name: clip, smallest: ImageQuality.window)
    var drift = Drift(firstChunk: firstChunk, chunk: chunk)
    while let frame = try reader.next() {
      guard (frame.picture.width, frame.picture.height) == (reader.width, reader.height) else {
        throw CommandError(.badData, "\(clip): the size of the pictures changes")
      }
      drift.add(frame.picture)
    }
    guard !drift.chunks.isEmpty else {
      throw CommandError(.badData, "\(clip): expected frames, found none")
    }
    try output.write(drift.result)
  }
}
