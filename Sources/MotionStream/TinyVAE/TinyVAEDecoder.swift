package import Frames

/// The streaming decoder of TAEHV (the paper's Tiny VAE): one latent frame in, its pictures out.
///
/// A latent frame holds `temporalCompression` pictures, of which the first latent frame of a stream
/// gives only the last. Frames go through one at a time, depth first, so memory does not grow with
/// the length of a clip, and nothing but the pictures is allocated once a stream runs.
package struct TinyVAEDecoder: Sendable {
  /// The sizes.
  package let configuration: TinyVAEConfiguration
  private let first: ConvLayer
  private let stages: [DecoderStage]
  private let last: ConvLayer

  /// Takes the `decoder.*` tensors, named by their place in the reference's list of layers.
  package init(_ configuration: TinyVAEConfiguration, _ weights: Weights) throws(ModelError) {
    self.configuration = configuration
    let widths = configuration.decoderWidths
    // Layer 0 is the clamp, layer 2 the rectifier: neither has weights.
    first = try weights.convolution(
      "decoder.1", outputs: widths[0], inputs: configuration.latentChannels, kernel: 3)
    var layer = 3
    var stages: [DecoderStage] = []
    for (index, frames) in configuration.decoderTimeUpscale.enumerated() {
      let stage = try DecoderStage(
        weights, layer: layer, blocks: configuration.memblocksPerStage, inputs: widths[index],
        outputs: widths[index + 1], frames: frames,
        doubles: configuration.decoderSpaceUpscale[index] == 2)
      stages.append(stage)
      layer += configuration.memblocksPerStage + 3  // the blocks, upsampling, TGrow, convolution
    }
    self.stages = stages
    last = try weights.convolution(
      "decoder.\(layer + 1)", outputs: configuration.pixelChannels, inputs: widths[stages.count],
      kernel: 3)
  }

  /// The memory of a stream that has not begun; `latent` is the size of its latent frames.
  package func makeMemory(latent: PictureSize) -> MemBlockMemory {
    MemBlockMemory(past: blockShapes(latent).map { Tensor($0.size.count, $0.width) })
  }

  /// Room for decoding latent frames of one size on one pool.
  package func makeWorkspace(latent: PictureSize, pool: Pool) -> DecoderWorkspace {
    DecoderWorkspace(
      configuration, latent: latent, inputs: MemBlockInputs(shapes: blockShapes(latent)),
      scratch: scratchCount(latent, pool))
  }

  /// Decodes the next latent frame of a stream, [C, H*W] (rows may be apart), to pictures of
  /// `spatialCompression` times its size.
  package func decode(
    _ latent: Matrix, memory: inout MemBlockMemory, workspace: DecoderWorkspace, pool: Pool
  ) -> [RGBFrame] {
    let grid = size(workspace.latent, stages.count)
    let patch = configuration.patchSize
    var frames: [RGBFrame] = []
    decode(latent, memory: &memory, workspace: workspace, pool: pool) { picture in
      frames.append(
        RGBFrame(
          width: grid.width * patch, height: grid.height * patch,
          pixels: pool.pixels(picture, height: grid.height, width: grid.width, patch: patch)))
    }
    return frames
  }

  /// As above, but hands each picture to `emit` as values [H*W, 3 p²] at the size before the pixel
  /// shuffle, not yet limited to [0, 1]. The matrix is valid inside `emit` only.
  package func decode(
    _ latent: Matrix, memory: inout MemBlockMemory, workspace: DecoderWorkspace, pool: Pool,
    emit: (Matrix) -> Void
  ) {
    let size = workspace.latent
    precondition(
      latent.rows == configuration.latentChannels && latent.columns == size.count,
      "decode: [\(latent.rows), \(latent.columns)] for \(size)")
    let pixels = workspace.latentPixels.matrix  // [H*W, C]
    transpose(latent, into: pixels)
    pool.softClamp(pixels, limit: 3, into: pixels)
    pool.convolution(
      first, pixels, height: size.height, width: size.width, activation: .relu,
      into: workspace.inputs.writable(0), scratch: workspace.scratch)
    let dropped = memory.latentCount == 0 ? configuration.temporalCompression - 1 : 0
    run(stage: 0, dropped: dropped, memory: &memory, workspace: workspace, pool: pool, emit: emit)
    memory.latentCount += 1
  }

  /// Takes the frame that lies in the stage's first input through this stage and all later ones.
  /// The first `dropped` of the pictures it makes are not wanted; what MemBlocks must remember of
  /// them is still computed.
  private func run(
    stage index: Int, dropped: Int, memory: inout MemBlockMemory, workspace: DecoderWorkspace,
    pool: Pool, emit: (Matrix) -> Void
  ) {
    let stage = stages[index]
    let size = size(workspace.latent, index)
    let isLast = index == stages.count - 1
    let features = workspace.features[index].matrix
    for block in stage.blocks.indices {
      let place = index * configuration.memblocksPerStage + block
      let isEnd = block == stage.blocks.count - 1
      let output = isEnd ? features : workspace.inputs.writable(place + 1)
      stage.blocks[block].forward(
        workspace.inputs.written(place), past: memory.past[place].matrix, size: size,
        hidden: view(workspace.hidden, size.count, features.columns), into: output,
        scratch: workspace.scratch, pool: pool)
      workspace.inputs.remember(place, in: &memory)
    }
    let picturesPerFrame = configuration.decoderTimeUpscale[(index + 1)...].reduce(1, *)
    for frame in stage.raise.indices {
      let dropped = min(max(dropped - frame * picturesPerFrame, 0), picturesPerFrame)
      if isLast && dropped > 0 { continue }
      let next =
        isLast
        ? workspace.fullFeatures.matrix
        : workspace.inputs.writable((index + 1) * configuration.memblocksPerStage)
      // The rectifier before the last convolution belongs to the reference's next layer.
      pool.convolution(
        stage.raise[frame], features, height: size.height, width: size.width,
        activation: isLast ? .relu : .none, into: next, scratch: workspace.scratch)
      if isLast {
        let full = self.size(workspace.latent, stages.count)
        emit(picture(next, size: full, workspace: workspace, pool: pool))
      } else {
        run(
          stage: index + 1, dropped: dropped, memory: &memory, workspace: workspace, pool: pool,
          emit: emit)
      }
    }
  }

  private func picture(
    _ features: Matrix, size: PictureSize, workspace: DecoderWorkspace, pool: Pool
  ) -> Matrix {
    let picture = workspace.picture.matrix
    pool.convolution(
      last, features, height: size.height, width: size.width, into: picture,
      scratch: workspace.scratch)
    return picture
  }

  /// Size of the pictures that stage `index` works on.
  private func size(_ latent: PictureSize, _ index: Int) -> PictureSize {
    latent.scaled(by: configuration.decoderScale(index))
  }

  /// Picture size and channels of every MemBlock, in layer order.
  private func blockShapes(_ latent: PictureSize) -> [(size: PictureSize, width: Int)] {
    stages.indices.flatMap { index in
      let shape = (size: size(latent, index), width: configuration.decoderWidths[index])
      return Array(repeating: shape, count: configuration.memblocksPerStage)
    }
  }

  /// Floats of scratch that the most demanding convolution needs.
  func scratchCount(_ latent: PictureSize, _ pool: Pool) -> Int {
    layers.reduce(0) { most, next in
      let size = size(latent, next.stage)
      return max(
        most, pool.convolutionScratch(next.layer, height: size.height, width: size.width))
    }
  }

  /// Every convolution, with how many stages lie before it.
  var layers: [(layer: ConvLayer, stage: Int)] {
    var layers = [(layer: first, stage: 0), (layer: last, stage: stages.count)]
    for (index, stage) in stages.enumerated() {
      layers += (stage.blocks.flatMap(\.layers) + stage.raise).map { ($0, index) }
    }
    return layers
  }
}

