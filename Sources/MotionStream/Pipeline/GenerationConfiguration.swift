/// One run of a model.
public struct GenerationConfiguration: Sendable, Equatable {
  /// Width of the pictures in pixels; see ``Model/sizeMultiple``.
  public var width: Int
  /// Height of the pictures in pixels; see ``Model/sizeMultiple``.
  public var height: Int
  /// Picks the noise: the same seed gives the same clip.
  public var seed: UInt64
  /// Denoising steps of a chunk: the first so many of the model's list; nil for all of them.
  public var steps: Int?

  /// A run of a given size.
  public init(width: Int, height: Int, seed: UInt64, steps: Int? = nil) {
    self.width = width
    self.height = height
    self.seed = seed
    self.steps = steps
  }

  /// A run of a model's own size.
  public init(_ manifest: MotionStreamManifest, seed: UInt64) {
    self.init(width: manifest.width, height: manifest.height, seed: seed)
  }

  /// Throws `.usage` for what the model cannot do.
  func validate(for model: Model) throws(ModelError) {
    guard model.validSize(width: width, height: height) else {
      let multiple = model.sizeMultiple
      throw ModelError(
        .usage,
        "size \(width)x\(height): expected a width that is a multiple of \(multiple.width) and a "
          + "height that is a multiple of \(multiple.height), up to \(Model.maximumSide)")
    }
    let listed = model.manifest.sampler.timesteps.count
    if let steps, !(1...listed).contains(steps) {
      throw ModelError(.usage, "steps: expected 1 to \(listed) for this model, found \(steps)")
    }
  }
}
