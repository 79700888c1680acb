import Foundation
import Frames
import MotionStream
import Testing

@Suite struct TinyVAETests {
  struct Parameters: Decodable { let config: TinyVAEConfiguration }

  /// The sizes of Tests/Fixtures/tiny-model/tiny_vae/config.json.
  static let tiny = TinyVAEConfiguration(
    latentChannels: 4, patchSize: 1, encoderWidths: [4, 4, 6, 6], decoderWidths: [8, 6, 4, 4],
    encoderTimeDownscale: [2, 2, 1], decoderTimeUpscale: [1, 2, 2], memblocksPerStage: 3)

  struct Autoencoder {
    let encoder: TinyVAEEncoder
    let decoder: TinyVAEDecoder

    init(_ configuration: TinyVAEConfiguration, _ weights: Weights) throws(ModelError) {
      encoder = try TinyVAEEncoder(configuration, weights)
      decoder = try TinyVAEDecoder(configuration, weights)
    }

    static func tiny() throws -> Autoencoder {
      try Weights.build(
        Fixture("tiny-model/tiny_vae/diffusion_pytorch_model").files
      ) { weights throws(ModelError) in try Autoencoder(TinyVAETests.tiny, weights) }
    }
  }

  /// All pictures of `latents` [T, C, H, W] as one stream: [3, H, W] each, limited to [0, 1].
  static func decode(_ latents: Tensor, _ decoder: TinyVAEDecoder, pool: Pool) -> [[Float]] {
    let size = PictureSize(height: latents.shape[2], width: latents.shape[3])
    let workspace = decoder.makeWorkspace(latent: size, pool: pool)
    var memory = decoder.makeMemory(latent: size)
    var pictures: [[Float]] = []
    for index in 0..<latents.shape[0] {
      decoder.decode(frame(latents, index), memory: &memory, workspace: workspace, pool: pool) {
        pictures.append(shuffled($0, decoder.configuration, size))
      }
    }
    return pictures
  }

  /// Latent frame `index` of [T, C, H, W] as [C, H*W].
  static func frame(_ latents: Tensor, _ index: Int) -> Matrix {
    let (channels, pixels) = (latents.shape[1], latents.shape[2] * latents.shape[3])
    let tensor = Tensor(
      [channels, pixels],
      values: Array(
        latents.values[index * channels * pixels..<(index + 1) * channels * pixels]))
    return tensor.matrix
  }

  /// PixelShuffle of [H*W, 3 p²] to [3, H p, W p], limited to [0, 1] as the reference's output is.
  static func shuffled(
    _ picture: Matrix, _ configuration: TinyVAEConfiguration, _ latent: PictureSize
  ) -> [Float] {
    let patch = configuration.patchSize
    let (height, width) = (latent.height * 8, latent.width * 8)
    return (0..<3 * height * patch * width * patch).map { index in
      let x = index % (width * patch)
      let y = index / (width * patch) % (height * patch)
      let channel = index / (width * patch) / (height * patch)
      let column = (channel * patch + y % patch) * patch + x % patch
      let value = picture.base[(y / patch * width + x / patch) * picture.stride + column]
      return min(max(value, 0), 1)
    }
  }

  /// Picture `index` of [F, 3, H, W] as [H*W, 3].
  static func picture(_ frames: Tensor, _ index: Int) -> Matrix {
    let pixels = frames.shape[2] * frames.shape[3]
    let tensor = Tensor(pixels, 3)
    for pixel in 0..<pixels {
      for channel in 0..<3 {
        tensor.pointer[pixel * 3 + channel] = frames.pointer[(index * 3 + channel) * pixels + pixel]
      }
    }
    return tensor.matrix
  }

  static func encode(
    _ frames: Tensor, _ encoder: TinyVAEEncoder, pool: Pool
  ) -> Tensor {
    let size = PictureSize(height: frames.shape[2], width: frames.shape[3])
    let latents = (frames.shape[0] - 1) / encoder.configuration.temporalCompression + 1
    return encoder.encode(size: size, latents: latents, pool: pool) { picture(frames, $0) }
  }

  @Test func decodingLatentByLatentEqualsTheReferencesWholeClip() throws {
    let fixture = try Fixture("tiny-vae-decoder")
    let pool = try Pool(threads: 2)
    let pictures = try Self.decode(
      fixture("input.latents"), Autoencoder.tiny().decoder, pool: pool)
    #expect(pictures.count == 9)
    expectClose(pictures.flatMap { $0 }, try fixture("expected.frames").values)
  }

  @Test func encodingGivesTheReferencesLatents() throws {
    let fixture = try Fixture("tiny-vae-encoder")
    let latents = try Self.encode(
      fixture("input.frames"), Autoencoder.tiny().encoder, pool: Pool(threads: 2))
    let expected = try fixture("expected.latents")
    #expect(latents.shape == expected.shape)
    expectClose(latents.values, expected.values)
  }

  @Test func otherSizesPatchesAndOverTallGrowthWork() throws {
    let fixture = try Fixture("tiny-vae-patch2")
    let parameters: Parameters = try Fixture.parameters("tiny-vae-patch2")
    try parameters.config.validate(path: "tiny-vae-patch2")
    let model = try fixture.build("weights") { weights throws(ModelError) in
      try Autoencoder(parameters.config, weights)
    }
    let pool = try Pool(threads: 1)
    let pictures = try Self.decode(fixture("input.latents"), model.decoder, pool: pool)
    expectClose(pictures.flatMap { $0 }, try fixture("expected.frames").values, "decoder")
    let latents = try Self.encode(fixture("input.frames"), model.encoder, pool: pool)
    expectClose(latents.values, try fixture("expected.latents").values, "encoder")
  }

