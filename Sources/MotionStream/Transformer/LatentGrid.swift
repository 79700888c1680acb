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

  /// The same latents, cut into tokens as another transformer does it.
  func cut(as configuration: TransformerConfiguration) -> LatentGrid {
    LatentGrid(
      height: height, width: width, patchHeight: configuration.patchHeight,
      patchWidth: configuration.patchWidth)
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

  /// Writes latents [T * C, H*W] to channels `offset ..< offset + C` of patches
  /// [T*S, (channel, patch row, patch column)]; other channels stay as they are. That order is the
  /// one in which the patch embedding's stored weight takes its input.
  package func patchify(_ latents: Matrix, into patches: Matrix, channelOffset offset: Int = 0) {
    let (frames, channels) = sizes(latents, patches)
    precondition((offset + channels) * patchArea <= patches.columns)
    for frame in 0..<frames {
      for channel in 0..<channels {
        let pixels = latents.base + (frame * channels + channel) * latents.stride
        eachPixel { pixel, token, place in
          let row = patches.base + (frame * tokensPerFrame + token) * patches.stride
          row[(offset + channel) * patchArea + place] = pixels[pixel]
        }
      }
    }
  }

  /// Reads latents [T * C, H*W] from patches [T*S, (patch row, patch column, channel)], the order
  /// in which the transformer's head puts them out.
  package func unpatchify(_ patches: Matrix, into latents: Matrix) {
    let (frames, channels) = sizes(latents, patches)
    precondition(channels * patchArea == patches.columns)
    for frame in 0..<frames {
      for channel in 0..<channels {
        let pixels = latents.base + (frame * channels + channel) * latents.stride
        eachPixel { pixel, token, place in
          let row = patches.base + (frame * tokensPerFrame + token) * patches.stride
          pixels[pixel] = row[place * channels + channel]
        }
      }
    }
  }

  /// Cells [H*W, C] of one latent frame's patches [S, (channel, patch row, patch column)].
  func cells(ofPatches patches: Matrix, into cells: Matrix) {
    precondition(
      patches.rows == tokensPerFrame && patches.columns == cells.columns * patchArea
        && cells.rows == pixelsPerFrame)
    eachPixel { pixel, token, place in
      let (from, to) = (patches.base + token * patches.stride, cells.base + pixel * cells.stride)
      for channel in 0..<cells.columns { to[channel] = from[channel * patchArea + place] }
    }
  }

  /// Cells [H*W, C] of one latent frame's tokens [S, (patch row, patch column, channel)].
  func cells(ofTokens tokens: Matrix, into cells: Matrix) {
    eachCell(tokens, cells) { token, cell in cell.update(from: token, count: cells.columns) }
  }

  /// Tokens [S, (patch row, patch column, channel)] of one latent frame's cells [H*W, C].
  func tokens(ofCells cells: Matrix, into tokens: Matrix) {
    eachCell(tokens, cells) { token, cell in token.update(from: cell, count: cells.columns) }
  }

  /// Calls `body` with where the channels of every cell lie, in tokens and in cells.
  private func eachCell(
    _ tokens: Matrix, _ cells: Matrix,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    precondition(
      tokens.rows == tokensPerFrame && tokens.columns == cells.columns * patchArea
        && cells.rows == pixelsPerFrame)
    eachPixel { pixel, token, place in
      body(
        tokens.base + token * tokens.stride + place * cells.columns,
        cells.base + pixel * cells.stride)
    }
  }

  private func sizes(_ latents: Matrix, _ patches: Matrix) -> (frames: Int, channels: Int) {
    let frames = patches.rows / tokensPerFrame
    let channels = frames == 0 ? 0 : latents.rows / frames
    precondition(
      patches.rows == frames * tokensPerFrame && latents.rows == frames * channels
        && latents.columns == pixelsPerFrame,
      "LatentGrid \(height)x\(width): [\(latents.rows), \(latents.columns)], "
        + "\(patches.rows) tokens")
    return (frames, channels)
  }

  /// Calls `body` with every pixel of a frame, its token, and its place in the token's patch.
  @inline(__always)
  private func eachPixel(_ body: (_ pixel: Int, _ token: Int, _ place: Int) -> Void) {
    for y in 0..<height {
      let firstToken = y / patchHeight * columns
      let firstPlace = y % patchHeight * patchWidth
      for x in 0..<width {
        body(y * width + x, firstToken + x / patchWidth, firstPlace + x % patchWidth)
      }
    }
  }
}

/// Latent pixels to tokens: a strided convolution, which is one linear layer over each patch.
package struct PatchEmbedding: Sendable {
  let linear: LinearLayer

  /// Reads `patch_embedding` (D, C, 1, patch rows, patch columns).
  package init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    linear = try weights.linear(
      "patch_embedding", outputs: configuration.width,
      inputs: configuration.inChannels * configuration.patchArea,
      weightShape: [
        configuration.width, configuration.inChannels, 1, configuration.patchHeight,
        configuration.patchWidth,
      ])
  }

  /// patches [L, C * patch] -> tokens [L, D].
  package func callAsFunction(_ patches: Matrix, into tokens: Matrix, pool: Pool) {
    pool.linear(linear, patches, into: tokens)
  }
}
