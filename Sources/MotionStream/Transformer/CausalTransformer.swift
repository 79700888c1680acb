/// The Wan transformer as a causal student: predicts the velocity (noise - clean) of one chunk
/// from its noisy latents, its conditions, and the cached clean past.
///
/// Letters: L tokens of the chunk, D width, M text rows, I image tokens.
package struct CausalTransformer: Sendable {
  /// The sizes.
  package let configuration: TransformerConfiguration
  let patchEmbedding: PatchEmbedding
  let timeEmbedding: TimeEmbedding
  let textEmbedding: TextEmbedding
  let imageEmbedding: ImageEmbedding?
  let blocks: [TransformerBlock]
  let output: LinearLayer
  /// Changes the output cell by cell; nil in models without it.
  let cellHead: CellHead?
  /// [2, D]: shift, scale of the head.
  let headTable: Tensor

  /// Reads the network under diffusers' names.
  package init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    self.configuration = configuration
    let width = configuration.width
    let conditions = weights.scoped("condition_embedder")
    patchEmbedding = try PatchEmbedding(configuration, weights: weights)
    timeEmbedding = try TimeEmbedding(configuration, weights: conditions)
    textEmbedding = try TextEmbedding(
      configuration, weights: conditions.scoped("text_embedder"))
    if let imageWidth = configuration.imageWidth {
      imageEmbedding = try ImageEmbedding(
        inputs: imageWidth, outputs: width, weights: conditions.scoped("image_embedder"))
    } else {
      imageEmbedding = nil
    }
    var blocks: [TransformerBlock] = []
    for layer in 0..<configuration.layers {
      blocks.append(try TransformerBlock(configuration, weights: weights.scoped("blocks", layer)))
    }
    self.blocks = blocks
    output = try weights.linear(
      "proj_out", outputs: configuration.outChannels * configuration.patchArea, inputs: width)
    if let sizes = configuration.cellHead {
      cellHead = try CellHead(sizes, of: configuration, weights: weights.scoped("cell_head"))
    } else {
      cellHead = nil
    }
    headTable = try weights.tensor("scale_shift_table", 1, 2, width)
  }

  // MARK: Once per run

  /// The keys and values of a prompt: text [M, text width], zero-padded, and image tokens
  /// [I, image width] for models with an image encoder.
  package func context(text: Matrix, image: Matrix? = nil, pool: Pool) -> PromptContext {
    let text = textEmbedding(text, pool: pool)
    let image = image.flatMap { tokens in imageEmbedding?(tokens, pool: pool) }
    return PromptContext(
      text: blocks.map { $0.crossAttention.context(text: text.matrix, pool: pool) },
      image: image.map { tokens in
        blocks.compactMap { $0.crossAttention.context(image: tokens.matrix, pool: pool) }
      })
  }

  /// What a timestep does to every block.
  package func modulation(timestep: Double, pool: Pool) -> Modulation {
    Modulation(
      time: timeEmbedding(timestep, pool: pool), tables: blocks.map(\.modulationTable),
      head: headTable)
  }

  // MARK: Once per chunk

  /// Prepares the angles of context and chunk and rotates the cached keys; to be called before the
  /// passes over a chunk of `frames` latent frames.
  package func beginChunk(
    frames: Int, cache: KVCache, workspace: TransformerWorkspace, pool: Pool
  ) {
    workspace.rotary.write(
      positions: cache.index.positions(chunk: frames), cosine: workspace.cosine.matrix,
      sine: workspace.sine.matrix)
    cache.rotateContext(
      cosine: workspace.cosine.matrix, sine: workspace.sine.matrix, heads: configuration.heads,
      pool: pool)
  }

  /// The velocity [L, patch * out] of patches [L, patch * in].
  package func velocity(
    _ patches: Matrix, modulation: Modulation, context: PromptContext, cache: KVCache,
    workspace: TransformerWorkspace, into velocity: Matrix, pool: Pool
  ) {
    let x = workspace.tokens.rows(0..<patches.rows)
    patchEmbedding(patches, into: x, pool: pool)
    for (layer, block) in blocks.enumerated() {
      block.forward(
        x, layer: layer, modulation: modulation, context: context, cache: cache,
        workspace: workspace, pool: pool)
    }
    let normed = workspace.normed.rows(0..<patches.rows)
    pool.layerNorm(
      x, into: normed, epsilon: Float(configuration.epsilon), scale: modulation.headScale,
      shift: modulation.headShift)
    pool.linear(output, normed, into: velocity)
    if let cellHead, let cells = workspace.cells {
      cellHead.change(velocity, of: patches, tokens: normed, workspace: cells, pool: pool)
    }
  }

  /// Writes the keys and values of a clean chunk to the cache; the caller commits them. The last
  /// block stops there: nothing after its keys and values reaches the cache.
  package func fillCache(
    _ patches: Matrix, modulation: Modulation, context: PromptContext, cache: KVCache,
    workspace: TransformerWorkspace, pool: Pool
  ) {
    let x = workspace.tokens.rows(0..<patches.rows)
    patchEmbedding(patches, into: x, pool: pool)
    for (layer, block) in blocks.enumerated().dropLast() {
      block.forward(
        x, layer: layer, modulation: modulation, context: context, cache: cache,
        workspace: workspace, pool: pool)
    }
    blocks.last?.fillCache(
      x, layer: blocks.count - 1, modulation: modulation, cache: cache, workspace: workspace,
      pool: pool)
  }
}

/// The memory that a pass writes to, made once per pipeline for its largest chunk.
package final class TransformerWorkspace {
  let rotary: RotaryEmbedding
  let tokens, normed, query, attended, imageAttended, hidden: Tensor
  let cosine, sine, scratch: Tensor
  let cells: CellHeadWorkspace?

  /// Makes room for chunks of the cache's largest size.
  package init(
    _ transformer: CausalTransformer, grid: LatentGrid, rules: CacheIndex.Rules,
    contextRows: Int, pool: Pool
  ) {
    let configuration = transformer.configuration
    let tokens = rules.maximumChunk * grid.tokensPerFrame
    let attended = rules.capacity * grid.tokensPerFrame
    let width = configuration.width
    rotary = RotaryEmbedding(headWidth: configuration.headWidth, grid: grid)
    self.tokens = Tensor(tokens, width)
    normed = Tensor(tokens, width)
    query = Tensor(tokens, width)
    self.attended = Tensor(tokens, width)
    imageAttended = Tensor(configuration.imageWidth == nil ? 0 : tokens, width)
    hidden = Tensor(tokens, configuration.feedForwardWidth)
    cosine = Tensor(attended, rotary.pairs)
    sine = Tensor(attended, rotary.pairs)
    scratch = Tensor(
      pool.attentionScratch(
        queries: tokens, keys: max(attended, contextRows), heads: configuration.heads,
        width: configuration.headWidth))
    cells = transformer.cellHead?.makeWorkspace(grid, pool: pool)
  }

  /// The angles of the current chunk, which follow those of the context.
  func currentAngles(context: Int, tokens: Int) -> (cosine: Matrix, sine: Matrix) {
    (cosine.rows(context..<context + tokens), sine.rows(context..<context + tokens))
  }

  /// The memory held, in bytes.
  package var byteCount: Int {
    [tokens, normed, query, attended, imageAttended, hidden, cosine, sine, scratch]
      .reduce(cells?.byteCount ?? 0) { $0 + $1.byteCount }
  }
}
