/// Projections that self- and cross-attention share: queries and keys are RMS-normalised over the
/// full width, before heads are split.
package struct AttentionProjections: Sendable {
  let heads: Int
  let epsilon: Float
  let toQ, toK, toV, toOut: LinearLayer
  let queryNorm, keyNorm: Tensor

  /// 1 / sqrt(head width).
  let scale: Float

  init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    let width = configuration.width
    heads = configuration.heads
    epsilon = Float(configuration.epsilon)
    scale = 1 / Float(configuration.headWidth).squareRoot()
    toQ = try weights.linear("to_q", outputs: width, inputs: width)
    toK = try weights.linear("to_k", outputs: width, inputs: width)
    toV = try weights.linear("to_v", outputs: width, inputs: width)
    toOut = try weights.linear("to_out.0", outputs: width, inputs: width)
    queryNorm = try weights.tensor("norm_q.weight", width)
    keyNorm = try weights.tensor("norm_k.weight", width)
  }

  func query(_ x: Matrix, into query: Matrix, pool: Pool) {
    pool.linear(toQ, x, into: query)
    pool.rmsNorm(query, into: query, weight: queryNorm, epsilon: epsilon)
  }

  func keysAndValues(_ x: Matrix, keys: Matrix, values: Matrix, pool: Pool) {
    pool.linear(toK, x, into: keys)
    pool.rmsNorm(keys, into: keys, weight: keyNorm, epsilon: epsilon)
    pool.linear(toV, x, into: values)
  }
}

/// Attention of the current chunk over sink, window and itself (MotionStream, section 3.3).
package struct SelfAttention: Sendable {
  let projections: AttentionProjections

  init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    projections = try AttentionProjections(configuration, weights: weights)
  }

  /// x [L, D] += gate * attention of `normed` [L, D].
  func forward(
    _ normed: Matrix, addingTo x: Matrix, gate: Matrix, layer: Int, cache: KVCache,
    workspace: TransformerWorkspace, pool: Pool
  ) {
    let tokens = x.rows
    let angles = workspace.currentAngles(context: cache.contextTokens, tokens: tokens)
    let heads = projections.heads
    let query = workspace.query.rows(0..<tokens)
    projections.query(normed, into: query, pool: pool)
    pool.rope(query, cosine: angles.cosine, sine: angles.sine, heads: heads, into: query)

    fillCache(normed, layer: layer, cache: cache, pool: pool)
    let current = cache.current(layer, tokens: tokens)
    pool.rope(
      current.rawKeys, cosine: angles.cosine, sine: angles.sine, heads: heads,
      into: current.rotatedKeys)

    let attended = cache.attended(layer, tokens: tokens)
    let result = workspace.attended.rows(0..<tokens)
    pool.attention(
      q: query, k: attended.keys, v: attended.values, heads: heads, scale: projections.scale,
      into: result, scratch: workspace.scratch)
    pool.linear(
      projections.toOut, result, into: x, write: .gatedAdd(gate, rowsPerGate: tokens))
  }

  /// Only the raw keys and values of the current chunk: all that a commit pass needs of the last
  /// layer.
  func fillCache(_ normed: Matrix, layer: Int, cache: KVCache, pool: Pool) {
    let current = cache.current(layer, tokens: normed.rows)
    projections.keysAndValues(
      normed, keys: current.rawKeys, values: current.values, pool: pool)
  }
}

/// Attention of the current chunk over the prompt and, in models that have it, over the tokens of
/// an image encoder; the two are summed before the output projection.
package struct CrossAttention: Sendable {
  /// The second pair of projections, for image tokens.
  struct Added: Sendable {
    let toK, toV: LinearLayer
    let keyNorm: Tensor
  }

  let projections: AttentionProjections
  let added: Added?

  init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    projections = try AttentionProjections(configuration, weights: weights)
    guard let inputs = configuration.addedKeyValueWidth else {
      added = nil
      return
    }
    let width = configuration.width
    added = Added(
      toK: try weights.linear("add_k_proj", outputs: width, inputs: inputs),
      toV: try weights.linear("add_v_proj", outputs: width, inputs: inputs),
      keyNorm: try weights.tensor("norm_added_k.weight", width))
    // Some files carry it; neither diffusers nor Wan uses it.
    weights.ignore("norm_added_q.weight")
  }

  /// Keys and values of one layer.
  struct KeysAndValues: Sendable {
    let keys, values: Tensor
  }

  /// Keys and values of the text [M, D]; once per prompt.
  func context(text: Matrix, pool: Pool) -> KeysAndValues {
    let result = KeysAndValues(
      keys: Tensor(text.rows, text.columns), values: Tensor(text.rows, text.columns))
    projections.keysAndValues(
      text, keys: result.keys.matrix, values: result.values.matrix, pool: pool)
    return result
  }

  /// Keys and values of image tokens [I, D]; once per picture.
  func context(image: Matrix, pool: Pool) -> KeysAndValues? {
    guard let added else { return nil }
    let result = KeysAndValues(
      keys: Tensor(image.rows, image.columns), values: Tensor(image.rows, image.columns))
    pool.linear(added.toK, image, into: result.keys.matrix)
    pool.rmsNorm(
      result.keys.matrix, into: result.keys.matrix, weight: added.keyNorm,
      epsilon: projections.epsilon)
    pool.linear(added.toV, image, into: result.values.matrix)
    return result
  }

  /// x [L, D] += attention of `normed` [L, D] over the prompt, and over the picture if there is one.
  func forward(
    _ normed: Matrix, addingTo x: Matrix, text: KeysAndValues, image: KeysAndValues?,
    workspace: TransformerWorkspace, pool: Pool
  ) {
    let query = workspace.query.rows(0..<x.rows)
    let result = workspace.attended.rows(0..<x.rows)
    projections.query(normed, into: query, pool: pool)
    attend(query, text, into: result, workspace, pool)
    if let image {
      let second = workspace.imageAttended.rows(0..<x.rows)
      attend(query, image, into: second, workspace, pool)
      pool.axpby(1, second, 1, into: result)
    }
    pool.linear(projections.toOut, result, into: x, write: .add)
  }

  private func attend(
    _ query: Matrix, _ source: KeysAndValues, into result: Matrix,
    _ workspace: TransformerWorkspace, _ pool: Pool
  ) {
    pool.attention(
      q: query, k: source.keys.matrix, v: source.values.matrix, heads: projections.heads,
      scale: projections.scale, into: result, scratch: workspace.scratch)
  }
}
