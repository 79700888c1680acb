public import Foundation

/// Track files of other programs, and what each declares about itself.
///
/// Nothing is guessed: what a format does not declare (canvas, frame rate, first frame, duration,
/// the visibility file of a pair) must be in ``ImportOptions``, and ``read(_:name:options:)`` says
/// which option is missing.
public enum TrackFormat: String, Sendable, CaseIterable {
  /// The canonical document, JSON.
  case json
  /// The canonical document, NPZ.
  case npz
  /// CoTracker: `tracks` or `pred_tracks` [1?, T, N, 2] and `visibility` or `pred_visibility`
  /// [1?, T, N], in an NPZ or as `.npy` files. Pixels whose middle is whole; true is visible.
  case cotracker
  /// Wan-Move: two `.npy` files, tracks [1, T, N, 2] and visibility [1, T, N], 16 fps. Pixels with
  /// corner origin; true is visible.
  case wanMove = "wan-move"
  /// ATI: `.pth` holding tracks [N, T, 1, 3] of x, y, visible, all times 8, 24 fps. Pixels of the
  /// picture with corner origin.
  case ati
  /// ComfyUI and KJNodes spline editor: `[{x, y}]`, or a list of those, one place per frame.
  /// Pixels with corner origin.
  case spline = "comfyui"
  /// `frame,track,x,y[,visible]` with that header. Frames from 0, pixels with corner origin; the
  /// track is the id.
  case csv
  /// SVG `path` elements, walked at even speed for the given duration, then held.
  case svg
  /// After Effects clipboard text, positions in pixels with corner origin, comp frames.
  case afterEffects = "after-effects"
  /// Nuke tracker ASCII, one track: `frame x y`, y upwards.
  case nuke
  /// 3DEqualizer 4 point export: frames from 1, y upwards.
  case threeDE = "3de"
  /// Shake tracker text: frames from 1, y upwards.
  case shake
  /// SynthEyes 2-D paths: `name frame u v outcome`, frames from 0, u and v from −1 to 1, v down.
  case synthEyes = "syntheyes"

  /// Whether ``write(_:frames:name:)`` knows the format.
  public var canWrite: Bool {
    switch self {
    case .json, .npz, .cotracker, .wanMove, .ati, .spline, .csv: true
    default: false
    }
  }

  /// Reads a file of this format.
  ///
  /// - Parameters:
  ///   - data: the whole file.
  ///   - name: the file as the user named it, for messages.
  ///   - options: what the file does not say.
  /// - Returns: a valid document, and warnings.
  /// - Throws: ``TrackError`` naming line or track and frame, or the missing option.
  public func read(
    _ data: Data, name: String, options: ImportOptions = ImportOptions()
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    try checkSize(of: data, name: name)
    let request = ImportRequest(data: data, name: name, options: options)
    var result: (document: TrackDocument, warnings: [String])
    switch self {
    case .json, .npz:
      return try TrackDocument.parse(
        data, name: name, options: TrackFileOptions(size: options.size, fps: options.fps))
    case .cotracker: result = (try CoTrackerFormat.read(request), [])
    case .wanMove: result = (try WanMoveFormat.read(request), [])
    case .ati: result = (try ATIFormat.read(request), [])
    case .spline: result = try SplineFormat.read(request)
    case .csv: result = (try CSVFormat.read(request), [])
    case .svg: result = try SVGFormat.read(request)
    case .afterEffects: result = try AfterEffectsFormat.read(request)
    case .nuke: result = (try MatchMoveFormats.readNuke(request), [])
    case .threeDE: result = (try MatchMoveFormats.readThreeDE(request), [])
    case .shake: result = (try MatchMoveFormats.readShake(request), [])
    case .synthEyes: result = (try MatchMoveFormats.readSynthEyes(request), [])
    }
    result.document.source = JSONValue(
      .object([
        JSONMember(name: "format", value: JSONValue(.string(rawValue))),
        JSONMember(name: "file", value: JSONValue(.string(name))),
      ]))
    try result.document.validate(name: name)
    return result
  }

