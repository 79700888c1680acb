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
  /// What a transformer pass writes to.
  public let workspace: Int

  /// All of it.
  public var total: Int { weights + cache + decoder + workspace }
}

extension Model {
  /// The memory that a stream of this size needs; the size must be valid.
  public func memoryEstimate(width: Int, height: Int) -> MemoryEstimate {
    let configuration = directory.transformer
    let rules = CacheIndex.Rules(manifest)
    let grid = grid(width: width, height: height)
    let floats = MemoryLayout<Float>.stride
    let tokens = rules.maximumChunk * grid.tokensPerFrame
    let attended = rules.capacity * grid.tokensPerFrame

    let perLayer = 3 * attended + 2 * manifest.maximumTextTokens
    let scratch = pool.attentionScratch(
      queries: tokens, keys: attended, heads: configuration.heads, width: configuration.headWidth)
    // Latents, room of the same shape and the output; for a residual also what it is added to.
    let copies = manifest.sampler.prediction == .residual ? 4 : 3
    let perToken =
      4 * configuration.width + configuration.feedForwardWidth
      + (configuration.inChannels + copies * configuration.outChannels) * grid.patchArea

    // The autoencoder's memory grows with the picture, so a small one tells.
    let small = PictureSize(height: 8, width: 8)
    var smallBytes =
      vaeDecoder.makeMemory(latent: small).byteCount
      + vaeDecoder.makeWorkspace(latent: small, pool: pool).byteCount
    if manifest.image.tail == .tracks {
      smallBytes +=
        vaeEncoder.makeMemory(latent: small).byteCount
        + vaeEncoder.makeWorkspace(latent: small, pool: pool).byteCount
        + PictureWarp.byteCount(small.scaled(by: manifest.spatialCompression))
    }
    return MemoryEstimate(
      weights: weightCount * floats,
      cache: configuration.layers * perLayer * configuration.width * floats,
      decoder: smallBytes / small.count * grid.pixelsPerFrame,
      workspace: (tokens * perToken + attended * configuration.headWidth + scratch) * floats)
  }
}
