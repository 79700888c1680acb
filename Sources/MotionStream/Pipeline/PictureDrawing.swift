/// How a stream that was given no picture draws its first one.
///
/// A few steps follow a picture well and invent one badly. So latent 0 is made alone, with the
/// tracks' starts and how far they go but without image channels, along the flow's ODE from noise,
/// guided by the text:
/// out(empty prompt) + guidance (out(prompt) - out(empty prompt)). The stream then goes on as if it
/// had been given that picture.
struct PictureDrawing {
  /// One Euler step.
  struct Step {
    /// The noise level before it.
    let sigma: Float
    /// The noise level after it less `sigma`.
    let change: Float
    let modulation: Modulation
  }

  /// Keeps the drawing's noise apart from that of the chunks.
  static let noiseStream: UInt32 = 1

  let steps: [Step]
  /// Frames after which the network sees how far the tracks have gone.
  let ahead: [Int]
  private let guidance: Float
  private let prediction: MotionStreamManifest.Sampler.Prediction
  /// The prompt's keys and values, and those of the empty prompt.
  private let told, untold: PromptContext
  private let pool: Pool
  private let unguided: Tensor

  /// Prepares the steps for latents of `pixels` pixels; `context` is the prompt's.
  init(
    _ rules: MotionStreamManifest.Drawing, model: Model, context: PromptContext, pixels: Int
  ) throws(ModelError) {
    let sampler = model.manifest.sampler
    let levels = (0...rules.steps).map { step in
      FlowMatchSchedule.shifted(1 - Double(step) / Double(rules.steps), by: sampler.shift)
    }
    let pool = model.pool
    self.pool = pool
    steps = zip(levels, levels.dropFirst()).map { sigma, after in
      Step(
        sigma: Float(sigma), change: Float(after - sigma),
        modulation: model.transformer.modulation(
          timestep: Double(sampler.trainTimesteps) * sigma, pool: pool))
    }
    ahead = rules.ahead
    guidance = Float(rules.guidance)
    prediction = sampler.prediction
    told = context
    let empty = model.directory.textEncoder == nil ? nil : try model.encodePrompt("")
    untold = empty.map { model.transformer.context(text: $0.values.matrix, pool: pool) } ?? context
    unguided = Tensor(model.directory.transformer.outChannels, pixels)
  }

  /// The guided velocity [C, H*W] of the noisy latent x. `run` makes the network's output for x
  /// with a prompt.
  func velocity(
    at step: Step, of x: Matrix, into velocity: Matrix, run: (PromptContext, Matrix) -> Void
  ) {
    run(untold, unguided.matrix)
    run(told, velocity)
    pool.axpby(1 - guidance, unguided.matrix, guidance, into: velocity)
    if prediction == .residual {  // There are no image channels: the output is the clean estimate.
      pool.axpby(1 / step.sigma, x, -1 / step.sigma, into: velocity)
    }
  }
}
