package import ArgumentParser
import Tracks

/// `motionstream tracks info`: what is in a track file.
package struct TracksInfoCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Say what is in a track file.")

  @Argument(help: "Track file; - is standard input.")
  package var file: String

  @OptionGroup package var reading: TrackReadingOptions

  @OptionGroup package var volume: QuietOption

  package init() {}

  package func run() throws {
    let document = try reading.read(file, quiet: volume.quiet)
    let unit = document.coordinates.rawValue
    var lines = [
      "canvas  \(document.width)x\(document.height), coordinates in \(unit)",
      "fps     \(document.fps)",
      "length  \(Self.length(of: document))",
      "tracks  \(document.tracks.count)",
    ]
    lines += document.tracks.map(Self.describe)
    try StandardOutput.print(lines.joined(separator: "\n"))
  }

  private static func length(of document: TrackDocument) -> String {
    guard let last = document.lastFrame(fps: document.fps.value) else { return "no end of its own" }
    let seconds = ProgressState.decimal(Double(last + 1) / document.fps.value, 2)
    return "\(last + 1) frames, \(seconds) s"
  }

  private static func describe(_ track: Track) -> String {
    let motion =
      switch track.motion {
      case .points(let points):
        "\(points.count) points, \(points.count(where: { $0 == nil })) unspecified"
      case .keyframes(let keyframes): "\(keyframes.count) keyframes"
      case .pinned(let place): "static at \(place.x), \(place.y)"
      }
    let name = track.name.map { " \"\($0)\"" } ?? ""
    let start = track.startFrame > 0 ? ", from frame \(track.startFrame)" : ""
    let after = track.isPinned ? "" : ", then \(track.after.rawValue)"
    return "  id \(track.id)\(name): \(motion)\(start)\(after)"
  }
}
