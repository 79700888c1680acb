/// The sizes of a latent picture and of the tokens it is cut into.
package struct LatentGrid: Sendable, Equatable {
  /// Latent pixels.
  package let height, width: Int
  /// Latent pixels of one token.
  package let patchHeight, patchWidth: Int

  /// Makes a grid; the sizes must be multiples of the patch.
  package init(height: Int, width: Int, patchHeight: Int, patchWidth: Int) {
    precondition(
      height % patchHeight == 0 && width % patchWidth == 0 && height > 0 && width > 0,
      "LatentGrid: \(height)x\(width) in patches of \(patchHeight)x\(patchWidth)")
    self.height = height
    self.width = width
    self.patchHeight = patchHeight
    self.patchWidth = patchWidth
  }

  /// Tokens in a column.
  package var rows: Int { height / patchHeight }
  /// Tokens in a row.
  package var columns: Int { width / patchWidth }
  /// Tokens of one latent frame.
  package var tokensPerFrame: Int { rows * columns }
  /// Pixels of one latent frame.
  package var pixelsPerFrame: Int { height * width }
  /// Pixels of one token.
  package var patchArea: Int { patchHeight * patchWidth }

  /// Writes latents [T*H*W, C] to channels `offset ..< offset + C` of patches
  /// [T*S, patch row, patch column, channel], channel fastest; other channels stay as they are.
  package func patchify(_ latents: Matrix, into patches: Matrix, channelOffset offset: Int = 0) {
    let channels = patches.columns / patchArea
    precondition(offset + latents.columns <= channels && channels * patchArea == patches.columns)
    eachPixel(latents, patches, channels: channels) { pixel, patch in
      (patch + offset).update(from: pixel, count: latents.columns)
    }
  }

  /// The reverse of `patchify` for patches of as many channels as the latents have. This is also
  /// the order of the values that the transformer's head puts out.
  package func unpatchify(_ patches: Matrix, into latents: Matrix) {
    precondition(latents.columns * patchArea == patches.columns)
    eachPixel(latents, patches, channels: latents.columns) { pixel, patch in
      pixel.update(from: patch, count: latents.columns)
    }
  }

  private func eachPixel(
    _ latents: Matrix, _ patches: Matrix, channels: Int,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let frames = patches.rows / tokensPerFrame
    precondition(
      patches.rows == frames * tokensPerFrame && latents.rows == frames * pixelsPerFrame,
      "LatentGrid: \(latents.rows) pixels, \(patches.rows) tokens on \(height)x\(width)")
    var pixel = latents.base
    for y in 0..<frames * height {
      let tokenRow = patches.base + y / patchHeight * columns * patches.stride
      let rowInPatch = y % patchHeight * patchWidth * channels
      for x in 0..<width {
        body(
          pixel,
          tokenRow + x / patchWidth * patches.stride + rowInPatch + x % patchWidth * channels)
        pixel += latents.stride
      }
    }
  }
}

/// Latent pixels to tokens: a strided convolution, which is one linear layer over each patch.
package struct PatchEmbedding: Sendable {
  let linear: LinearLayer

  /// Reads `patch_embedding` (D, C, 1, patch rows, patch columns).
  package init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    let channels = configuration.inChannels
    let area = configuration.patchArea
    linear = try weights.linear(
      "patch_embedding", outputs: configuration.width, inputs: channels * area,
      weightShape: [
        configuration.width, channels, 1, configuration.patchHeight, configuration.patchWidth,
      ],
      arrange: { stored in PatchEmbedding.channelsLast(stored, channels: channels, area: area) })
  }

  /// patches [L, patch * C] -> tokens [L, D].
  package func callAsFunction(_ patches: Matrix, into tokens: Matrix, pool: Pool) {
    pool.linear(linear, patches, into: tokens)
  }

  /// [D, C, patch] -> [D, patch, C], the order in which `LatentGrid.patchify` lays out a token.
  private static func channelsLast(_ stored: Tensor, channels: Int, area: Int) -> Tensor {
    let arranged = Tensor(stored.shape)
    for row in 0..<stored.count / (channels * area) {
      let source = stored.pointer + row * channels * area
      let target = arranged.pointer + row * channels * area
      for channel in 0..<channels {
        for place in 0..<area {
          target[place * channels + channel] = source[channel * area + place]
        }
      }
    }
    return arranged
  }
}