/// MemBlocks at one resolution, and the way to the next: upsampling, TGrow (a 1x1 convolution that
/// makes several frames of one), a 3x3 convolution.
///
/// Nothing on that way has a bias or an activation, so it is one linear map, which is folded here:
/// for each frame a 3x3 convolution over the picture, doubled where the stage enlarges.
private struct DecoderStage: Sendable {
  let blocks: [MemBlock]
  /// For each frame the way to the next resolution: [H, W, n] to [2H, 2W, next n], or [H, W, next n].
  let raise: [ConvLayer]

  init(
    _ weights: Weights, layer: Int, blocks: Int, inputs: Int, outputs: Int, frames: Int,
    doubles: Bool
  ) throws(ModelError) {
    var made: [MemBlock] = []
    for block in 0..<blocks {
      made.append(try MemBlock(weights.scoped("decoder", layer + block), width: inputs))
    }
    self.blocks = made
    // After the blocks comes the upsampling, which has no weights.
    let grow = weights.scoped("decoder", layer + blocks + 1)
    // A checkpoint made for more frames has more rows; the last ones are the ones to keep.
    let needed = frames * inputs
    let stored = max(grow.storedShape("conv.weight")?.first ?? 0, needed)
    let growth = try grow.tensor("conv.weight", stored, inputs, 1, 1)
    let convolution = try weights.tensor(
      "decoder.\(layer + blocks + 2).weight", outputs, inputs, 3, 3)
    var raise: [ConvLayer] = []
    for frame in 0..<frames {
      guard growth.count > 0 else {
        raise.append(
          ConvLayer(
            unpreparedOutputs: outputs, inputs: inputs, kernel: 3, stride: 1, doubles: doubles))
        continue
      }
      let first = stored - needed + frame * inputs
      let folded = Self.fold(convolution, after: growth, rows: first..<first + inputs)
      raise.append(
        doubles
          ? try ConvLayer(doublingWeight: folded.pointer, outputs: outputs, inputs: inputs)
          : try ConvLayer(
            weight: folded.pointer, bias: nil, outputs: outputs, inputs: inputs, kernel: 3,
            stride: 1))
    }
    self.raise = raise
  }

  /// The convolution [outputs, n, 3, 3] of what a 1x1 convolution makes; the latter's weights are
  /// `rows` of `growth` [*, n].
  private static func fold(
    _ convolution: Tensor, after growth: Tensor, rows: Range<Int>
  ) -> Tensor {
    let (outputs, width) = (convolution.shape[0], rows.count)
    let folded = Tensor(outputs, width, 3, 3)
    for output in 0..<outputs {
      for middle in 0..<width {
        let taps = convolution.pointer + (output * width + middle) * 9
        let row = growth.pointer + (rows.lowerBound + middle) * width
        for input in 0..<width {
          let target = folded.pointer + (output * width + input) * 9
          for tap in 0..<9 { target[tap] += taps[tap] * row[input] }
        }
      }
    }
    return folded
  }
}
