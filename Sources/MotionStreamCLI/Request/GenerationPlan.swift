import Foundation
import Frames
import Media
import MotionStream
import Tracks

/// A request with every choice made and every input read: all that can go wrong before a model is
/// loaded has gone wrong by now.
struct GenerationPlan {
  /// Frames of a clip when neither the user nor the tracks say.
  static let defaultFrames = 81

  /// The request, complete; what the sidecar stores.
  let request: ClipRequest
  /// The model's files.
  let directory: ModelDirectory
  /// Pixels across.
  let width: Int
  /// Pixels down.
  let height: Int
  /// Playback rate.
  let frameRate: Media.FrameRate
  /// Frames to write; nil when endless.
  let frames: Int?
  /// Seed of the noise.
  let seed: UInt64
  /// The prompt; empty when none was given to a model that reads none.
  let prompt: String
  /// The first picture at the clip's size.
  let image: RGBFrame?
  /// The tracks on the clip's canvas at the model's rate.
  let tracks: TrackSampler?

  /// Frames of chunk `index`.
  func frames(inChunk index: Int) -> Int {
    directory.manifest.frames(inChunk: index)
  }

  /// Chunks that `frames` need; nil when endless.
  var chunks: Int? {
    guard let frames else { return nil }
    let first = self.frames(inChunk: 0)
    let later = self.frames(inChunk: 1)
    return frames <= first ? 1 : 1 + (frames - first + later - 1) / later
  }

  /// Completes `asked`, reading the prompt's file, the picture and the tracks.
  init(
    _ asked: ClipRequest, promptFile: String?, locator: ModelLocator, reporter: RunReporter
  ) throws {
    let model = try ChosenModel(asked.model, locator: locator, reporter: reporter)
    try self.init(asked, promptFile: promptFile, model: model, reporter: reporter)
  }

  /// As above, with the model already found, whatever the request says of it.
  init(
    _ asked: ClipRequest, promptFile: String?, model: ChosenModel, reporter: RunReporter
  ) throws {
    var request = asked
    request.model = model.record
    directory = model.directory
    if let promptFile {
      request.prompt = try Self.readPrompt(promptFile)
    }
    let manifest = directory.manifest
    prompt = try Self.prompt(of: request, directory: directory)
    (width, height) = try Self.size(of: request, directory: directory)
    frameRate = try Self.frameRate(of: request, manifest: manifest, reporter: reporter)
    let fit = try Self.fit(of: request)
    image = try Self.readImage(
      &request, fit: fit, size: (width, height), manifest: manifest, reporter: reporter)
    let track = try Self.readTracks(
      &request, fit: fit, size: (width, height), manifest: manifest, reporter: reporter)
    tracks = track
    frames = Self.length(of: request, rate: frameRate, tracks: track, reporter: reporter)
    seed = request.seed ?? UInt64(UInt32.random(in: .min ... .max))

    request.prompt = prompt
    (request.width, request.height) = (width, height)
    request.fps = frameRate.description
    request.imageFit = fit.rawValue
    (request.frames, request.duration) = (frames, nil)
    request.endless = frames == nil ? true : nil
    request.seed = seed
    self.request = request
  }
}

// MARK: Choices

extension GenerationPlan {
  /// A prompt from a file; `-` is standard input.
  static func readPrompt(_ path: String) throws(CommandError) -> String {
    try InputFile.readText(path, role: "--prompt-file", allowStandardInput: true)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func prompt(
    of request: ClipRequest, directory: ModelDirectory
  ) throws(CommandError) -> String {
    if let prompt = request.prompt { return prompt }
    guard directory.textEncoder != nil else { return "" }
    throw CommandError(.usage, "no prompt: expected --prompt or --prompt-file")
  }

  private static func size(
    of request: ClipRequest, directory: ModelDirectory
  ) throws(CommandError) -> (Int, Int) {
    let width = request.width ?? directory.manifest.width
    let height = request.height ?? directory.manifest.height
    let multiple = directory.sizeMultiple
    let sides = 1...VideoOptions.largestSide
    guard sides.contains(width), sides.contains(height),
      width % multiple.width == 0, height % multiple.height == 0
    else {
      let near = { (side: Int, multiple: Int) in
        let most = VideoOptions.largestSide / multiple
        return min(max(1, (side + multiple / 2) / multiple), most) * multiple
      }
      throw CommandError(
        .usage,
        "size \(width)x\(height): expected multiples of \(multiple.width)x\(multiple.height); "
          + "the nearest is \(near(width, multiple.width))x\(near(height, multiple.height))")
    }
    return (width, height)
  }

  private static func frameRate(
    of request: ClipRequest, manifest: MotionStreamManifest, reporter: RunReporter
  ) throws(CommandError) -> Media.FrameRate {
    let own = manifest.frameRate
    guard let text = request.fps else { return own }
    guard let rate = Media.FrameRate(text) else {
      throw CommandError(.badData, "fps: expected a rate such as 16 or 30000/1001, found \(text)")
    }
    if rate != own {
      reporter.warn(
        "--fps \(rate): the model makes \(own) frames a second; the clip will play "
          + (rate.framesPerSecond > own.framesPerSecond ? "faster" : "slower"))
    }
    return rate
  }

  private static func fit(of request: ClipRequest) throws(CommandError) -> ImageFit {
    guard let name = request.imageFit else { return .crop }
    guard let fit = ImageFit(rawValue: name) else {
      throw CommandError(.badData, "image_fit: expected crop, pad or stretch, found \(name)")
    }
    return fit
  }

  /// Frames asked for, else the tracks' own length, else the default.
  private static func length(
    of request: ClipRequest, rate: Media.FrameRate, tracks: TrackSampler?, reporter: RunReporter
  ) -> Int? {
    if request.endless == true { return nil }
    if let frames = request.frames { return frames }
    if let duration = request.duration {
      return max(1, Int((duration * rate.framesPerSecond).rounded()))
    }
    if let last = tracks?.lastFrame {
      reporter.detail("as long as the tracks: \(last + 1) frames")
      return last + 1
    }
    return defaultFrames
  }
}

// MARK: Inputs

extension GenerationPlan {
  private static func readImage(
    _ request: inout ClipRequest, fit: ImageFit, size: (width: Int, height: Int),
    manifest: MotionStreamManifest, reporter: RunReporter
  ) throws -> RGBFrame? {
    guard let asked = request.image else { return nil }
    guard manifest.image.rule != .none else {
      throw CommandError(.usage, "--image: the model \(manifest.name) takes no picture")
    }
    let input = try ImageInput(
      asked, fit: fit, width: size.width, height: size.height, warn: reporter.warn)
    request.image = input.record
    return input.frame
  }

  private static func readTracks(
    _ request: inout ClipRequest, fit: ImageFit, size: (width: Int, height: Int),
    manifest: MotionStreamManifest, reporter: RunReporter
  ) throws -> TrackSampler? {
    guard let asked = request.tracks else { return nil }
    guard manifest.tracks != nil else {
      throw CommandError(.usage, "--tracks: the model \(manifest.name) takes no tracks")
    }
    let input = try TrackInput(asked, warn: reporter.warn)
    for warning in input.warnings { reporter.warn(warning) }
    if input.document.aspectDiffers(from: size) {
      reporter.warn(
        "\(asked.path): the canvas \(input.document.width)x\(input.document.height) does not have "
          + "the shape of \(size.width)x\(size.height); --image-fit \(fit.rawValue) is applied")
    }
    request.tracks = input.record
    return input.sampler(
      fps: manifest.frameRate.framesPerSecond, fit: fit, width: size.width, height: size.height)
  }
}
