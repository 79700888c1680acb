/// The keys and values of the clean latent frames that later chunks attend to. Fixed memory.
///
/// Keys are kept raw (after their norm, before rotation), because the temporal index of a cached
/// frame changes as the window rolls. A second copy holds them rotated for the current chunk, so
/// that the denoising steps of a chunk rotate the context once and not once each. Rows of all
/// three stores are tokens: cached frames first, then the current chunk.
package final class KVCache {
  /// The stores of one layer, [capacity * S, D] each.
  private struct Layer {
    let rawKeys, rotatedKeys, values: Tensor
  }

  /// Which frames are cached.
  package private(set) var index: CacheIndex
  private let tokensPerFrame: Int
  private let layers: [Layer]

  /// An empty cache for `layers` blocks of width `width`.
  package init(rules: CacheIndex.Rules, tokensPerFrame: Int, layers count: Int, width: Int) {
    index = CacheIndex(rules)
    self.tokensPerFrame = tokensPerFrame
    let rows = rules.capacity * tokensPerFrame
    layers = (0..<count).map { _ in
      Layer(
        rawKeys: Tensor(rows, width), rotatedKeys: Tensor(rows, width),
        values: Tensor(rows, width))
    }
  }

  private init(copying other: KVCache) {
    index = other.index
    tokensPerFrame = other.tokensPerFrame
    layers = other.layers.map {
      Layer(
        rawKeys: $0.rawKeys.copy(), rotatedKeys: $0.rotatedKeys.copy(), values: $0.values.copy())
    }
  }

  /// An independent cache with the same contents.
  package func copy() -> KVCache { KVCache(copying: self) }

  /// The memory held, in bytes.
  package var byteCount: Int {
    layers.reduce(0) {
      $0 + $1.rawKeys.byteCount + $1.rotatedKeys.byteCount + $1.values.byteCount
    }
  }

  /// Tokens of the cached frames.
  package var contextTokens: Int { index.frames.count * tokensPerFrame }

  /// Rotates all cached keys for the current chunk; `cosine` and `sine` start with their angles.
  package func rotateContext(cosine: Matrix, sine: Matrix, heads: Int, pool: Pool) {
    let context = 0..<contextTokens
    if context.isEmpty { return }
    for layer in layers {
      pool.rope(
        layer.rawKeys.rows(context), cosine: cosine.rows(context), sine: sine.rows(context),
        heads: heads, into: layer.rotatedKeys.rows(context))
    }
  }

  /// Where a layer puts the `tokens` raw and rotated keys and the values of the current chunk.
  package func current(
    _ layer: Int, tokens: Int
  ) -> (rawKeys: Matrix, rotatedKeys: Matrix, values: Matrix) {
    let rows = contextTokens..<contextTokens + tokens
    let layer = layers[layer]
    return (layer.rawKeys.rows(rows), layer.rotatedKeys.rows(rows), layer.values.rows(rows))
  }

  /// What a chunk of `tokens` attends to in a layer: context, then the chunk itself.
  func attended(_ layer: Int, tokens: Int) -> (keys: Matrix, values: Matrix) {
    let rows = 0..<contextTokens + tokens
    return (layers[layer].rotatedKeys.rows(rows), layers[layer].values.rows(rows))
  }

  /// The raw keys of one cached frame.
  package func rawKeys(layer: Int, slot: Int) -> [Float] {
    let size = tokensPerFrame * (layers[layer].rawKeys.shape.last ?? 0)
    return Array(
      UnsafeBufferPointer(start: layers[layer].rawKeys.pointer + slot * size, count: size))
  }

  /// Keeps what the last pass left for the current chunk, and evicts.
  package func commit(chunk: Int) {
    let kept = index.commit(chunk: chunk)
    for (slot, source) in kept.enumerated() where source != slot {
      let target = slot * tokensPerFrame..<(slot + 1) * tokensPerFrame
      let from = source * tokensPerFrame..<(source + 1) * tokensPerFrame
      for layer in layers {
        layer.rawKeys.rows(target).assign(layer.rawKeys.rows(from))
        layer.values.rows(target).assign(layer.values.rows(from))
      }
    }
  }
}
