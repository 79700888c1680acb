/// Linear, GELU (tanh), linear.
package struct FeedForward: Sendable {
  let up, down: LinearLayer

  init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    let (width, hidden) = (configuration.width, configuration.feedForwardWidth)
    up = try weights.linear("net.0.proj", outputs: hidden, inputs: width)
    down = try weights.linear("net.2", outputs: width, inputs: hidden)
  }

  /// x [L, D] += gate * feed-forward of `normed` [L, D].
  func forward(
    _ normed: Matrix, addingTo x: Matrix, gate: Matrix, workspace: TransformerWorkspace, pool: Pool
  ) {
    let hidden = workspace.hidden.rows(0..<x.rows)
    pool.linear(up, normed, into: hidden, activation: .geluTanh)
    pool.linear(down, hidden, into: x, write: .gatedAdd(gate, rowsPerGate: x.rows))
  }
}

/// One block: modulated self-attention, cross-attention, modulated feed-forward (Wan 2.1).
package struct TransformerBlock: Sendable {
  let epsilon: Float
  let selfAttention: SelfAttention
  let crossAttention: CrossAttention
  let feedForward: FeedForward
  /// Weight and bias of the norm before cross-attention; nil in models without it.
  let crossNorm: (weight: Tensor, bias: Tensor)?
  /// [6, D], to which the time embedding is added.
  let modulationTable: Tensor

  init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    let width = configuration.width
    epsilon = Float(configuration.epsilon)
    selfAttention = try SelfAttention(configuration, weights: weights.scoped("attn1"))
    crossAttention = try CrossAttention(configuration, weights: weights.scoped("attn2"))
    feedForward = try FeedForward(configuration, weights: weights.scoped("ffn"))
    crossNorm =
      configuration.crossAttentionNorm
      ? (
        weight: try weights.tensor("norm2.weight", width),
        bias: try weights.tensor("norm2.bias", width)
      ) : nil
    modulationTable = try weights.tensor("scale_shift_table", 1, 6, width)
  }

  /// x [L, D] through the block of index `layer`.
  func forward(
    _ x: Matrix, layer: Int, modulation: Modulation, context: PromptContext, cache: KVCache,
    workspace: TransformerWorkspace, pool: Pool
  ) {
    let normed = workspace.normed.rows(0..<x.rows)
    normForSelfAttention(x, layer: layer, modulation: modulation, into: normed, pool: pool)
    selfAttention.forward(
      normed, addingTo: x, gate: modulation.block(layer, .gate1), layer: layer, cache: cache,
      workspace: workspace, pool: pool)

    var crossInput = x
    if let crossNorm {
      pool.layerNorm(
        x, into: normed, epsilon: epsilon, weight: crossNorm.weight, bias: crossNorm.bias)
      crossInput = normed
    }
    crossAttention.forward(
      crossInput, addingTo: x, text: context.text[layer], image: context.image?[layer],
      workspace: workspace, pool: pool)

    pool.layerNorm(
      x, into: normed, epsilon: epsilon, scale: modulation.block(layer, .scale2),
      shift: modulation.block(layer, .shift2))
    feedForward.forward(
      normed, addingTo: x, gate: modulation.block(layer, .gate2), workspace: workspace, pool: pool)
  }

  /// Only what the cache needs of the block: its raw keys and values.
  func fillCache(
    _ x: Matrix, layer: Int, modulation: Modulation, cache: KVCache,
    workspace: TransformerWorkspace, pool: Pool
  ) {
    let normed = workspace.normed.rows(0..<x.rows)
    normForSelfAttention(x, layer: layer, modulation: modulation, into: normed, pool: pool)
    selfAttention.fillCache(normed, layer: layer, cache: cache, pool: pool)
  }

  private func normForSelfAttention(
    _ x: Matrix, layer: Int, modulation: Modulation, into normed: Matrix, pool: Pool
  ) {
    pool.layerNorm(
      x, into: normed, epsilon: epsilon, scale: modulation.block(layer, .scale1),
      shift: modulation.block(layer, .shift1))
  }
}
