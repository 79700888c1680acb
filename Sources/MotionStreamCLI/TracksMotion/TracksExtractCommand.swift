package import ArgumentParser
import Foundation
import Media
package import Motion
import Tracks

/// `motionstream tracks extract`: point tracks from a clip.
package struct TracksExtractCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Follow points through a clip and write them as tracks.",
    discussion: """
      Points rest on the scene behind the objects, whose motion the whole picture tells, until they \
      are seen to move otherwise. A point that is covered or leaves the picture is carried on, \
      hidden, for 48 frames and goes on when it is seen again; else its track ends where it was \
      last seen. --redetect covers bare places with new tracks. Learned trackers (CoTracker3 and \
      others) find more, above all on plain objects: convert their files with `tracks convert`. The \
      clip is read once, frame by frame, and the points are kept on disk beside the output until it \
      is written (12 bytes each a frame), so memory does not grow with the clip. Frames count \
      evenly at the clip's frame rate.
      """)

  @Argument(help: "Clip that libavcodec can decode.")
  package var clip: String

  @OptionGroup package var writing: TrackWritingOptions

  @Option(help: ArgumentHelp("Grid of points in the first frame.", valueName: "CxR"))
  package var grid = PointGrid.standard.description

  @Option(
    help: ArgumentHelp(
      "Points instead of a grid, in pixels of the clip.", valueName: "x,y;x,y;…"))
  package var points: String?

  @Option(help: "lk follows windows (Lucas-Kanade), dis the whole picture (dense flow).")
  package var method = ExtractionSettings.Method.lk

  @Option(
    help: ArgumentHelp("Start new tracks on bare places every n frames.", valueName: "n"))
  package var redetect: Int?

  @Option(help: ArgumentHelp("Stop after n frames.", valueName: "n"))
  package var frames: Int?

  @Option(help: ArgumentHelp("Frame rate, for clips that state none.", valueName: "rate"))
  package var fps: String?

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    _ = try TrackArgument.grid(grid)
    if let points, TrackPosition.list(points) == nil {
      throw ValidationError("--points: expected x,y;x,y such as 10.5,20;30,40, found \(points).")
    }
    if let fps { _ = try TrackArgument.rate(fps) }
    for (name, value) in [("--redetect", redetect), ("--frames", frames)] {
      if let value, !(1...TrackLimits.frames).contains(value) {
        throw ValidationError("\(name): expected 1 to \(TrackLimits.frames), found \(value).")
      }
    }
  }

  package func run() throws {
    try writing.refuseExisting()
    var extraction = try TrackExtraction(
      clip, fps: fps.map(TrackArgument.rate), help: "give --fps")
    extraction.seeds = try seeds(extraction.reader)
    (extraction.settings.method, extraction.settings.redetectFrames) = (method, redetect)
    extraction.frames = frames ?? .max
    let progress = ExtractionProgress(quiet: volume.quiet)
    defer { progress.end() }
    try extraction.write(
      to: writing.output, overwrite: writing.overwrite,
      source: TrackArgument.source("extract", [("file", clip), ("method", method.rawValue)]),
      progress: progress.show)
  }

  private func seeds(_ reader: VideoReader) throws -> [TrackPosition] {
    guard let points, let places = TrackPosition.list(points) else {
      return try TrackArgument.grid(grid).points(width: reader.width, height: reader.height)
    }
    for (index, place) in places.enumerated()
    where !(0..<Double(reader.width)).contains(place.x)
      || !(0..<Double(reader.height)).contains(place.y)
    {
      throw CommandError(
        .usage,
        "--points: point \(index) at \(place.x), \(place.y) is outside the clip's "
          + "\(reader.width)x\(reader.height) pixels")
    }
    return places
  }
}

/// Progress of a clip of unknown length, on standard error: a line that is drawn again on a
/// terminal, else one every five seconds.
private final class ExtractionProgress {
  private let console = Console()
  private let quiet: Bool
  private let start = ContinuousClock.now
  private var next = 0.0

  init(quiet: Bool) { self.quiet = quiet }

  func show(frames: Int, points: Int) {
    let seconds = start.secondsToNow
    guard !quiet, seconds >= next else { return }
    next = seconds + (console.isTerminal ? 0.2 : 5)
    let rate = ProgressState.decimal(Double(frames) / max(seconds, 1e-6), 1)
    let text = "\(frames) frames  \(rate) fps  \(points) points  \(ProgressState.clock(seconds))"
    if console.isTerminal { console.show(bar: text) } else { console.line(text) }
  }

  func end() { console.show(bar: "") }
}
