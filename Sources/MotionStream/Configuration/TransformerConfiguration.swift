import Foundation

/// `config.json` of a transformer's folder: the fields of diffusers' WanTransformer3DModel, plus the
/// track head and the cell head.
public struct TransformerConfiguration: Sendable, Equatable {
  /// Latent pixels of a token: rows, columns. (Time is always 1.)
  public let patchHeight, patchWidth: Int
  /// Attention heads.
  public let heads: Int
  /// Width of one head.
  public let headWidth: Int
  /// Channels of the patch embedding's input, all slots together.
  public let inChannels: Int
  /// Channels of the predicted velocity.
  public let outChannels: Int
  /// Width of the text embedding.
  public let textWidth: Int
  /// Width of the time sinusoid.
  public let frequencyWidth: Int
  /// Hidden width of the feed-forward.
  public let feedForwardWidth: Int
  /// Number of blocks.
  public let layers: Int
  /// Whether blocks normalise before cross-attention.
  public let crossAttentionNorm: Bool
  /// Epsilon of all norms.
  public let epsilon: Double
  /// Width of the image encoder's tokens; nil without image cross-attention.
  public let imageWidth: Int?
  /// Input width of the second K/V pair of cross-attention; nil without image cross-attention.
  public let addedKeyValueWidth: Int?
  /// The track head; nil for a model without tracks.
  public let trackHead: TrackHeadConfiguration?
  /// The head that sees cells; nil for a model without it.
  public let cellHead: CellHeadConfiguration?

  /// Width of the residual stream.
  public var width: Int { heads * headWidth }
  /// Latent pixels of a token.
  public var patchArea: Int { patchHeight * patchWidth }

  /// The file's name inside a model directory; `folder` is `transformer` or `drawing`.
  static func file(_ folder: String) -> String { "\(folder)/config.json" }

  /// Reads the file of a folder of a model directory.
  init(directory: String, folder: String) throws(ModelError) {
    try self.init(ConfigurationReader(directory: directory, file: Self.file(folder)))
  }

  /// Reads a JSON text; messages call it `transformer/config.json`.
  package init(json: String) throws(ModelError) {
    try self.init(ConfigurationReader(Data(json.utf8), file: Self.file("transformer")))
  }

  private init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    let patch = try reader.integers("patch_size", count: 3...3, in: 1...16)
    patchHeight = patch[1]
    patchWidth = patch[2]
    heads = try reader.integer("num_attention_heads", in: 1...256)
    headWidth = try reader.integer("attention_head_dim", in: 2...1024)
    inChannels = try reader.integer("in_channels", in: 1...4096)
    outChannels = try reader.integer("out_channels", in: 1...1024)
    textWidth = try reader.integer("text_dim", in: 1...65536)
    frequencyWidth = try reader.integer("freq_dim", in: 2...8192)
    feedForwardWidth = try reader.integer("ffn_dim", in: 1...262144)
    layers = try reader.integer("num_layers", in: 1...512)
    crossAttentionNorm = try reader.bool("cross_attn_norm")
    let norm = try reader.text("qk_norm")
    epsilon = try reader.number("eps", in: 0...0.1)
    imageWidth = try reader.optionalInteger("image_dim", in: 1...65536)
    addedKeyValueWidth = try reader.optionalInteger("added_kv_proj_dim", in: 1...65536)
    _ = try reader.integer("rope_max_seq_len", in: 1...(1 << 30))
    trackHead = try reader.optionalObject("track_config", required: false)
      .map(TrackHeadConfiguration.init)
    cellHead = try reader.optionalObject("cell_head", required: false)
      .map(CellHeadConfiguration.init)

    guard patch[0] == 1 else {
      throw reader.contradiction("patch_size", "time patch \(patch[0]), only 1 is supported")
    }
    guard norm == "rms_norm_across_heads" else {
      throw reader.contradiction(
        "qk_norm", "expected \"rms_norm_across_heads\", found \"\(norm)\"")
    }
    guard headWidth % 2 == 0 else {
      throw reader.contradiction(
        "attention_head_dim", "\(headWidth) is odd; rotary embedding turns pairs")
    }
    guard frequencyWidth % 2 == 0 else {
      throw reader.contradiction("freq_dim", "\(frequencyWidth) is odd; half are sines")
    }
    guard addedKeyValueWidth == nil || addedKeyValueWidth == width else {
      throw reader.contradiction(
        "added_kv_proj_dim", "expected the width \(width), found \(addedKeyValueWidth ?? 0)")
    }
    guard (imageWidth == nil) == (addedKeyValueWidth == nil) else {
      throw reader.contradiction(
        "image_dim", "image_dim and added_kv_proj_dim must both be null or both be set")
    }
  }
}

/// `cell_head` of a transformer: the sizes of the head that sees cells.
public struct CellHeadConfiguration: Sendable, Equatable {
  /// Channels of its convolutions.
  public let width: Int
  /// Pairs of convolutions between the first and the last.
  public let blocks: Int

  init(_ source: ConfigurationReader) throws(ModelError) {
    var reader = source
    width = try reader.integer("width", in: 1...4096)
    blocks = try reader.integer("num_blocks", in: 0...64)
    try reader.refuseUnknown()
  }
}
