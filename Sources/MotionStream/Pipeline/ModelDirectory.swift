import Foundation

/// A model on disk: its configurations, read and checked against each other. Loads no weights.
public struct ModelDirectory: Sendable {
  /// The folder.
  public let path: String
  /// `motionstream.json`.
  public let manifest: MotionStreamManifest
  /// `transformer/config.json`.
  public let transformer: TransformerConfiguration
  /// `drawing/config.json`: of the transformer that draws the first picture of a stream that was
  /// given none; nil if the manifest has no ``MotionStreamManifest/Drawing``.
  public let drawing: TransformerConfiguration?
  /// `tiny_vae/config.json`.
  public let vae: TinyVAEConfiguration
  /// `text_encoder/config.json`; nil if the folder is not there.
  public let textEncoder: TextEncoderConfiguration?

  /// Reads and checks the configurations. Throws `.missing` for a file that is not there and
  /// `.badModel` for one that cannot be used.
  public init(path: String) throws(ModelError) {
    self.path = path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ModelError(.missing, "\(path): no such model directory")
    }
    guard isFolder.boolValue else {
      throw ModelError(.badModel, "\(path): expected a model directory, found a file")
    }
    manifest = try MotionStreamManifest(directory: path)
    transformer = try TransformerConfiguration(directory: path, folder: "transformer")
    drawing =
      manifest.image.drawing == nil
      ? nil : try TransformerConfiguration(directory: path, folder: "drawing")
    vae = try TinyVAEConfiguration(
      ConfigurationReader(directory: path, file: TinyVAEConfiguration.file))
    textEncoder =
      FileManager.default.fileExists(atPath: "\(path)/text_encoder")
      ? try TextEncoderConfiguration(
        ConfigurationReader(directory: path, file: TextEncoderConfiguration.file)) : nil
    try checkAgreement()
  }

  /// The tokenizer's file.
  var tokenizerPath: String { "\(path)/tokenizer/spiece.model" }

  /// Opens and checks the transformer's weight files.
  func transformerFiles() throws(ModelError) -> WeightFiles {
    try WeightFiles(directory: "\(path)/transformer", stem: "diffusion_pytorch_model")
  }

  /// Opens and checks the weight files of the transformer that draws; nil if there is none.
  func drawingFiles() throws(ModelError) -> WeightFiles? {
    guard drawing != nil else { return nil }
    return try WeightFiles(directory: "\(path)/drawing", stem: "diffusion_pytorch_model")
  }

  /// Opens and checks the VAE's weight files.
  func vaeFiles() throws(ModelError) -> WeightFiles {
    try WeightFiles(directory: "\(path)/tiny_vae", stem: "diffusion_pytorch_model")
  }

  /// Opens and checks the text encoder's weight files.
  func textEncoderFiles() throws(ModelError) -> WeightFiles {
    try WeightFiles(directory: "\(path)/text_encoder", stem: "model")
  }

  /// Pixels of the picture that one token covers: sizes must be multiples of both.
  var pixelsPerToken: (height: Int, width: Int) {
    (
      manifest.spatialCompression * transformer.patchHeight,
      manifest.spatialCompression * transformer.patchWidth
    )
  }

  /// Channels of an input slot of either transformer.
  func channels(
    of slot: MotionStreamManifest.InputSlot, for transformer: TransformerConfiguration
  ) -> Int {
    switch slot {
    case .noise: transformer.outChannels
    case .mask: manifest.temporalCompression
    case .image: vae.latentChannels
    case .tracks: transformer.trackHead?.channels ?? 0
    }
  }

  // MARK: Agreement between files

  private func checkAgreement() throws(ModelError) {
    let manifestFile = MotionStreamManifest.file
    try require(
      manifestFile, "spatial_compression", manifest.spatialCompression,
      equals: vae.spatialCompression, of: "\(TinyVAEConfiguration.file) has it")
    try require(
      manifestFile, "temporal_compression", manifest.temporalCompression,
      equals: vae.temporalCompression, of: "\(TinyVAEConfiguration.file) has it")
    try checkAgreement(of: transformer, in: "transformer")
    if let drawing {
      try checkAgreement(of: drawing, in: "drawing")
      guard transformer.patchHeight % drawing.patchHeight == 0,
        transformer.patchWidth % drawing.patchWidth == 0
      else {
        throw ModelError(
          .badModel,
          "\(path)/\(TransformerConfiguration.file("drawing")): patch_size: expected divisors of "
            + "\(transformer.patchHeight) and \(transformer.patchWidth), found "
            + "\(drawing.patchHeight) and \(drawing.patchWidth)")
      }
    }
    let token = pixelsPerToken
    guard manifest.width % token.width == 0, manifest.height % token.height == 0 else {
      throw ModelError(
        .badModel,
        "\(path)/\(manifestFile): width, height: expected multiples of \(token.width) and "
          + "\(token.height), found \(manifest.width) and \(manifest.height)")
    }
  }

  private func checkAgreement(
    of transformer: TransformerConfiguration, in folder: String
  ) throws(ModelError) {
    let manifestFile = MotionStreamManifest.file
    let file = TransformerConfiguration.file(folder)
    try require(
      file, "out_channels", transformer.outChannels, equals: vae.latentChannels,
      of: "latent_channels of \(TinyVAEConfiguration.file)")
    if let rules = manifest.tracks {
      guard let head = transformer.trackHead else {
        throw ModelError(
          .badModel,
          "\(path)/\(file): track_config: expected an object as \(manifestFile) has tracks, "
            + "found null")
      }
      try require(
        file, "track_config.max_track_id", head.maximumID, equals: rules.maximumID,
        of: "tracks.max_id of \(manifestFile)")
      try require(
        file, "track_config.vae_spatial_compression", head.spatialCompression,
        equals: manifest.spatialCompression, of: "spatial_compression of \(manifestFile)")
      try require(
        file, "track_config.vae_temporal_compression", head.temporalCompression,
        equals: manifest.temporalCompression, of: "temporal_compression of \(manifestFile)")
    } else if transformer.trackHead != nil {
      throw ModelError(
        .badModel,
        "\(path)/\(manifestFile): tracks: expected an object as \(file) has a track_config, "
          + "found null")
    }
    let slots = manifest.inputSlots.map { ($0.rawValue, channels(of: $0, for: transformer)) }
    try require(
      file, "in_channels", transformer.inChannels, equals: slots.reduce(0) { $0 + $1.1 },
      of: "the sum of the slots " + slots.map { "\($0) \($1)" }.joined(separator: " + "))
    if let textEncoder {
      try require(
        file, "text_dim", transformer.textWidth, equals: textEncoder.width,
        of: "d_model of \(TextEncoderConfiguration.file)")
    }
  }

  private func require(
    _ file: String, _ field: String, _ found: Int, equals expected: Int, of origin: String
  ) throws(ModelError) {
    if found != expected {
      throw ModelError(
        .badModel, "\(path)/\(file): \(field): expected \(expected) as \(origin), found \(found)")
    }
  }
}
