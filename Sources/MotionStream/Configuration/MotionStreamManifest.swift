import Foundation

/// `motionstream.json`: what a streaming model needs to know that diffusers has no field for.
public struct MotionStreamManifest: Sendable, Equatable {
  /// Which clean latent frames a chunk may look back at, and where RoPE places them.
  public struct Cache: Sendable, Equatable {
    /// What `sink` and `window` count.
    public enum Unit: String, CaseIterable, Sendable { case chunks, frames }
    /// The temporal index of a cached frame: its place in the cache, or its latent frame index.
    public enum Positions: String, CaseIterable, Sendable { case slot, absolute }
    /// What `sink` and `window` count.
    public let unit: Unit
    /// The start of the stream that is never forgotten, in `unit`.
    public let sink: Int
    /// Past context without the sink and without the current chunk, in `unit`.
    public let window: Int
    /// The temporal index of a cached frame.
    public let positions: Positions
  }

  /// The few-step flow-matching schedule.
  public struct Sampler: Sendable, Equatable {
    /// What the network's output is: noise - clean, or clean - the image channels (what does not
    /// change need not pass the network).
    public enum Prediction: String, CaseIterable, Sendable { case velocity, residual }
    /// The timesteps the network is run at, highest first.
    public let timesteps: [Double]
    /// Whether `timesteps` are read off the shifted table.
    public let warp: Bool
    /// The timestep shift.
    public let shift: Double
    /// Entries of the noise-level table.
    public let trainTimesteps: Int
    /// The timestep of the pass that writes the cache.
    public let commitTimestep: Double
    /// What the network's output is.
    public let prediction: Prediction

    /// Makes rules; those of a file are checked.
    package init(
      timesteps: [Double], warp: Bool, shift: Double, trainTimesteps: Int, commitTimestep: Double,
      prediction: Prediction = .velocity
    ) {
      self.timesteps = timesteps
      self.warp = warp
      self.shift = shift
      self.trainTimesteps = trainTimesteps
      self.commitTimestep = commitTimestep
      self.prediction = prediction
    }
  }

  /// A part of the patch embedding's input channels.
  public enum InputSlot: String, CaseIterable, Sendable { case noise, mask, image, tracks }

  /// How a first picture enters the model.
  public struct Image: Sendable, Equatable {
    /// Not at all, as input channels, or as the committed first latent.
    public enum Rule: String, CaseIterable, Sendable { case none, channels, prefill }
    /// Image channels of the latents after the first: zeros, the latents of grey frames, or the
    /// first latent carried along the tracks.
    public enum Tail: String, CaseIterable, Sendable { case zeros, grey, tracks }
    /// How the picture enters.
    public let rule: Rule
    /// What follows it in the image channels.
    public let tail: Tail
    /// Latent cells as far as which a track moves the picture around its start, along the cheapest
    /// way; for tail `tracks` only.
    public let reach: Double?
    /// How a stream without a picture draws its own; for tail `tracks` only.
    public let drawing: Drawing?
  }

  /// How a stream without a picture draws its own: latent 0 alone, by the transformer in folder
  /// `drawing`, in steps from noise to less noise.
  public struct Drawing: Sendable, Equatable {
    /// Steps from noise to the clean latent.
    public let steps: Int
    /// Guidance by the text; 1 is none.
    public let guidance: Double
    /// The noise level above which the text guides.
    public let guidanceAbove: Double
    /// The network sees how far the tracks have gone after so many frames each; at most r - 1, and
    /// only with ``TrackRules`` `ids` of `origin`.
    public let ahead: [Int]
  }

  /// The model's name.
  public let name: String
  /// Frames a second that the model was trained at.
  public let fps: Double
  /// Default picture size in pixels.
  public let width, height: Int
  /// Pixels of a latent pixel, across and down.
  public let spatialCompression: Int
  /// Pixel frames of a latent frame.
  public let temporalCompression: Int
  /// What a chunk may look back at.
  public let cache: Cache
  /// Latent frames of a chunk.
  public let chunk: Int
  /// Latent frames of the first chunk.
  public let firstChunk: Int
  /// The schedule.
  public let sampler: Sampler
  /// The order of the patch embedding's input channels.
  public let inputSlots: [InputSlot]
  /// How a first picture enters.
  public let image: Image
  /// How tracks enter; nil for a model without tracks.
  public let tracks: TrackRules?
  /// Rows that text embeddings are zero-padded to.
  public let maximumTextTokens: Int

  /// Latent frames that are never evicted. A sink chunk counts its own frames: the first chunk of
  /// a stream may be shorter than the others.
  public var sinkFrames: Int {
    if cache.unit == .frames || cache.sink == 0 { return cache.sink }
    return firstChunk + (cache.sink - 1) * chunk
  }

  /// Latent frames of rolling past context.
  public var windowFrames: Int { cache.window * (cache.unit == .chunks ? chunk : 1) }

  /// The file's name inside a model directory.
  static let file = "motionstream.json"

  /// Reads the file of a model directory.
  init(directory: String) throws(ModelError) {
    try self.init(ConfigurationReader(directory: directory, file: MotionStreamManifest.file))
  }

