/// `text_encoder/config.json`: the fields of Hugging Face's UMT5Config that the encoder needs.
public struct TextEncoderConfiguration: Sendable, Equatable, Decodable {
  /// Rows of the embedding table.
  public let vocabularySize: Int
  /// Width D of the residual stream and of the result.
  public let width: Int
  /// Width of one attention head.
  public let headWidth: Int
  /// Hidden width of the feed-forward.
  public let feedForwardWidth: Int
  /// Number of blocks.
  public let layers: Int
  /// Attention heads.
  public let heads: Int
  /// Rows of each block's table of relative position biases.
  public let buckets: Int
  /// Distance in tokens from which all positions share one bucket.
  public let maximumDistance: Int
  /// Added to the mean square under the root of every norm.
  public let epsilon: Float

  private enum CodingKeys: String, CodingKey {
    case vocabularySize = "vocab_size"
    case width = "d_model"
    case headWidth = "d_kv"
    case feedForwardWidth = "d_ff"
    case layers = "num_layers"
    case heads = "num_heads"
    case buckets = "relative_attention_num_buckets"
    case maximumDistance = "relative_attention_max_distance"
    case epsilon = "layer_norm_epsilon"
  }

  /// Makes a configuration; `validate` says whether it can be run.
  public init(
    vocabularySize: Int, width: Int, headWidth: Int, feedForwardWidth: Int, layers: Int,
    heads: Int, buckets: Int = 32, maximumDistance: Int = 128, epsilon: Float = 1e-6
  ) {
    self.vocabularySize = vocabularySize
    self.width = width
    self.headWidth = headWidth
    self.feedForwardWidth = feedForwardWidth
    self.layers = layers
    self.heads = heads
    self.buckets = buckets
    self.maximumDistance = maximumDistance
    self.epsilon = epsilon
  }

  /// Throws `.badModel` for sizes that no umT5 encoder can have; `path` is the file to name.
  public func validate(path: String) throws(ModelError) {
    let sizes = [
      ("vocab_size", vocabularySize), ("d_model", width), ("d_kv", headWidth),
      ("d_ff", feedForwardWidth), ("num_heads", heads),
    ]
    for (name, size) in sizes where !(1...16_777_216).contains(size) {
      throw ModelError(.badModel, "\(path): \(name): expected a positive size, found \(size)")
    }
    guard (0...1024).contains(layers) else {
      throw ModelError(.badModel, "\(path): num_layers: expected 0 to 1024, found \(layers)")
    }
    // Half of the buckets are for either direction, half of those for single distances.
    guard (4...65_536).contains(buckets), buckets % 4 == 0 else {
      throw ModelError(
        .badModel,
        "\(path): relative_attention_num_buckets: expected a multiple of 4, found \(buckets)")
    }
    guard (buckets / 4 + 1...16_777_216).contains(maximumDistance) else {
      throw ModelError(
        .badModel,
        "\(path): relative_attention_max_distance: expected more than \(buckets / 4), "
          + "found \(maximumDistance)")
    }
    guard epsilon > 0, epsilon < 1 else {
      throw ModelError(
        .badModel, "\(path): layer_norm_epsilon: expected a small positive number, found \(epsilon)"
      )
    }
  }
}
