public import Frames
public import Tracks

/// A running stream: prompt, picture and tracks in, pictures out, chunk by chunk, without end
/// (MotionStream, section 3.3).
///
/// The first chunk gives 1 + r (n - 1) pictures for its n latent frames, every other chunk r n,
/// where r is the model's temporal compression. After an error the state is that before the call.
public final class StreamingPipeline {
  /// The running state. Setting it moves the stream to that moment; it must come from a pipeline
  /// of the same model and size.
  public var state: StreamState
  /// What the stream makes.
  public let configuration: GenerationConfiguration
  /// Whether chunks come with their latents.
  package var keepsLatents = false

  private let model: Model
  private let grid: LatentGrid
  private let schedule: FlowMatchSchedule
  private let noise: PhiloxNoise
  private let context: PromptContext
  private let modulations: [Modulation]
  private let commitModulation: Modulation
  private let prefillModulation: Modulation?
  private let conditions: ConditionChannels
  private let drawing: PictureDrawing?
  private let workspace: PipelineWorkspace

  /// Prepares a stream.
  ///
  /// - Parameters:
  ///   - prompt: from ``Model/encodePrompt(_:)``; nil for no text at all.
  ///   - image: the first picture, already of the stream's size; nil for none.
  ///   - tracks: evaluated at the numbers of the stream's pictures, in its pixels; nil for none,
  ///     which is not the same as tracks that are all hidden.
  public init(
    model: Model, configuration: GenerationConfiguration, prompt: PromptEmbedding?,
    image: RGBFrame? = nil, tracks: TrackSampler? = nil
  ) throws(ModelError) {
    try configuration.validate(for: model)
    self.model = model
    self.configuration = configuration
    let transformer = model.student.transformer
    let pool = model.pool
    let manifest = model.manifest
    grid = model.grid(width: configuration.width, height: configuration.height)
    schedule = FlowMatchSchedule(manifest.sampler, steps: configuration.steps)
    noise = PhiloxNoise(seed: configuration.seed)
    conditions = try ConditionChannels(
      model: model, network: model.student, grid: grid, image: image, tracks: tracks)

    let text =
      prompt?.values ?? Tensor(manifest.maximumTextTokens, model.directory.transformer.textWidth)
    context = transformer.context(text: text.matrix, pool: pool)
    modulations = schedule.steps.map {
      transformer.modulation(timestep: $0.timestep, pool: pool)
    }
    commitModulation = transformer.modulation(timestep: schedule.commitTimestep, pool: pool)
    prefillModulation =
      conditions.prefill == nil ? nil : transformer.modulation(timestep: 0, pool: pool)

    if image == nil, let rules = manifest.image.drawing {
      guard let network = model.drawing else {
        throw ModelError(.usage, "expected a first picture: this model was loaded not to draw one")
      }
      drawing = try PictureDrawing(
        rules, network: network, model: model, grid: grid, text: text, tracks: tracks)
    } else {
      drawing = nil
    }

    let rules = CacheIndex.Rules(manifest)
    workspace = PipelineWorkspace(
      model: model, grid: grid, rules: rules, contextRows: context.rows)
    let cache = KVCache(
      rules: rules, tokensPerFrame: grid.tokensPerFrame, layers: transformer.configuration.layers,
      width: transformer.configuration.width)
    state = StreamState(
      cache: cache, decoder: model.vaeDecoder.makeMemory(latent: grid.pictureSize))
  }

  /// Latent frames of the next chunk.
  public var nextChunkLatents: Int {
    guard state.chunkCount == 0 else { return model.manifest.chunk }
    return conditions.prefill == nil ? model.manifest.firstChunk : 1
  }

