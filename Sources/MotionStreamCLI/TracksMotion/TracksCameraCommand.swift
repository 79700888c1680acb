package import ArgumentParser
import Foundation
package import Motion
package import Tracks

/// `motionstream tracks camera`: a camera move as point tracks.
package struct TracksCameraCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "camera",
    abstract: "Turn a camera move into tracks, with parallax if there is a depth map.",
    discussion: """
      Amounts: degrees for pan, tilt, roll and orbit; a factor for zoom; for dolly the way forward \
      as a share of the pivot's depth. The pivot, which orbit goes around, is the median depth. \
      Without --depth the scene is a plane at depth 1 that faces the first camera: pan, tilt, zoom \
      and roll are exact, dolly and orbit have no parallax within the picture. Depth must be in the \
      units of the poses. Points that another surface of the first picture covers are hidden.
      """)

  @OptionGroup package var writing: TrackWritingOptions

  @Option(help: "A named move.")
  package var preset: CameraPreset?

  @Option(
    help: ArgumentHelp(
      "How far (default: turns 15, tilts 8, roll 10, zoom 1.4, dolly 0.3).", valueName: "number"))
  package var amount: Double?

  @Option(help: "How a named move is spread over time: linear, ease_in, ease_out, ease_in_out.")
  package var ease = Easing.easeInOut

  @Option(
    help: ArgumentHelp(
      "RealEstate10K pose file: a line per frame, world to camera.", valueName: "file"))
  package var realestate: String?

  @Option(
    help: ArgumentHelp(
      "Folder with COLMAP's images.txt and cameras.txt, frames by name.", valueName: "folder"))
  package var colmap: String?

  @Option(help: ArgumentHelp("Canvas in pixels.", valueName: "WxH"))
  package var size: String

  @Option(
    help: ArgumentHelp("Length (default: 81, or as many as there are poses).", valueName: "n"))
  package var frames: Int?

  @Option(help: ArgumentHelp("Frames per second.", valueName: "rate"))
  package var fps = "16"

  @Option(help: ArgumentHelp("Columns and rows of points.", valueName: "CxR"))
  package var grid = PointGrid.standard.description

  @Option(help: ArgumentHelp("Focal length in pixels of the canvas.", valueName: "pixels"))
  package var focal: Double?

  @Option(
    help: ArgumentHelp("Horizontal field of view, instead of --focal.", valueName: "degrees"))
  package var fieldOfView = 60.0

  @Option(
    help: ArgumentHelp(
      "Depth of the first picture: npy, npz, PFM, or 8 or 16-bit grey PNG.", valueName: "file"))
  package var depth: String?

  @Option(
    help: ArgumentHelp(
      "Multiplies the depth file's numbers; 0.001 for millimetres.", valueName: "factor"))
  package var depthScale = 1.0

  @Option(help: "What the depth file holds: depth, or inverse (MiDaS, disparity).")
  package var depthMeaning = DepthMap.Meaning.depth

  @OptionGroup package var volume: QuietOption

  package init() {}

  package mutating func validate() throws {
    let sources = [preset != nil, realestate != nil, colmap != nil].count { $0 }
    guard sources == 1 else {
      throw ValidationError("Give exactly one of --preset, --realestate and --colmap.")
    }
    _ = try TrackArgument.size(size, "--size")
    _ = try TrackArgument.grid(grid)
    _ = try TrackArgument.rate(fps)
    if let amount {
      guard let preset else { throw ValidationError("--amount: only with --preset.") }
      guard preset.unit.allows(amount) else {
        throw ValidationError("--amount: \(amount) is no sensible \(preset.unit.rawValue).")
      }
    }
    guard ease != .spline, ease != .hold else {
      throw ValidationError("--ease: expected linear, ease_in, ease_out or ease_in_out.")
    }
    if let frames, !(1...100_000).contains(frames) {
      throw ValidationError("--frames: expected 1 to 100000, found \(frames).")
    }
    if let focal, !(focal > 0 && focal.isFinite) {
      throw ValidationError("--focal: expected pixels above 0, found \(focal).")
    }
    guard (1...170).contains(fieldOfView) else {
      throw ValidationError("--field-of-view: expected 1 to 170 degrees, found \(fieldOfView).")
    }
    guard depthScale > 0, depthScale.isFinite else {
      throw ValidationError("--depth-scale: expected a factor above 0, found \(depthScale).")
    }
  }

  package func run() throws {
    let (width, height) = try TrackArgument.size(size, "--size")
    let map = try depth.map { path in
      try DepthMap.parse(
        Data(InputFile.read(path, role: "--depth")), name: path, scale: depthScale,
        meaning: depthMeaning)
    }
    let scene = CameraTracks(width: width, height: height, depth: map)
    let views = try views(width: width, height: height, pivot: scene.pivot)
    let places = try TrackArgument.grid(grid).points(width: width, height: height)
    guard views.count <= TrackLimits.points / places.count else {
      throw CommandError(
        .usage, "\(views.count) frames of \(places.count) points are too many; use a smaller --grid"
      )
    }
    let (tracks, withoutDepth) = scene.tracks(places, views: views)
    if withoutDepth > 0, !volume.quiet {
      Console().line("warning: \(withoutDepth) points have no depth and are left out")
    }
    try writing.write(
      TrackDocument(
        width: width, height: height, fps: TrackArgument.rate(fps), frameCount: views.count,
        tracks: tracks, source: TrackArgument.source("camera", sourceFields)))
  }

  private func views(width: Int, height: Int, pivot: Double) throws -> [CameraView] {
    if let preset {
      let focal = self.focal ?? Intrinsics.focal(fieldOfView: fieldOfView, width: width)
      return preset.views(
        amount: amount ?? preset.defaultAmount, ease: ease, frames: frames ?? 81,
        intrinsics: Intrinsics(focal: focal, width: width, height: height), pivot: pivot)
    }
    var views: [CameraView] = []
    if let realestate {
      views = try PoseFiles.realEstate10K(
        Data(InputFile.read(realestate, role: "--realestate")), name: realestate, width: width,
        height: height)
    } else if let colmap {
      let (cameras, images) = (colmap + "/cameras.txt", colmap + "/images.txt")
      views = try PoseFiles.colmap(
        cameras: Data(InputFile.read(cameras, role: "--colmap")), camerasName: cameras,
        images: Data(InputFile.read(images, role: "--colmap")), imagesName: images, width: width,
        height: height)
    }
    guard let frames else { return views }
    guard frames <= views.count else {
      throw CommandError(
        .badData, "--frames: \(frames) wanted, but there are only \(views.count) poses")
    }
    return Array(views.prefix(frames))
  }

  private var sourceFields: [(String, String)] {
    var fields: [(String, String)] = []
    if let preset {
      fields += [
        ("preset", preset.rawValue), ("amount", "\(amount ?? preset.defaultAmount)"),
        ("ease", ease.rawValue),
      ]
    }
    if let file = realestate ?? colmap { fields.append(("poses", file)) }
    fields.append(("depth", depth ?? "plane at depth 1"))
    return fields
  }
}