  /// Reads a JSON text; messages call it `motionstream.json`.
  package init(json: String) throws(ModelError) {
    try self.init(ConfigurationReader(Data(json.utf8), file: MotionStreamManifest.file))
  }

  private init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    let format = try reader.text("format")
    guard format == "motionstream-model" else {
      throw reader.contradiction("format", "expected \"motionstream-model\", found \"\(format)\"")
    }
    _ = try reader.integer("version", in: 1...1)
    name = try reader.text("name")
    fps = try reader.number("fps", in: 1...240)
    width = try reader.integer("width", in: 1...16384)
    height = try reader.integer("height", in: 1...16384)
    spatialCompression = try reader.integer("spatial_compression", in: 1...256)
    temporalCompression = try reader.integer("temporal_compression", in: 1...64)
    cache = try Cache(reader.object("cache"))
    chunk = try reader.integer("chunk", in: 1...64)
    firstChunk = try reader.integer("first_chunk", in: 1...64)
    sampler = try Sampler(reader.object("sampler"))
    inputSlots = try reader.choices("input_slots")
    image = try Image(reader.object("image"))
    tracks = try reader.optionalObject("tracks", required: true).map(TrackRules.init)
    var text = try reader.object("text")
    maximumTextTokens = try text.integer("max_tokens", in: 1...4096)
    try text.refuseUnknown()
    try reader.refuseUnknown()
    try check(reader)
  }

  private func check(_ reader: ConfigurationReader) throws(ModelError) {
    guard inputSlots.contains(.noise) else {
      throw reader.contradiction("input_slots", "\"noise\" is not among them")
    }
    guard inputSlots.contains(.tracks) == (tracks != nil) else {
      throw reader.contradiction(
        "input_slots", "\"tracks\" must be among them exactly if \"tracks\" is not null")
    }
    guard inputSlots.contains(.image) == (image.rule == .channels) else {
      throw reader.contradiction(
        "input_slots", "\"image\" must be among them exactly if image.rule is \"channels\"")
    }
    guard sampler.prediction == .velocity || image.rule == .channels else {
      throw reader.contradiction(
        "sampler.prediction", "\"residual\" needs image.rule \"channels\"")
    }
    if let ahead = image.drawing?.ahead, !ahead.isEmpty {
      guard ahead.count < temporalCompression else {
        throw reader.contradiction(
          "image.drawing.ahead", "\(ahead) are not fewer than temporal_compression")
      }
      guard tracks?.ids == .origin else {
        throw reader.contradiction("image.drawing.ahead", "needs tracks.ids \"origin\"")
      }
    }
    guard !inputSlots.contains(.mask) || image.rule == .channels else {
      throw reader.contradiction("input_slots", "\"mask\" needs image.rule \"channels\"")
    }
  }
}

extension MotionStreamManifest.Cache {
  fileprivate init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    unit = try reader.choice("unit")
    sink = try reader.integer("sink", in: 0...256)
    window = try reader.integer("window", in: 0...256)
    positions = try reader.choice("positions")
    try reader.refuseUnknown()
  }
}

extension MotionStreamManifest.Sampler {
  fileprivate init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    trainTimesteps = try reader.integer("train_timesteps", in: 1...1_000_000)
    timesteps = try reader.numbers("timesteps", atMost: 1000, in: 0...Double(trainTimesteps))
    warp = try reader.bool("warp")
    shift = try reader.number("shift", in: 0.01...100)
    commitTimestep = try reader.number("commit_timestep", in: 0...Double(trainTimesteps))
    prediction = try reader.optionalChoice("prediction") ?? .velocity
    try reader.refuseUnknown()
    guard zip(timesteps, timesteps.dropFirst()).allSatisfy(>), (timesteps.last ?? 0) > 0 else {
      throw reader.contradiction("timesteps", "\(timesteps) do not fall from step to step above 0")
    }
  }
}

extension MotionStreamManifest.Image {
  fileprivate init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    rule = try reader.choice("rule")
    tail = try reader.choice("tail")
    reach = try reader.optionalNumber("reach", in: 0.5...1000)
    drawing = try reader.optionalObject("drawing", required: false).map(
      MotionStreamManifest.Drawing.init)
    try reader.refuseUnknown()
    for (name, given) in [("reach", reach != nil), ("drawing", drawing != nil)]
    where given != (tail == .tracks) {
      throw reader.contradiction(name, "expected exactly if image.tail is \"tracks\"")
    }
    guard tail != .tracks || rule == .channels else {
      throw reader.contradiction("tail", "\"tracks\" needs image.rule \"channels\"")
    }
  }
}

extension MotionStreamManifest.Drawing {
  fileprivate init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    steps = try reader.integer("steps", in: 1...1000)
    guidance = try reader.number("guidance", in: 0...100)
    guidanceAbove = try reader.optionalNumber("guidance_above", in: 0...1) ?? 0
    ahead = try reader.optionalIntegers("ahead", count: 0...63, in: 1...100_000) ?? []
    try reader.refuseUnknown()
    guard zip(ahead, ahead.dropFirst()).allSatisfy(<) else {
      throw reader.contradiction("ahead", "\(ahead) do not rise")
    }
  }
}
