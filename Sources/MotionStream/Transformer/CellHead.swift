/// A head that sees every cell of the latents, after the transformer's, which sees patches.
///
/// A patch goes through the transformer as one token. Where the width is hardly more than the
/// numbers of a patch, fine detail does not get through. So a few 3x3 convolutions look at the
/// latents that went in, guided by the tokens that came out, and change what those say; each latent
/// frame by itself (`Scripts/reference/cell_head.py`).
///
/// Letters: S tokens of a latent frame, H*W its cells, n the head's width.
struct CellHead: Sendable {
  private let guide: LinearLayer
  private let first, last: ConvLayer
  private let blocks: [(first: ConvLayer, second: ConvLayer)]

  init(
    _ sizes: CellHeadConfiguration, of transformer: TransformerConfiguration, weights: Weights
  ) throws(ModelError) {
    let width = sizes.width
    guide = try weights.linear(
      "proj_in", outputs: transformer.patchArea * width, inputs: transformer.width)
    first = try weights.convolution(
      "conv_in", outputs: width, inputs: transformer.inChannels + transformer.outChannels,
      kernel: 3)
    var blocks: [(ConvLayer, ConvLayer)] = []
    for number in 0..<sizes.blocks {
      let block = weights.scoped("blocks", number)
      blocks.append(
        (
          try block.convolution("conv1", outputs: width, inputs: width, kernel: 3),
          try block.convolution("conv2", outputs: width, inputs: width, kernel: 3)
        ))
    }
    self.blocks = blocks
    last = try weights.convolution(
      "conv_out", outputs: transformer.outChannels, inputs: width, kernel: 3)
  }

  /// Adds to output [L, patch * out] what the cells of patches [L, patch * in] say, guided by the
  /// modulated tokens [L, D] that were projected to it.
  func change(
    _ output: Matrix, of patches: Matrix, tokens: Matrix, workspace: CellHeadWorkspace, pool: Pool
  ) {
    let grid = workspace.grid
    for frame in 0..<output.rows / grid.tokensPerFrame {
      let rows = frame * grid.tokensPerFrame..<(frame + 1) * grid.tokensPerFrame
      grid.cells(ofPatches: patches.rows(rows), into: workspace.input.matrix)
      grid.cells(ofTokens: output.rows(rows), into: workspace.output.matrix)
      pool.linear(guide, tokens.rows(rows), into: workspace.guide.matrix)
      grid.cells(ofTokens: workspace.guide.matrix, into: workspace.maps.matrix)
      change(workspace, pool: pool)
      grid.tokens(ofCells: workspace.changed.matrix, into: output.rows(rows))
    }
  }

  /// One latent frame, laid out as cells; `maps` hold the guide.
  private func change(_ workspace: CellHeadWorkspace, pool: Pool) {
    func convolve(
      _ layer: ConvLayer, _ x: Tensor, second: Tensor? = nil, residual: Tensor? = nil,
      activation: Activation = .relu, into y: Tensor
    ) {
      pool.convolution(
        layer, x.matrix, second: second?.matrix, height: workspace.grid.height,
        width: workspace.grid.width, residual: residual?.matrix, activation: activation,
        into: y.matrix, scratch: workspace.scratch)
    }
    var (maps, next) = (workspace.maps, workspace.next)
    convolve(first, workspace.input, second: workspace.output, residual: maps, into: next)
    swap(&maps, &next)
    for block in blocks {
      convolve(block.first, maps, into: workspace.hidden)
      convolve(block.second, workspace.hidden, residual: maps, into: next)
      swap(&maps, &next)
    }
    convolve(
      last, maps, residual: workspace.output, activation: .none, into: workspace.changed)
  }

  /// Room for one latent frame.
  func makeWorkspace(_ grid: LatentGrid, pool: Pool) -> CellHeadWorkspace {
    CellHeadWorkspace(
      grid: grid, inputs: first.inputs - last.outputs, outputs: last.outputs, width: last.inputs,
      scratch: scratchCount(grid, pool))
  }

  /// Every convolution.
  var convolutions: [ConvLayer] {
    [first, last] + blocks.flatMap { [$0.first, $0.second] }
  }

  /// Floats of scratch that the most demanding convolution needs.
  func scratchCount(_ grid: LatentGrid, _ pool: Pool) -> Int {
    convolutions.reduce(0) {
      max($0, pool.convolutionScratch($1, height: grid.height, width: grid.width))
    }
  }
}

/// What the cell head writes to, for one latent frame.
final class CellHeadWorkspace {
  let grid: LatentGrid
  /// What went into the transformer, and what came out, [H*W, in] and [H*W, out].
  let input, output, changed: Tensor
  /// What the tokens say, [S, patch * n].
  let guide: Tensor
  /// [H*W, n].
  let maps, next, hidden: Tensor
  let scratch: Tensor

  fileprivate init(grid: LatentGrid, inputs: Int, outputs: Int, width: Int, scratch: Int) {
    let cells = grid.pixelsPerFrame
    self.grid = grid
    input = Tensor(cells, inputs)
    output = Tensor(cells, outputs)
    changed = Tensor(cells, outputs)
    guide = Tensor(grid.tokensPerFrame, grid.patchArea * width)
    maps = Tensor(cells, width)
    next = Tensor(cells, width)
    hidden = Tensor(cells, width)
    self.scratch = Tensor(scratch)
  }

  /// The memory held, in bytes.
  var byteCount: Int {
    [input, output, changed, guide, maps, next, hidden, scratch].reduce(0) { $0 + $1.byteCount }
  }
}
