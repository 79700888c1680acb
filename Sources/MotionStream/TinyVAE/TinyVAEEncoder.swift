package import Frames

/// The encoder of TAEHV: groups of pictures in, latent frames out, whole or as a stream.
package struct TinyVAEEncoder: Sendable {
  /// The sizes.
  package let configuration: TinyVAEConfiguration
  private let first: ConvLayer
  private let stages: [EncoderStage]
  private let last: ConvLayer

  /// Takes the `encoder.*` tensors, named by their place in the reference's list of layers.
  package init(_ configuration: TinyVAEConfiguration, _ weights: Weights) throws(ModelError) {
    self.configuration = configuration
    let widths = configuration.encoderWidths
    first = try weights.convolution(
      "encoder.0", outputs: widths[0], inputs: configuration.pixelChannels, kernel: 3)
    var layer = 2  // layer 1 is a rectifier
    var stages: [EncoderStage] = []
    for (index, frames) in configuration.encoderTimeDownscale.enumerated() {
      let stage = try EncoderStage(
        weights, layer: layer, blocks: configuration.memblocksPerStage, inputs: widths[index],
        outputs: widths[index + 1], frames: frames,
        stride: configuration.encoderSpaceDownscale[index])
      stages.append(stage)
      layer += configuration.memblocksPerStage + 2  // TPool, convolution, the blocks
    }
    self.stages = stages
    last = try weights.convolution(
      "encoder.\(layer)", outputs: configuration.latentChannels,
      inputs: widths[stages.count], kernel: 3)
  }

  /// The latent frames of a clip that begins with `image` and, when `greyLatents` > 0, goes on in
  /// mid-grey: [1 + greyLatents, C, H, W]. Both sides of the image must be multiples of
  /// `spatialCompression`.
  package func encode(image: RGBFrame, greyLatents: Int = 0, pool: Pool) -> Tensor {
    let picture = image.values
    let size = PictureSize(height: image.height, width: image.width)
    let grey = Tensor(greyLatents > 0 ? size.count : 0, 3)
    for index in 0..<grey.count { grey.pointer[index] = 0.5 }
    return encode(
      size: size, latents: 1 + greyLatents, pool: pool
    ) { $0 == 0 ? picture.matrix : grey.matrix }
  }

  /// The latent frames of a clip of 1 + `temporalCompression` * (latents - 1) pictures,
  /// [latents, C, H, W]. `picture` gives each as [H*W, 3] in [0, 1]; the first stands for a whole
  /// group, as if it had been shown from before the start.
  package func encode(
    size: PictureSize, latents: Int, pool: Pool, picture: (Int) -> Matrix
  ) -> Tensor {
    let multiple = configuration.spatialCompression
    precondition(
      size.height % multiple == 0 && size.width % multiple == 0,
      "\(size): sides must be multiples of \(multiple)")
    let frames = configuration.temporalCompression
    let latent = PictureSize(height: size.height / multiple, width: size.width / multiple)
    let result = Tensor(latents, configuration.latentChannels, latent.height, latent.width)
    let workspace = makeWorkspace(latent: latent, pool: pool)
    var memory = makeMemory(latent: latent)
    for index in 0..<latents {
      let rows = configuration.latentChannels * index
      let target = Matrix(
        owner: result, base: result.pointer + rows * latent.count,
        rows: configuration.latentChannels, columns: latent.count, stride: latent.count)
      encode(memory: &memory, workspace: workspace, pool: pool, into: target) { frame in
        picture(index == 0 ? 0 : frames * (index - 1) + 1 + frame)
      }
    }
    return result
  }

  /// The memory of a stream that has not begun; `latent` is the size of its latent frames.
  package func makeMemory(latent: PictureSize) -> MemBlockMemory {
    MemBlockMemory(past: blockShapes(latent).map { Tensor($0.size.count, $0.width) })
  }

  /// Room for encoding latent frames of one size on one pool.
  package func makeWorkspace(latent: PictureSize, pool: Pool) -> EncodingWorkspace {
    EncodingWorkspace(
      configuration, latent: latent, inputs: MemBlockInputs(shapes: blockShapes(latent)),
      scratch: scratchCount(latent, pool))
  }

  /// Floats of scratch that the most demanding convolution needs.
  func scratchCount(_ latent: PictureSize, _ pool: Pool) -> Int {
    layers.reduce(0) { most, next in
      let size = latent.scaled(by: configuration.encoderScale(next.stage))
      return max(
        most, pool.convolutionScratch(next.layer, height: size.height, width: size.width))
    }
  }

  /// Encodes the next `temporalCompression` pictures of a stream to a latent frame [C, H*W].
  /// `picture` gives each as [H*W, 3] in [0, 1]; what it gives is read before the next is asked for.
  package func encode(
    memory: inout MemBlockMemory, workspace: EncodingWorkspace, pool: Pool, into target: Matrix,
    picture: (Int) -> Matrix
  ) {
    for frame in 0..<configuration.temporalCompression {
      workspace.unshuffle(picture(frame), pool: pool)
      push(workspace, &memory, pool: pool)
    }
    transpose(workspace.latentPixels.matrix, into: target)
  }

  /// Sizes and widths of the MemBlocks' inputs.
  private func blockShapes(_ latent: PictureSize) -> [(size: PictureSize, width: Int)] {
    (1...stages.count).flatMap { stage in
      Array(
        repeating: (
          size: latent.scaled(by: configuration.encoderScale(stage)),
          width: configuration.encoderWidths[stage]
        ), count: configuration.memblocksPerStage)
    }
  }

  /// Takes the picture in `pixels` as far as complete groups allow: the last picture of a group
  /// fills `latentPixels`.
  private func push(
    _ stream: EncodingWorkspace, _ memory: inout MemBlockMemory, pool: Pool
  ) {
    let full = stream.latent.scaled(by: configuration.encoderScale(0))
    var features = stream.features[0].matrix
    pool.convolution(
      first, stream.pixels.matrix, height: full.height, width: full.width, activation: .relu,
      into: features, scratch: stream.scratch)
    for (index, stage) in stages.enumerated() {
      let pooled = stream.pooled[index].matrix
      let frame = stream.pooledFrames[index]
      pool.linear(
        stage.merge[frame], features, into: pooled, write: frame == 0 ? .store : .add)
      stream.pooledFrames[index] = (frame + 1) % stage.merge.count
      if stream.pooledFrames[index] != 0 { return }
      features = run(stage, index, pooled, stream, &memory, pool)
    }
    let latent = stream.latent
    pool.convolution(
      last, features, height: latent.height, width: latent.width,
      into: stream.latentPixels.matrix, scratch: stream.scratch)
  }

  private func run(
    _ stage: EncoderStage, _ index: Int, _ pooled: Matrix, _ stream: EncodingWorkspace,
    _ memory: inout MemBlockMemory, _ pool: Pool
  ) -> Matrix {
    let large = stream.latent.scaled(by: configuration.encoderScale(index))
    let size = stream.latent.scaled(by: configuration.encoderScale(index + 1))
    let blocks = configuration.memblocksPerStage
    pool.convolution(
      stage.convolution, pooled, height: large.height, width: large.width,
      into: stream.inputs.writable(index * blocks), scratch: stream.scratch)
    let features = stream.features[index + 1].matrix
    for (block, layer) in stage.blocks.enumerated() {
      let place = index * blocks + block
      let output = block == blocks - 1 ? features : stream.inputs.writable(place + 1)
      layer.forward(
        stream.inputs.written(place), past: memory.past[place].matrix, size: size,
        hidden: view(stream.hidden, size.count, features.columns), into: output,
        scratch: stream.scratch, pool: pool)
      stream.inputs.remember(place, in: &memory)
    }
    return features
  }

  /// Every convolution, with how many stages lie before it.
  var layers: [(layer: ConvLayer, stage: Int)] {
    var layers = [(layer: first, stage: 0), (layer: last, stage: stages.count)]
    for (index, stage) in stages.enumerated() {
      layers.append((stage.convolution, index))
      layers += stage.blocks.flatMap(\.layers).map { ($0, index + 1) }
    }
    return layers
  }
}