  /// Makes the next chunk.
  public func next() throws(ModelError) -> ChunkOutput {
    var timings = StageTimings()
    var clock = StageClock()
    let frames = nextChunkLatents
    let start = state.nextLatent
    let cache = state.uniqueCache()
    let latents = workspace.latents(frames)

    // 0. A stream without a picture draws its own.
    var drawn = state.drawn
    if state.chunkCount == 0, let drawing {
      drawn = drawing.draw(noise: noise)
      timings.drawing = clock.lap()
    }

    // 1. Tracks and picture become input channels; sink and window get this chunk's positions.
    var carried = state.carried
    conditions.write(
      latents: start..<start + frames, drawn: drawn, carried: &carried,
      into: workspace.patches(frames), image: workspace.image(frames))
    model.student.transformer.beginChunk(
      frames: frames, cache: cache, workspace: workspace.transformer, pool: model.pool)
    timings.conditions = clock.lap()

    // 2. Noise becomes clean latents in a few steps; or the picture is the first latent frame.
    let prefill = state.chunkCount == 0 ? conditions.prefill : nil
    if let prefill {
      latents.assign(prefill.matrix(rows: latents.rows))
    } else {
      for step in schedule.steps.indices {
        denoise(step: step, start: start, frames: frames, cache: cache)
        timings.denoise.append(clock.lap())
      }
    }
    try checkFinite(latents, start: start)

    // 3. One clean pass leaves the chunk's keys and values for the chunks to come.
    conditions.writeNoise(latents, into: workspace.patches(frames))
    model.student.transformer.fillCache(
      workspace.patches(frames),
      modulation: prefill == nil ? commitModulation : prefillModulation ?? commitModulation,
      context: context, cache: cache, workspace: workspace.transformer, pool: model.pool)
    cache.commit(chunk: frames)
    (state.drawn, state.carried) = (drawn, carried)
    timings.commit = clock.lap()

    // 4. Latents become pictures.
    let pictures = decode(frames: frames)
    timings.decode = clock.lap()

    let output = ChunkOutput(
      index: state.chunkCount, firstFrame: state.frameCount, frames: pictures, timings: timings,
      latents: keepsLatents ? workspace.latents(copying: frames) : nil)
    state.chunkCount += 1
    state.frameCount += pictures.count
    return output
  }

  /// One step: from noise level sigma to the clean estimate. The first step starts from noise, every
  /// other from the last estimate with fresh noise.
  private func denoise(step: Int, start: Int, frames: Int, cache: KVCache) {
    let pool = model.pool
    let sigma = Float(schedule.steps[step].sigma)
    let latents = workspace.latents(frames)
    let other = workspace.other(frames)

    fillNoise(step == 0 ? latents : other, start: start, frames: frames, step: step)
    if step > 0 { pool.axpby(sigma, other, 1 - sigma, into: latents) }

    conditions.writeNoise(latents, into: workspace.patches(frames))
    model.student.transformer.velocity(
      workspace.patches(frames), modulation: modulations[step], context: context, cache: cache,
      workspace: workspace.transformer, into: workspace.output(frames), pool: pool)
    grid.unpatchify(workspace.output(frames), into: other)
    if let image = workspace.image(frames) {
      latents.assign(image)
      pool.axpby(1, other, 1, into: latents)  // x0 = image + residual
    } else {
      pool.axpby(-sigma, other, 1, into: latents)  // x0 = x - sigma v
    }
  }

  private func fillNoise(_ latents: Matrix, start: Int, frames: Int, step: Int) {
    let channels = latents.rows / frames
    for frame in 0..<frames {
      noise.fill(
        latents.rows(frame * channels..<(frame + 1) * channels), frame: start + frame, step: step,
        pool: model.pool)
    }
  }

  private func decode(frames: Int) -> [RGBFrame] {
    let latents = workspace.latents(frames)
    let channels = latents.rows / frames
    var pictures: [RGBFrame] = []
    for frame in 0..<frames {
      pictures += model.vaeDecoder.decode(
        latents.rows(frame * channels..<(frame + 1) * channels), memory: &state.decoder,
        workspace: workspace.decoder, pool: model.pool)
    }
    return pictures
  }

  /// Broken weights show here first; better an error than a black clip.
  private func checkFinite(_ latents: Matrix, start: Int) throws(ModelError) {
    for i in 0..<latents.rows * latents.columns where !latents.base[i].isFinite {
      throw ModelError(
        .internalCheck,
        "chunk \(state.chunkCount) (latent frame \(start) on): the transformer gave a value that "
          + "is not finite; the weights may be damaged")
    }
  }
}
