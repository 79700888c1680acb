package import ArgumentParser
import Foundation
import Frames
import Media
import Motion
import Tracks

/// `motionstream tracks preview`: tracks drawn on a picture or over a clip.
package struct TracksPreviewCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "preview",
    abstract: "Draw tracks on a picture or over a clip.",
    discussion: """
      One PNG file with the tails of all frames, or a clip, by the ending of --output. Over a clip \
      the tracks follow its time; else there is a frame for every frame of the tracks.
      """)

  @Argument(help: "Track file; - is standard input.")
  package var file: String

  @Option(help: ArgumentHelp("Picture or clip to draw over (default: grey).", valueName: "file"))
  package var over: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Result: .png, or a clip (.mp4, .mkv, .webm, .y4m).", valueName: "file"))
  package var output: String

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing file.")
  package var overwrite = false

  @Option(help: ArgumentHelp("Frames that a tail lasts in a clip.", valueName: "n"))
  package var tail = 12

  @Option(help: ArgumentHelp("Radius of a dot (default: by the size).", valueName: "pixels"))
  package var radius: Double?

  @Option(help: ArgumentHelp("Frames (default: the tracks' length).", valueName: "n"))
  package var frames: Int?

  @OptionGroup(title: "Reading") package var reading: TrackReadingOptions

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    guard let format = OutputFormat(inferredFrom: output), !output.hasSuffix("/") else {
      throw ValidationError("--output: expected .png, .mp4, .mkv, .webm or .y4m, found \(output).")
    }
    _ = format
    guard (0...10_000).contains(tail) else {
      throw ValidationError("--tail: expected 0 to 10000, found \(tail).")
    }
    if let radius, !(0.1...1000).contains(radius) {
      throw ValidationError("--radius: expected 0.1 to 1000, found \(radius).")
    }
    if let frames, !(1...TrackLimits.frames).contains(frames) {
      throw ValidationError("--frames: expected 1 to \(TrackLimits.frames), found \(frames).")
    }
  }

  package func run() throws {
    let document = try reading.read(file, quiet: volume.quiet)
    let background = try Background(over, document: document)
    let rate = background.rate ?? document.fps.value
    let (width, height) = background.size
    let sampler = TrackSampler(document, fps: rate, fit: .stretch, output: (width, height))
    let end = frames ?? sampler.lastFrame.map { $0 + 1 }
    let isPicture = OutputFormat(inferredFrom: output) == .png
    let dot = radius ?? max(Double(min(width, height)) / 160, 1)
    var drawing = TrackDrawing(tail: isPicture ? 10_000 : tail, radius: dot)
    if isPicture {
      guard var picture = try background.next() else {
        throw CommandError(.badData, "\(over ?? file): has no frame")
      }
      // All frames on one picture; tracks without end show their first one.
      for frame in 0..<(end ?? 1) { drawing.draw(sampler.sample(at: frame), on: &picture) }
      try PNGWriter.write(picture, to: output, overwrite: overwrite)
      return
    }
    guard end != nil || background.isClip else {
      throw CommandError(.usage, "\(file): the tracks have no end of their own; give --frames")
    }
    let sink = try makeSink(width: width, height: height, rate: rate)
    do {
      var frame = 0
      while frame < frames ?? (background.isClip ? .max : end ?? 0),
        var picture = try background.next()
      {
        drawing.draw(sampler.sample(at: frame), on: &picture)
        try sink.write(picture)
        frame += 1
      }
      try sink.finish()
    } catch {
      sink.abandon()
      throw error
    }
  }

  private func makeSink(width: Int, height: Int, rate: Double) throws -> any FrameSink {
    guard let format = OutputFormat(inferredFrom: output),
      let frameRate = Media.FrameRate(Int((rate * 1000).rounded()), 1000)
    else { throw CommandError(.usage, "\(output): cannot be written at \(rate) frames per second") }
    return try OutputSettings(
      target: .file(output, overwrite: overwrite), format: format, width: width, height: height,
      frameRate: frameRate
    ).makeSink()
  }
}

/// What the tracks are drawn over: grey, one picture again and again, or a clip.
private final class Background {
  let size: (width: Int, height: Int)
  /// Frames per second of a clip; nil for a picture.
  let rate: Double?
  var isClip: Bool { clip != nil }
  private let still: RGBFrame?
  private let clip: VideoReader?

  init(_ path: String?, document: TrackDocument) throws {
    guard let path else {
      size = (document.width, document.height)
      guard size.width <= ImageReader.largestPixelCount / size.height else {
        throw CommandError(
          .badData, "a canvas of \(size.width)x\(size.height) is too large to draw")
      }
      let grey = [UInt8](repeating: 40, count: size.width * size.height * 3)
      (still, clip, rate) = (
        RGBFrame(width: size.width, height: size.height, pixels: grey), nil, nil
      )
      return
    }
    let pictures = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"]
    if pictures.contains(where: path.lowercased().hasSuffix) {
      let picture = try ImageReader.read(path)
      (still, clip, rate) = (picture, nil, nil)
      size = (picture.width, picture.height)
    } else {
      let reader = try VideoReader(path)
      (still, clip) = (nil, reader)
      rate = reader.frameRate?.framesPerSecond ?? document.fps.value
      size = (reader.width, reader.height)
    }
  }

  func next() throws -> RGBFrame? { try still ?? clip?.next()?.picture }
}
