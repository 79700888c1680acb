/// `tiny_vae/config.json`: the sizes of a TAEHV autoencoder.
public struct TinyVAEConfiguration: Sendable, Equatable, Decodable {
  /// Channels of a latent frame.
  public let latentChannels: Int
  /// Channels of a picture; always 3.
  public let imageChannels: Int
  /// Pixels that are shuffled into channels, along each side, before the first convolution.
  public let patchSize: Int
  /// Channels of the encoder: after the first convolution, then after each of three stages.
  public let encoderWidths: [Int]
  /// Channels of the decoder: at latent resolution, then after each of three stages.
  public let decoderWidths: [Int]
  /// Frames that each encoder stage merges into one.
  public let encoderTimeDownscale: [Int]
  /// Frames that each decoder stage makes of one.
  public let decoderTimeUpscale: [Int]
  /// MemBlocks in each stage.
  public let memblocksPerStage: Int

  private enum CodingKeys: String, CodingKey {
    case latentChannels = "latent_channels"
    case imageChannels = "image_channels"
    case patchSize = "patch_size"
    case encoderWidths = "encoder_widths"
    case decoderWidths = "decoder_widths"
    case encoderTimeDownscale = "encoder_time_downscale"
    case decoderTimeUpscale = "decoder_time_upscale"
    case memblocksPerStage = "memblocks_per_stage"
  }

  /// Makes a configuration; `validate` says whether it can be run.
  public init(
    latentChannels: Int, imageChannels: Int = 3, patchSize: Int, encoderWidths: [Int],
    decoderWidths: [Int], encoderTimeDownscale: [Int], decoderTimeUpscale: [Int],
    memblocksPerStage: Int
  ) {
    self.latentChannels = latentChannels
    self.imageChannels = imageChannels
    self.patchSize = patchSize
    self.encoderWidths = encoderWidths
    self.decoderWidths = decoderWidths
    self.encoderTimeDownscale = encoderTimeDownscale
    self.decoderTimeUpscale = decoderTimeUpscale
    self.memblocksPerStage = memblocksPerStage
  }

  /// Pixel frames of one latent frame (after the first, which has one).
  public var temporalCompression: Int { decoderTimeUpscale.reduce(1, *) }

  /// Pixels of one latent cell along each side.
  public var spatialCompression: Int { patchSize << decoderTimeUpscale.count }

  /// Channels of the outermost convolutions: one pixel-shuffled patch.
  var pixelChannels: Int { imageChannels * patchSize * patchSize }

  /// Throws `.badModel` for sizes that no TAEHV can have; `path` is the file to name.
  public func validate(path: String) throws(ModelError) {
    func require(_ holds: Bool, _ expected: String) throws(ModelError) {
      if !holds { throw ModelError(.badModel, "\(path): \(expected)") }
    }
    let size = 1...65_536
    try require(imageChannels == 3, "image_channels: expected 3, found \(imageChannels)")
    try require(size.contains(latentChannels), "latent_channels: found \(latentChannels)")
    try require((1...16).contains(patchSize), "patch_size: expected 1 to 16, found \(patchSize)")
    try require(
      (1...64).contains(memblocksPerStage),
      "memblocks_per_stage: expected 1 to 64, found \(memblocksPerStage)")
    for (name, widths) in [("encoder_widths", encoderWidths), ("decoder_widths", decoderWidths)] {
      try require(
        widths.count == 4 && widths.allSatisfy(size.contains),
        "\(name): expected 4 positive numbers, found \(widths)")
    }
    let scales = [
      ("encoder_time_downscale", encoderTimeDownscale),
      ("decoder_time_upscale", decoderTimeUpscale),
    ]
    for (name, factors) in scales {
      try require(
        factors.count == 3 && factors.allSatisfy((1...8).contains),
        "\(name): expected 3 numbers from 1 to 8, found \(factors)")
    }
    let merged = encoderTimeDownscale.reduce(1, *)
    try require(
      merged == temporalCompression,
      "encoder_time_downscale merges \(merged) frames, decoder_time_upscale makes "
        + "\(temporalCompression)")
  }
}
