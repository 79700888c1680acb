/// `tiny_vae/config.json`: the sizes of a TAEHV autoencoder.
public struct TinyVAEConfiguration: Sendable, Equatable, Decodable {
  /// Channels of a latent frame.
  public let latentChannels: Int
  /// Channels of a picture; always 3.
  public let imageChannels: Int
  /// Pixels that are shuffled into channels, along each side, before the first convolution.
  public let patchSize: Int
  /// Channels of the encoder: after the first convolution, then after each stage.
  public let encoderWidths: [Int]
  /// Channels of the decoder: at latent resolution, then after each stage.
  public let decoderWidths: [Int]
  /// Frames that each encoder stage merges into one.
  public let encoderTimeDownscale: [Int]
  /// Frames that each decoder stage makes of one.
  public let decoderTimeUpscale: [Int]
  /// By how much each encoder stage shrinks the picture along each side, 1 or 2.
  public let encoderSpaceDownscale: [Int]
  /// By how much each decoder stage enlarges the picture along each side, 1 or 2.
  public let decoderSpaceUpscale: [Int]
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
    case encoderSpaceDownscale = "encoder_space_downscale"
    case decoderSpaceUpscale = "decoder_space_upscale"
    case memblocksPerStage = "memblocks_per_stage"
  }

  /// Makes a configuration; `validate` says whether it can be run. Without factors for space,
  /// every stage halves or doubles, as upstream's do.
  public init(
    latentChannels: Int, imageChannels: Int = 3, patchSize: Int, encoderWidths: [Int],
    decoderWidths: [Int], encoderTimeDownscale: [Int], decoderTimeUpscale: [Int],
    encoderSpaceDownscale: [Int]? = nil, decoderSpaceUpscale: [Int]? = nil, memblocksPerStage: Int
  ) {
    self.latentChannels = latentChannels
    self.imageChannels = imageChannels
    self.patchSize = patchSize
    self.encoderWidths = encoderWidths
    self.decoderWidths = decoderWidths
    self.encoderTimeDownscale = encoderTimeDownscale
    self.decoderTimeUpscale = decoderTimeUpscale
    self.encoderSpaceDownscale = encoderSpaceDownscale ?? encoderTimeDownscale.map { _ in 2 }
    self.decoderSpaceUpscale = decoderSpaceUpscale ?? decoderTimeUpscale.map { _ in 2 }
    self.memblocksPerStage = memblocksPerStage
  }

  /// Pixel frames of one latent frame (after the first, which has one).
  public var temporalCompression: Int { decoderTimeUpscale.reduce(1, *) }

  /// Pixels of one latent cell along each side.
  public var spatialCompression: Int { patchSize * decoderSpaceUpscale.reduce(1, *) }

  /// Size of the pictures that decoder stage `index` works on, over that of the latent; after the
  /// last stage for `index` = number of stages.
  func decoderScale(_ index: Int) -> Int { decoderSpaceUpscale[..<index].reduce(1, *) }

  /// Size of the pictures that encoder stage `index` takes in, over that of the latent.
  func encoderScale(_ index: Int) -> Int { encoderSpaceDownscale[index...].reduce(1, *) }

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
    let sides = [
      ("encoder", "down", encoderWidths, encoderTimeDownscale, encoderSpaceDownscale),
      ("decoder", "up", decoderWidths, decoderTimeUpscale, decoderSpaceUpscale),
    ]
    for (side, way, widths, time, space) in sides {
      try require(
        (1...8).contains(time.count) && time.allSatisfy((1...8).contains),
        "\(side)_time_\(way)scale: expected 1 to 8 numbers from 1 to 8, found \(time)")
      try require(
        space.count == time.count && space.allSatisfy((1...2).contains),
        "\(side)_space_\(way)scale: expected \(time.count) numbers from 1 to 2, found \(space)")
      try require(
        widths.count == time.count + 1 && widths.allSatisfy(size.contains),
        "\(side)_widths: expected \(time.count + 1) positive numbers, found \(widths)")
    }
    let merged = encoderTimeDownscale.reduce(1, *)
    try require(
      merged == temporalCompression,
      "encoder_time_downscale merges \(merged) frames, decoder_time_upscale makes "
        + "\(temporalCompression)")
    let shrunk = encoderSpaceDownscale.reduce(1, *)
    try require(
      patchSize * shrunk == spatialCompression,
      "encoder_space_downscale shrinks by \(shrunk), decoder_space_upscale enlarges by "
        + "\(spatialCompression / patchSize)")
  }
}