/// TPool (several frames become one), a convolution to the next size, MemBlocks there.
private struct EncoderStage: Sendable {
  /// TPool's 1x1 convolution over joined frames, cut into the part of each frame: [n, n].
  let merge: [LinearLayer]
  let convolution: ConvLayer
  let blocks: [MemBlock]

  init(
    _ weights: Weights, layer: Int, blocks: Int, inputs: Int, outputs: Int, frames: Int,
    stride: Int
  ) throws(ModelError) {
    merge = try Self.merge(weights.scoped("encoder", layer), width: inputs, frames: frames)
    convolution = try weights.convolution(
      "encoder.\(layer + 1)", outputs: outputs, inputs: inputs, kernel: 3, stride: stride,
      bias: false)
    var made: [MemBlock] = []
    for block in 0..<blocks {
      made.append(try MemBlock(weights.scoped("encoder", layer + 2 + block), width: outputs))
    }
    self.blocks = made
  }

  private static func merge(
    _ weights: Weights, width: Int, frames: Int
  ) throws(ModelError) -> [LinearLayer] {
    let weight = try weights.tensor("conv.weight", width, frames * width, 1, 1)
    var layers: [LinearLayer] = []
    for frame in 0..<frames {
      guard weight.count > 0 else {
        layers.append(LinearLayer(unpreparedOutputs: width, inputs: width))
        continue
      }
      let part = Tensor(width, width)
      part.matrix.assign(
        view(weight, width, frames * width).columns(frame * width..<(frame + 1) * width))
      layers.append(
        try LinearLayer(weight: part.pointer, bias: nil, outputs: width, inputs: width))
    }
    return layers
  }
}

