// Letters: H W picture size at some resolution of the autoencoder, n channels there. Pictures are
// matrices of pixels, [H*W, n], so that a pixel's channels lie together.

/// TAEHV's residual block over a frame and the one before it, its only view of time:
/// y = relu(conv4(relu(conv2(relu(conv0([x, past]))))) + x), past = x of the frame before.
struct MemBlock: Sendable {
  private let join: ConvLayer
  private let middle: ConvLayer
  private let last: ConvLayer

  init(_ weights: Weights, width: Int) throws(ModelError) {
    join = try weights.convolution("conv.0", outputs: width, inputs: 2 * width, kernel: 3)
    middle = try weights.convolution("conv.2", outputs: width, inputs: width, kernel: 3)
    last = try weights.convolution("conv.4", outputs: width, inputs: width, kernel: 3)
  }

  /// The layers, for sizing scratch memory.
  var layers: [ConvLayer] { [join, middle, last] }

  /// All [H*W, n]. `hidden` and `y` are overwritten and must be neither `x` nor `past`.
  func forward(
    _ x: Matrix, past: Matrix, size: PictureSize, hidden: Matrix, into y: Matrix, scratch: Tensor,
    pool: Pool
  ) {
    let (height, width) = (size.height, size.width)
    pool.convolution(
      join, x, second: past, height: height, width: width, activation: .relu, into: y,
      scratch: scratch)
    pool.convolution(
      middle, y, height: height, width: width, activation: .relu, into: hidden, scratch: scratch)
    pool.convolution(
      last, hidden, height: height, width: width, residual: x, activation: .relu, into: y,
      scratch: scratch)
  }
}

/// Height and width of a picture or latent frame, in its own pixels.
package struct PictureSize: Sendable, Equatable {
  /// Rows.
  package let height: Int
  /// Columns.
  package let width: Int

  /// Makes a size.
  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// Number of pixels.
  package var count: Int { height * width }

  /// The size at a resolution `factor` times as fine.
  func scaled(by factor: Int) -> PictureSize {
    PictureSize(height: height * factor, width: width * factor)
  }
}

/// What a stream remembers between frames: for every MemBlock, in layer order, the frame that went
/// into it last (zeros at the start). A value: a copy continues on its own.
package struct MemBlockMemory: Sendable {
  /// The last input of every MemBlock, [H*W, n]. Never written to, only replaced: copies of this
  /// value share the tensors.
  var past: [Tensor]
  /// Latent frames that went through so far.
  package internal(set) var latentCount = 0

  /// The memory held, in bytes.
  package var byteCount: Int { past.reduce(0) { $0 + $1.byteCount } }
}

/// Where MemBlocks of one stream read their inputs: a frame is written here, read by its block,
/// and then changes places with the block's past, so that nothing is copied or allocated.
struct MemBlockInputs {
  private var tensors: [Tensor]

  init(shapes: [(size: PictureSize, width: Int)]) {
    tensors = shapes.map { Tensor($0.size.count, $0.width) }
  }

  /// The memory held, in bytes.
  var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// The input of block `index`, to be written. A tensor that a copied memory still holds is left
  /// to that copy and replaced.
  mutating func writable(_ index: Int) -> Matrix {
    if !isKnownUniquelyReferenced(&tensors[index]) { tensors[index] = Tensor(tensors[index].shape) }
    return tensors[index].matrix
  }

  /// The input of block `index` as it was last written.
  func written(_ index: Int) -> Matrix { tensors[index].matrix }

  /// Makes what was written for block `index` its past.
  mutating func remember(_ index: Int, in memory: inout MemBlockMemory) {
    swap(&tensors[index], &memory.past[index])
  }
}
