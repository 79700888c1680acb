// Letters: L tokens of a prompt, D residual width, H heads, E head width, F feed-forward width.

/// The encoder of umT5: pre-norm blocks of attention and gated feed-forward, no biases, no scaling
/// of the attention scores, and, unlike T5, a table of relative position biases in every block.
///
/// Only files and sizes are held. A prompt is encoded once per run and the weights can be far larger
/// than the rest of the model, so each block is loaded, run and dropped, and of the embedding table
/// only the prompt's rows are read.
package struct TextEncoder: Sendable {
  /// The sizes.
  package let configuration: TextEncoderConfiguration
  private let files: WeightFiles

  /// Checks that the files hold this encoder under Hugging Face's UMT5EncoderModel names.
  package init(_ configuration: TextEncoderConfiguration, files: WeightFiles) throws(ModelError) {
    self.configuration = configuration
    self.files = files
    _ = try weights()
  }

  /// How the files differ from the configuration.
  package static func findings(
    _ configuration: TextEncoderConfiguration, files: WeightFiles
  ) throws(ModelError) -> WeightFindings {
    try Weights.findings(files) { weights throws(ModelError) in
      try request(configuration, weights)
    }
  }

  /// The embedding [rows, D] of `ids`, an end token last; rows past the prompt's length are zero.
  ///
  /// The prompt is encoded at its own length. That equals what Wan does (pad to a fixed length, mask
  /// the padding, cut to the true length), and like Wan's the result is padded with zeros again.
  package func encode(_ ids: [Int32], rows: Int, pool: Pool) throws(ModelError) -> Tensor {
    precondition(ids.count <= rows, "\(ids.count) tokens for \(rows) rows")
    let result = Tensor(rows, configuration.width)
    guard !ids.isEmpty else { return result }
    let weights = try weights()
    let x = Tensor(ids.count, configuration.width)  // [L, D]
    for (row, id) in ids.enumerated() {
      guard (0..<configuration.vocabularySize).contains(Int(id)) else {
        throw ModelError(
          .badModel,
          "\(files.path): the tokenizer's id \(id) is not among the \(configuration.vocabularySize)"
            + " rows of shared.weight")
      }
      weights.read("shared.weight", row: Int(id), into: x.rows(row..<row + 1))
    }
    let workspace = EncoderWorkspace(configuration, length: ids.count, pool: pool)
    for layer in 0..<configuration.layers {
      let block = try EncoderBlock(configuration, weights.scoped("encoder.block", layer))
      block.forward(x.matrix, workspace: workspace, pool: pool)
    }
    let norm = try weights.tensor("encoder.final_layer_norm.weight", configuration.width)
    pool.rmsNorm(
      x.matrix, into: result.rows(0..<ids.count), weight: norm, epsilon: configuration.epsilon)
    return result
  }

  private func weights() throws(ModelError) -> Weights {
    try Weights.checked(files) { weights throws(ModelError) in
      try Self.request(configuration, weights)
    }
  }

  /// Asks for everything `encode` will read.
  private static func request(
    _ configuration: TextEncoderConfiguration, _ weights: Weights
  ) throws(ModelError) {
    weights.table(
      "shared.weight", rows: configuration.vocabularySize, columns: configuration.width)
    weights.ignore("encoder.embed_tokens.weight")  // the same table; some exports write it twice
    for layer in 0..<configuration.layers {
      _ = try EncoderBlock(configuration, weights.scoped("encoder.block", layer))
    }
    _ = try weights.tensor("encoder.final_layer_norm.weight", configuration.width)
  }
}

/// Room for one prompt's intermediate results.
private struct EncoderWorkspace {
  let normalised: Tensor  // [L, D]
  let query: Tensor, key: Tensor, value: Tensor, attended: Tensor  // [L, H*E]
  let gate: Tensor, hidden: Tensor  // [L, F]
  let scratch: Tensor

  init(_ configuration: TextEncoderConfiguration, length: Int, pool: Pool) {
    let heads = configuration.heads
    let inner = heads * configuration.headWidth
    normalised = Tensor(length, configuration.width)
    query = Tensor(length, inner)
    key = Tensor(length, inner)
    value = Tensor(length, inner)
    attended = Tensor(length, inner)
    gate = Tensor(length, configuration.feedForwardWidth)
    hidden = Tensor(length, configuration.feedForwardWidth)
    scratch = Tensor(
      pool.attentionScratch(
        queries: length, keys: length, heads: heads, width: configuration.headWidth))
  }
}

/// x += o(attention(norm(x))), then x += wo(gelu(wi_0(norm(x))) * wi_1(norm(x))).
private struct EncoderBlock {
  private let configuration: TextEncoderConfiguration
  private let attentionNorm: Tensor
  private let query: LinearLayer, key: LinearLayer, value: LinearLayer, output: LinearLayer
  private let biasTable: Tensor  // [buckets, H]
  private let feedForwardNorm: Tensor
  private let gate: LinearLayer, up: LinearLayer, down: LinearLayer

  init(_ configuration: TextEncoderConfiguration, _ weights: Weights) throws(ModelError) {
    self.configuration = configuration
    let width = configuration.width
    let inner = configuration.heads * configuration.headWidth
    let attention = weights.scoped("layer.0.SelfAttention")
    attentionNorm = try weights.tensor("layer.0.layer_norm.weight", width)
    query = try attention.linear("q", outputs: inner, inputs: width, bias: false)
    key = try attention.linear("k", outputs: inner, inputs: width, bias: false)
    value = try attention.linear("v", outputs: inner, inputs: width, bias: false)
    output = try attention.linear("o", outputs: width, inputs: inner, bias: false)
    biasTable = try attention.tensor(
      "relative_attention_bias.weight", configuration.buckets, configuration.heads)
    let dense = weights.scoped("layer.1.DenseReluDense")
    let hidden = configuration.feedForwardWidth
    feedForwardNorm = try weights.tensor("layer.1.layer_norm.weight", width)
    gate = try dense.linear("wi_0", outputs: hidden, inputs: width, bias: false)
    up = try dense.linear("wi_1", outputs: hidden, inputs: width, bias: false)
    down = try dense.linear("wo", outputs: width, inputs: hidden, bias: false)
  }

  /// x [L, D], in place.
  func forward(_ x: Matrix, workspace: EncoderWorkspace, pool: Pool) {
    let normalised = workspace.normalised.matrix
    pool.rmsNorm(x, into: normalised, weight: attentionNorm, epsilon: configuration.epsilon)
    pool.linear(query, normalised, into: workspace.query.matrix)
    pool.linear(key, normalised, into: workspace.key.matrix)
    pool.linear(value, normalised, into: workspace.value.matrix)
    let bias = RelativePositionBuckets(
      buckets: configuration.buckets, maximumDistance: configuration.maximumDistance
    ).bias(table: biasTable, heads: configuration.heads, length: x.rows)
    pool.attention(
      q: workspace.query.matrix, k: workspace.key.matrix, v: workspace.value.matrix,
      heads: configuration.heads, scale: 1, bias: bias, into: workspace.attended.matrix,
      scratch: workspace.scratch)
    pool.linear(output, workspace.attended.matrix, into: x, write: .add)

    pool.rmsNorm(x, into: normalised, weight: feedForwardNorm, epsilon: configuration.epsilon)
    pool.linear(gate, normalised, into: workspace.gate.matrix, activation: .geluTanh)
    pool.linear(up, normalised, into: workspace.hidden.matrix)
    pool.multiply(workspace.gate.matrix, into: workspace.hidden.matrix)
    pool.linear(down, workspace.hidden.matrix, into: x, write: .add)
  }
}
