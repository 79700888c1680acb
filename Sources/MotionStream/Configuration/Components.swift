import Foundation

// The parts of a model that bring their own configuration types: how those are read from JSON.

extension TinyVAEConfiguration {
  /// The file's name inside a model directory.
  static let file = "tiny_vae/config.json"

  /// Reads a JSON text; unknown fields are those of other readers.
  init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    self.init(
      latentChannels: try reader.integer("latent_channels", in: 1...4096),
      imageChannels: try reader.integer("image_channels", in: 3...3),
      patchSize: try reader.integer("patch_size", in: 1...16),
      encoderWidths: try reader.integers("encoder_widths", count: 2...9, in: 1...4096),
      decoderWidths: try reader.integers("decoder_widths", count: 2...9, in: 1...4096),
      encoderTimeDownscale: try reader.integers("encoder_time_downscale", count: 1...8, in: 1...4),
      decoderTimeUpscale: try reader.integers("decoder_time_upscale", count: 1...8, in: 1...4),
      encoderSpaceDownscale: try reader.optionalIntegers(
        "encoder_space_downscale", count: 1...8, in: 1...2),
      decoderSpaceUpscale: try reader.optionalIntegers(
        "decoder_space_upscale", count: 1...8, in: 1...2),
      memblocksPerStage: try reader.integer("memblocks_per_stage", in: 0...16))
    try validate(path: reader.file)
  }
}

extension TextEncoderConfiguration {
  /// The file's name inside a model directory.
  static let file = "text_encoder/config.json"

  /// Reads a JSON text; Hugging Face's many other fields do not matter to the encoder.
  init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    self.init(
      vocabularySize: try reader.integer("vocab_size", in: 1...(1 << 24)),
      width: try reader.integer("d_model", in: 1...65536),
      headWidth: try reader.integer("d_kv", in: 1...1024),
      feedForwardWidth: try reader.integer("d_ff", in: 1...262144),
      layers: try reader.integer("num_layers", in: 0...512),
      heads: try reader.integer("num_heads", in: 1...256),
      buckets: try reader.integer("relative_attention_num_buckets", in: 4...65536),
      maximumDistance: try reader.integer("relative_attention_max_distance", in: 2...(1 << 24)),
      epsilon: Float(try reader.number("layer_norm_epsilon", in: 0...0.1)))
    try validate(path: reader.file)
  }
}

extension TrackHeadConfiguration {
  /// Reads `track_config` of the transformer.
  init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    self.init(
      idDimension: try reader.integer("id_dim", in: 2...4096),
      channels: try reader.integer("track_channels", in: 1...1024),
      spatialCompression: try reader.integer("vae_spatial_compression", in: 1...256),
      temporalCompression: try reader.integer("vae_temporal_compression", in: 1...64),
      maximumID: try reader.integer("max_track_id", in: 1...Int(Int32.max)),
      usesBias: try reader.bool("use_bias"))
    try validate(path: reader.file)
  }
}

extension TrackRules {
  /// Reads `tracks` of the manifest.
  init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    self.init(
      cellRule: try reader.choice("cell_rule"),
      collision: try reader.choice("collision"),
      maximumID: try reader.integer("max_id", in: 1...Int(Int32.max)),
      base: try reader.number("base", in: 1.0001...1e9),
      ids: try reader.choice("ids"))
    try reader.refuseUnknown()
    try validate(path: reader.file)
  }
}