  @Test func theFirstLatentGivesOnePictureAndEachLaterOneFour() throws {
    let fixture = try Fixture("tiny-vae-decoder")
    let latents = try fixture("input.latents")
    let pool = try Pool(threads: 2)
    let decoder = try Autoencoder.tiny().decoder
    let size = PictureSize(height: 3, width: 4)
    let workspace = decoder.makeWorkspace(latent: size, pool: pool)
    var memory = decoder.makeMemory(latent: size)
    let expected = try fixture("expected.frames").values
    var bytes: [[UInt8]] = []
    for index in 0..<3 {
      let frames = decoder.decode(
        Self.frame(latents, index), memory: &memory, workspace: workspace, pool: pool)
      #expect(frames.count == (index == 0 ? 1 : 4))
      #expect(frames.allSatisfy { $0.width == 32 && $0.height == 24 })
      bytes += frames.map(\.pixels)
    }
    #expect(memory.latentCount == 3)
    // [F, 3, H, W] values against [F, H, W, 3] bytes.
    for (index, frame) in bytes.enumerated() {
      let difference = frame.indices.map { place in
        let value = expected[(index * 3 + place % 3) * 24 * 32 + place / 3]
        return abs(Float(frame[place]) - 255 * value)
      }
      #expect((difference.max() ?? 1) < 0.6, "picture \(index)")
    }
  }

  @Test func aCopiedMemoryContinuesEqually() throws {
    let latents = try Fixture("tiny-vae-decoder")("input.latents")
    let pool = try Pool(threads: 2)
    let decoder = try Autoencoder.tiny().decoder
    let size = PictureSize(height: 3, width: 4)
    let workspace = decoder.makeWorkspace(latent: size, pool: pool)
    let other = decoder.makeWorkspace(latent: size, pool: pool)
    var memory = decoder.makeMemory(latent: size)
    func next(_ index: Int, _ memory: inout MemBlockMemory, _ room: DecoderWorkspace) -> [RGBFrame]
    {
      decoder.decode(Self.frame(latents, index), memory: &memory, workspace: room, pool: pool)
    }
    _ = next(0, &memory, workspace)
    var copy = memory
    // The copy is continued after the original has moved on, in the same and in another workspace,
    // with another latent in between.
    let once = next(1, &memory, workspace) + next(2, &memory, workspace)
    var second = copy
    let diverged = next(2, &second, workspace)
    let twice = next(1, &copy, workspace) + next(2, &copy, other)
    #expect(once == twice)
    #expect(diverged != Array(once.prefix(4)))
  }

  @Test func threadsDoNotChangeTheBytes() throws {
    let latents = try Fixture("tiny-vae-decoder")("input.latents")
    let decoder = try Autoencoder.tiny().decoder
    let one = try Self.decode(latents, decoder, pool: Pool(threads: 1))
    let two = try Self.decode(latents, decoder, pool: Pool(threads: 3))
    #expect(one == two)
  }

  @Test func anImageIsEncodedAsIfShownForAWholeGroup() throws {
    let pool = try Pool(threads: 2)
    let encoder = try Autoencoder.tiny().encoder
    let pixels = (0..<16 * 8 * 3).map { UInt8(truncatingIfNeeded: $0 * 37) }
    let image = RGBFrame(width: 16, height: 8, pixels: pixels)
    let latents = encoder.encode(image: image, greyLatents: 2, pool: pool)
    #expect(latents.shape == [3, 4, 1, 2])
    let frames = Tensor(
      [9, 3, 8, 16],
      values: (0..<9 * 3 * 128).map { index in
        let (frame, channel, pixel) = (index / 384, index / 128 % 3, index % 128)
        return frame == 0 ? Float(pixels[pixel * 3 + channel]) / 255 : 0.5
      })
    expectClose(latents.values, Self.encode(frames, encoder, pool: pool).values, tolerance: 1e-6)
    let alone = encoder.encode(image: image, pool: pool)
    #expect(alone.values == Array(latents.values.prefix(8)))
  }

  @Test func configurationsThatContradictThemselvesAreNamed() {
    let bad = TinyVAEConfiguration(
      latentChannels: 4, patchSize: 1, encoderWidths: [4, 4, 4], decoderWidths: [4, 4, 4, 4],
      encoderTimeDownscale: [2, 2, 1], decoderTimeUpscale: [1, 2, 2], memblocksPerStage: 3)
    let error = #expect(throws: ModelError.self) { try bad.validate(path: "config.json") }
    #expect(error?.description.contains("encoder_widths") == true)
    let uneven = TinyVAEConfiguration(
      latentChannels: 4, patchSize: 1, encoderWidths: [4, 4, 4, 4], decoderWidths: [4, 4, 4, 4],
      encoderTimeDownscale: [2, 2, 2], decoderTimeUpscale: [1, 2, 2], memblocksPerStage: 3)
    #expect(throws: ModelError.self) { try uneven.validate(path: "config.json") }
  }
}
