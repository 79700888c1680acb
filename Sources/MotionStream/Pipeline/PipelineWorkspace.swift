/// The memory that a chunk is made in; holds nothing that the next chunk needs.
final class PipelineWorkspace {
  let transformer: TransformerWorkspace
  let decoder: DecoderWorkspace
  private let grid: LatentGrid
  private let channels: Int
  private let latentsStore, otherStore: Tensor  // [T * C, H*W]
  private let imageStore: Tensor?  // [T * C, H*W]
  private let patchStore, outputStore: Tensor  // [L, C * patch]

  init(model: Model, grid: LatentGrid, rules: CacheIndex.Rules, contextRows: Int) {
    let configuration = model.student.configuration
    self.grid = grid
    channels = configuration.outChannels
    let frames = rules.maximumChunk
    let tokens = frames * grid.tokensPerFrame
    transformer = TransformerWorkspace(
      model.student.transformer, grid: grid, rules: rules, contextRows: contextRows,
      pool: model.pool)
    decoder = model.vaeDecoder.makeWorkspace(latent: grid.pictureSize, pool: model.pool)
    latentsStore = Tensor(frames * channels, grid.pixelsPerFrame)
    otherStore = Tensor(frames * channels, grid.pixelsPerFrame)
    imageStore =
      model.manifest.sampler.prediction == .residual
      ? Tensor(frames * channels, grid.pixelsPerFrame) : nil
    patchStore = Tensor(tokens, configuration.inChannels * grid.patchArea)
    outputStore = Tensor(tokens, configuration.outChannels * grid.patchArea)
  }

  /// The latents of a chunk, [frames * C, H*W].
  func latents(_ frames: Int) -> Matrix { latentsStore.rows(0..<frames * channels) }

  /// Room of the same shape.
  func other(_ frames: Int) -> Matrix { otherStore.rows(0..<frames * channels) }

  /// The transformer's input, [frames * S, in * patch].
  func patches(_ frames: Int) -> Matrix { patchStore.rows(0..<frames * grid.tokensPerFrame) }

  /// For prediction `residual`: the chunk's image channels, [frames * C, H*W].
  func image(_ frames: Int) -> Matrix? { imageStore?.rows(0..<frames * channels) }

  /// The transformer's output, [frames * S, patch * out].
  func output(_ frames: Int) -> Matrix { outputStore.rows(0..<frames * grid.tokensPerFrame) }

  /// The latents in memory of their own, [frames, C, H, W].
  func latents(copying frames: Int) -> Tensor {
    let copy = Tensor(frames, channels, grid.height, grid.width)
    copy.pointer.update(from: latentsStore.pointer, count: copy.count)
    return copy
  }

  /// The memory held, in bytes.
  var byteCount: Int {
    [latentsStore, otherStore, patchStore, outputStore].reduce(
      transformer.byteCount + decoder.byteCount + (imageStore?.byteCount ?? 0)
    ) { $0 + $1.byteCount }
  }
}

extension LatentGrid {
  /// The size of a latent frame, as the autoencoder and the track head call it.
  var pictureSize: PictureSize { PictureSize(height: height, width: width) }
}
