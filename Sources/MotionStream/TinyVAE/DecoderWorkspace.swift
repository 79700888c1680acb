/// Room for the intermediate pictures of one decoding stream, made once. Holds nothing that the next
/// latent frame needs; two threads must not use one at the same time.
package final class DecoderWorkspace: @unchecked Sendable {
  /// Size of the latent frames.
  let latent: PictureSize
  /// Inputs of the MemBlocks, in layer order.
  var inputs: MemBlockInputs
  /// The latent frame with its channels last, [H*W, C].
  let latentPixels: Tensor
  /// What the MemBlocks of each stage make, [H*W, n].
  let features: [Tensor]
  /// Room for any stage's [H*W, n].
  let hidden: Tensor
  /// After the last stage, before the last convolution.
  let fullFeatures: Tensor
  /// One picture before the pixel shuffle, [H*W, 3 p²].
  let picture: Tensor
  /// Scratch memory of the convolutions.
  let scratch: Tensor

  init(
    _ configuration: TinyVAEConfiguration, latent: PictureSize, inputs: MemBlockInputs, scratch: Int
  ) {
    self.latent = latent
    self.inputs = inputs
    let stages = configuration.decoderTimeUpscale.indices
    let widths = configuration.decoderWidths
    let full = latent.scaled(by: configuration.decoderScale(stages.count)).count
    latentPixels = Tensor(latent.count, configuration.latentChannels)
    features = stages.map {
      Tensor(latent.scaled(by: configuration.decoderScale($0)).count, widths[$0])
    }
    hidden = Tensor(features.map(\.count).max() ?? 0)
    fullFeatures = Tensor(full, widths[stages.count])
    picture = Tensor(full, configuration.pixelChannels)
    self.scratch = Tensor(scratch)
  }

  /// The memory held, in bytes.
  package var byteCount: Int {
    let pictures = [latentPixels, hidden, fullFeatures, picture, scratch]
    return (pictures + features).reduce(inputs.byteCount) { $0 + $1.byteCount }
  }
}

/// The first rows * columns values of a tensor as a matrix.
func view(_ tensor: Tensor, _ rows: Int, _ columns: Int) -> Matrix {
  precondition(rows * columns <= tensor.count, "view [\(rows), \(columns)] of \(tensor.shape)")
  return Matrix(
    owner: tensor, base: tensor.pointer, rows: rows, columns: columns, stride: columns)
}

/// y [N, M] = x [M, N] with rows and columns exchanged: [C, H*W] to and from [H*W, C].
func transpose(_ x: Matrix, into y: Matrix) {
  precondition(x.rows == y.columns && x.columns == y.rows, "transpose")
  for row in 0..<x.rows {
    let source = x.base + row * x.stride
    for column in 0..<x.columns { y.base[column * y.stride + row] = source[column] }
  }
}
