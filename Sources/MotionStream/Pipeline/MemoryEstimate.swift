/// Memory that a stream of one size needs, in bytes. The text encoder's is not in it: its blocks
/// are read and dropped one by one while the prompt is encoded.
public struct MemoryEstimate: Sendable, Equatable {
  /// Packed weights of the transformer and the autoencoder.
  public let weights: Int
  /// Keys and values of the past and of the prompt.
  public let cache: Int
  /// The memory and working pictures of the decoder and, where tracks move the first picture, of
  /// the encoder.
  public let decoder: Int
  /// What a transformer pass writes to, and what drawing a first picture needs for a moment.
  public let workspace: Int

  /// All of it.
  public var total: Int { weights + cache + decoder + workspace }
}

extension Model {
  /// The memory that a stream of this size needs; the size must be valid.
  public func memoryEstimate(width: Int, height: Int) -> MemoryEstimate {
    let grid = grid(width: width, height: height)
    let floats = MemoryLayout<Float>.stride
    // Latents, room of the same shape and the output; for a residual also what it is added to.
    let copies = manifest.sampler.prediction == .residual ? 4 : 3
    let student = passMemory(
      student, grid: grid, rules: CacheIndex.Rules(manifest), copies: copies)
    var drawn = 0
    if let network = drawing {
      let memory = passMemory(
        network, grid: grid.cut(as: network.configuration),
        rules: PictureDrawing.cacheRules, copies: 4)
      drawn = memory.cache + memory.workspace
    }

    // The autoencoder's memory grows with the picture, so a small one tells; its scratch does not.
    let small = PictureSize(height: 8, width: 8)
    let latent = PictureSize(height: grid.height, width: grid.width)
    var smallBytes =
      vaeDecoder.makeMemory(latent: small).byteCount
      + vaeDecoder.makeWorkspace(latent: small, pool: pool).byteCount
      - vaeDecoder.scratchCount(small, pool) * floats
    var scratch = vaeDecoder.scratchCount(latent, pool)
    if manifest.image.tail == .tracks {
      smallBytes +=
        vaeEncoder.makeMemory(latent: small).byteCount
        + vaeEncoder.makeWorkspace(latent: small, pool: pool).byteCount
        - vaeEncoder.scratchCount(small, pool) * floats
        + PictureWarp.byteCount(small.scaled(by: manifest.spatialCompression))
      scratch += vaeEncoder.scratchCount(latent, pool)
    }
    return MemoryEstimate(
      weights: weightCount * floats,
      cache: student.cache * floats,
      decoder: smallBytes / small.count * grid.pixelsPerFrame + scratch * floats,
      workspace: (student.workspace + drawn) * floats)
  }

  /// Values that a transformer's cache holds, and that its passes write to, `copies` of the output
  /// among them.
  private func passMemory(
    _ network: Network, grid: LatentGrid, rules: CacheIndex.Rules, copies: Int
  ) -> (cache: Int, workspace: Int) {
    let configuration = network.configuration
    let tokens = rules.maximumChunk * grid.tokensPerFrame
    let attended = rules.capacity * grid.tokensPerFrame
    let perLayer = 3 * attended + 2 * manifest.maximumTextTokens
    let scratch = pool.attentionScratch(
      queries: tokens, keys: attended, heads: configuration.heads, width: configuration.headWidth)
    let perToken =
      4 * configuration.width + configuration.feedForwardWidth
      + (configuration.inChannels + copies * configuration.outChannels) * grid.patchArea
    // The cell head's memory grows with the picture, so a small one tells; its scratch does not.
    let small = LatentGrid(
      height: 8 * grid.patchHeight, width: 8 * grid.patchWidth, patchHeight: grid.patchHeight,
      patchWidth: grid.patchWidth)
    var cells = 0
    var cellScratch = 0
    if let head = network.transformer.cellHead {
      cells =
        head.makeWorkspace(small, pool: pool).byteCount / MemoryLayout<Float>.stride
        - head.scratchCount(small, pool)
      cellScratch = head.scratchCount(grid, pool)
    }
    return (
      configuration.layers * perLayer * configuration.width,
      tokens * perToken + attended * configuration.headWidth + scratch
        + cells / small.tokensPerFrame * grid.tokensPerFrame + cellScratch
    )
  }
}