  /// Writes a document in this format.
  ///
  /// Array formats, splines and CSV hold frames 0 to `frames` − 1 at the document's own rate;
  /// easing, names and what follows the end are lost in them.
  ///
  /// - Parameter frames: nil takes the document's own length.
  /// - Returns: one file, and for Wan-Move a second one with the visibility.
  /// - Throws: ``TrackError`` if the format is not written, cannot hold the document, or `frames`
  ///   is needed.
  public func write(
    _ document: TrackDocument, frames: Int? = nil, name: String
  ) throws -> (file: Data, visibility: Data?) {
    switch self {
    case .json: return (document.encode(), nil)
    case .npz: return (try TrackNPZ.encode(document, frames: frames, name: name), nil)
    case .cotracker: return (try CoTrackerFormat.write(document, frames: frames, name: name), nil)
    case .wanMove: return try WanMoveFormat.write(document, frames: frames, name: name)
    case .ati: return (try ATIFormat.write(document, frames: frames, name: name), nil)
    case .spline: return (try SplineFormat.write(document, frames: frames, name: name), nil)
    case .csv: return (try CSVFormat.write(document, frames: frames, name: name), nil)
    default:
      throw TrackError(file: name, reason: "the format \(rawValue) is read but not written")
    }
  }
}

/// What the user says about a file that does not say it itself.
public struct ImportOptions: Sendable {
  /// Canvas of the coordinates in pixels.
  public var size: (width: Int, height: Int)?
  /// Frame rate.
  public var fps: FrameRate?
  /// Number of the first frame, where programs count from 0 or from 1.
  public var firstFrame: Int?
  /// Seconds that a drawn path lasts.
  public var duration: Double?
  /// The visibility file of a pair of `.npy` files.
  public var visibility: (data: Data, name: String)?

  /// Makes options; nil means "not said".
  public init(
    size: (width: Int, height: Int)? = nil, fps: FrameRate? = nil, firstFrame: Int? = nil,
    duration: Double? = nil, visibility: (data: Data, name: String)? = nil
  ) {
    self.size = size
    self.fps = fps
    self.firstFrame = firstFrame
    self.duration = duration
    self.visibility = visibility
  }
}

/// A file to read, with the options and the one way to ask for what is missing.
struct ImportRequest {
  var data: Data
  var name: String
  var options: ImportOptions

  func size() throws(TrackError) -> (width: Int, height: Int) {
    guard let size = options.size else {
      throw missing("the size of its canvas", "--track-size WxH")
    }
    return size
  }

  func fps() throws(TrackError) -> FrameRate {
    guard let fps = options.fps else { throw missing("its frame rate", "--track-fps R") }
    return fps
  }

  func firstFrame() throws(TrackError) -> Int {
    guard let first = options.firstFrame else {
      throw missing("the number of its first frame", "--track-first-frame 0 or 1")
    }
    return first
  }

  func duration() throws(TrackError) -> Double {
    guard let seconds = options.duration else {
      throw missing("how long the movement lasts", "--track-duration SECONDS")
    }
    guard seconds > 0, seconds * (try fps().value) <= Double(TrackLimits.frames) else {
      throw fail(reason: "a duration of \(seconds) seconds is out of range")
    }
    return seconds
  }

  func document(
    _ tracks: [Track], fps: FrameRate, frames: Int? = nil, origin: PixelOrigin = .corner
  ) throws(TrackError) -> TrackDocument {
    let (width, height) = try size()
    return TrackDocument(
      width: width, height: height, pixelOrigin: origin, fps: fps, frameCount: frames,
      tracks: tracks)
  }

  func fail(line: Int? = nil, _ place: String = "", reason: String) -> TrackError {
    TrackError(file: name, line: line, place: place, reason: reason)
  }

  private func missing(_ what: String, _ flag: String) -> TrackError {
    fail(reason: "the file does not say \(what); say it with \(flag)")
  }
}