/// The intermediate pictures of a latent frame that is being encoded.
package final class EncodingWorkspace {
  let configuration: TinyVAEConfiguration
  let latent: PictureSize
  fileprivate var inputs: MemBlockInputs
  /// How many frames of the current group each TPool has taken in.
  fileprivate var pooledFrames: [Int]
  /// One picture, its patches shuffled into channels, [H*W / p², 3 p²].
  fileprivate let pixels: Tensor
  /// After the first convolution, then after each stage.
  fileprivate let features: [Tensor]
  /// Where each TPool sums its frames.
  fileprivate let pooled: [Tensor]
  fileprivate let hidden, latentPixels, scratch: Tensor

  fileprivate init(
    _ configuration: TinyVAEConfiguration, latent: PictureSize, inputs: MemBlockInputs,
    scratch: Int
  ) {
    self.configuration = configuration
    self.latent = latent
    self.inputs = inputs
    let widths = configuration.encoderWidths
    let stages = configuration.encoderTimeDownscale.count
    let sizes = (0...stages).map { latent.scaled(by: configuration.encoderScale($0)) }
    pooledFrames = Array(repeating: 0, count: stages)
    pixels = Tensor(sizes[0].count, configuration.pixelChannels)
    features = (0...stages).map { Tensor(sizes[$0].count, widths[$0]) }
    pooled = (0..<stages).map { Tensor(sizes[$0].count, widths[$0]) }
    hidden = Tensor(features.map(\.count).max() ?? 0)
    latentPixels = Tensor(latent.count, configuration.latentChannels)
    self.scratch = Tensor(scratch)
  }

  /// The memory held, in bytes.
  package var byteCount: Int {
    (features + pooled + [pixels, hidden, latentPixels, scratch]).reduce(inputs.byteCount) {
      $0 + $1.byteCount
    }
  }

  /// Fills `pixels` from a picture [H*W, 3]: channel c p² + row p + column, as PixelUnshuffle.
  fileprivate func unshuffle(_ picture: Matrix, pool: Pool) {
    let patch = configuration.patchSize
    let size = latent.scaled(by: configuration.encoderScale(0))
    precondition(picture.rows == size.count * patch * patch && picture.columns == 3)
    pool.run(size.height) { row in
      var target = pixels.pointer + row * size.width * 3 * patch * patch
      for column in 0..<size.width {
        for channel in 0..<3 {
          for y in row * patch..<(row + 1) * patch {
            for x in column * patch..<(column + 1) * patch {
              target.pointee = picture.base[(y * size.width * patch + x) * picture.stride + channel]
              target += 1
            }
          }
        }
      }
    }
  }
}

extension RGBFrame {
  /// The picture's values, [H*W, 3] in [0, 1].
  var values: Tensor {
    let values = Tensor(height * width, 3)
    for (index, byte) in pixels.enumerated() { values.pointer[index] = Float(byte) / 255 }
    return values
  }
}
