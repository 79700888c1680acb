import Tracks

/// How a stream that was given no picture draws its first one.
///
/// A few steps follow a picture well and invent one badly. So latent 0 is made alone, by a
/// transformer of its own that sees the tracks' starts and how far they go but no image channels,
/// in more steps than a chunk but by the same rule: each estimates the clean latent, which is then
/// given fresh noise of the next step's level. Above a noise level the text guides the estimate:
/// out(empty prompt) + guidance (out(prompt) - out(empty prompt)), as in Kynkaanniemi et al. 2024
/// (arXiv 2404.07724). The stream then goes on as if it had been given that picture.
struct PictureDrawing {
  /// One estimate.
  private struct Step {
    /// The noise level.
    let sigma: Float
    let isGuided: Bool
    let modulation: Modulation
  }

  /// Keeps the drawing's noise apart from that of the chunks.
  private static let noiseStream: UInt32 = 1

  /// One latent frame, which attends to nothing but itself.
  static let cacheRules = CacheIndex.Rules(
    sinkFrames: 0, windowFrames: 0, maximumChunk: 1, positions: .slot)

  private let rules: MotionStreamManifest.Drawing
  private let prediction: MotionStreamManifest.Sampler.Prediction
  private let network: Network
  private let grid: LatentGrid
  private let conditions: ConditionChannels
  private let steps: [Step]
  /// The prompt's keys and values, and those of the empty prompt.
  private let told, untold: PromptContext
  private let pool: Pool

  /// Prepares a drawing of latents that the student cuts as `grid` does; `text` [M, text width].
  init(
    _ rules: MotionStreamManifest.Drawing, network: Network, model: Model, grid: LatentGrid,
    text: Tensor, tracks: TrackSampler?
  ) throws(ModelError) {
    let (sampler, pool) = (model.manifest.sampler, model.pool)
    let transformer = network.transformer
    self.rules = rules
    self.network = network
    self.pool = pool
    prediction = sampler.prediction
    self.grid = grid.cut(as: network.configuration)
    conditions = try ConditionChannels(
      model: model, network: network, grid: self.grid, image: nil, tracks: tracks)
    steps = (0..<rules.steps).map { step in
      let sigma = FlowMatchSchedule.shifted(
        1 - Double(step) / Double(rules.steps), by: sampler.shift)
      return Step(
        sigma: Float(sigma), isGuided: sigma > rules.guidanceAbove,
        modulation: transformer.modulation(
          timestep: Double(sampler.trainTimesteps) * sigma, pool: pool))
    }
    told = transformer.context(text: text.matrix, pool: pool)
    let empty = model.directory.textEncoder == nil ? nil : try model.encodePrompt("")
    untold = empty.map { transformer.context(text: $0.values.matrix, pool: pool) } ?? told
  }

  /// The first picture's latent frame [C, H*W], from noise. Its memory is gone afterwards.
  func draw(noise: PhiloxNoise) -> Tensor {
    let configuration = network.configuration
    let pass = Pass(
      cache: KVCache(
        rules: Self.cacheRules, tokensPerFrame: grid.tokensPerFrame, layers: configuration.layers,
        width: configuration.width),
      workspace: TransformerWorkspace(
        network.transformer, grid: grid, rules: Self.cacheRules,
        contextRows: max(told.rows, untold.rows),
        pool: pool),
      patches: Tensor(grid.tokensPerFrame, configuration.inChannels * grid.patchArea),
      output: Tensor(grid.tokensPerFrame, configuration.outChannels * grid.patchArea))
    let latents = Tensor(configuration.outChannels, grid.pixelsPerFrame)
    let clean = Tensor(configuration.outChannels, grid.pixelsPerFrame)
    let unguided = Tensor(configuration.outChannels, grid.pixelsPerFrame)

    let guidance = Float(rules.guidance)
    var carried: CarriedPicture.Memory?
    conditions.write(
      latents: 0..<1, drawn: nil, ahead: rules.ahead, carried: &carried,
      into: pass.patches.matrix, image: nil)
    network.transformer.beginChunk(
      frames: 1, cache: pass.cache, workspace: pass.workspace, pool: pool)
    for (number, step) in steps.enumerated() {
      noise.fill(latents.matrix, frame: 0, step: number, stream: Self.noiseStream, pool: pool)
      if number > 0 {
        pool.axpby(1 - step.sigma, clean.matrix, step.sigma, into: latents.matrix)
      }
      conditions.writeNoise(latents.matrix, into: pass.patches.matrix)
      run(pass, step: step, context: told, into: clean.matrix)
      if step.isGuided {
        run(pass, step: step, context: untold, into: unguided.matrix)
        pool.axpby(1 - guidance, unguided.matrix, guidance, into: clean.matrix)
      }
      // There are no image channels, so the output of a residual is the clean estimate.
      if prediction == .velocity {
        pool.axpby(1, latents.matrix, -step.sigma, into: clean.matrix)
      }
    }
    return clean
  }

  /// What a pass of the network reads and writes.
  private struct Pass {
    let cache: KVCache
    let workspace: TransformerWorkspace
    let patches, output: Tensor
  }

  private func run(_ pass: Pass, step: Step, context: PromptContext, into output: Matrix) {
    network.transformer.velocity(
      pass.patches.matrix, modulation: step.modulation, context: context, cache: pass.cache,
      workspace: pass.workspace, into: pass.output.matrix, pool: pool)
    grid.unpatchify(pass.output.matrix, into: output)
  }
}
