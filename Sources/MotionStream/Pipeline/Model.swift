/// A model's weights, prepared for this machine. Immutable.
public final class Model: Sendable {
  /// Where it came from.
  public let directory: ModelDirectory
  /// The threads its kernels run on.
  package let pool: Pool
  /// The causal student.
  package let student: Network
  /// Draws the first picture of a stream that was given none; nil too where none will be.
  package let drawing: Network?
  package let vaeEncoder: TinyVAEEncoder
  package let vaeDecoder: TinyVAEDecoder
  /// Values of all weights that stay in memory.
  let weightCount: Int
  private let textEncoder: TextEncoder?
  private let tokenizer: Tokenizer?

  /// What the model says about itself.
  public var manifest: MotionStreamManifest { directory.manifest }
  /// Number of threads the kernels run on.
  public var threads: Int { pool.threads }

  /// Reads, checks and packs all weights. One error names every tensor of a component that is
  /// missing, unexpected or of the wrong shape. Without `draws` every stream must be given a
  /// picture: what would draw one is left in its files.
  public static func load(
    _ directory: ModelDirectory, threads: Int, draws: Bool = true
  ) throws(ModelError) -> Model {
    try Model(directory, threads: threads, draws: draws)
  }

  private init(_ directory: ModelDirectory, threads: Int, draws: Bool) throws(ModelError) {
    self.directory = directory
    pool = try Pool(threads: threads)
    // What can be refused without reading gigabytes comes first.
    if let configuration = directory.textEncoder {
      textEncoder = try TextEncoder(configuration, files: directory.textEncoderFiles())
      let tokenizer = try Tokenizer(path: directory.tokenizerPath)
      guard tokenizer.pieceCount <= configuration.vocabularySize else {
        throw ModelError(
          .badModel,
          "\(directory.tokenizerPath): \(tokenizer.pieceCount) pieces, vocab_size of "
            + "\(TextEncoderConfiguration.file) is \(configuration.vocabularySize)")
      }
      self.tokenizer = tokenizer
    } else {
      textEncoder = nil
      tokenizer = nil
    }
    let vaeFiles = try directory.vaeFiles()
    let studentFiles = try directory.transformerFiles()
    let drawingFiles = draws ? try directory.drawingFiles() : nil
    let rules = directory.manifest.tracks
    ((vaeEncoder, vaeDecoder), student, drawing) = try pool.together(
      { () throws(ModelError) in
        try Weights.build(vaeFiles) { weights throws(ModelError) in
          try Model.vae(directory, weights)
        }
      },
      { () throws(ModelError) in
        try Weights.build(studentFiles) { weights throws(ModelError) in
          try Network(directory.transformer, rules: rules, weights)
        }
      },
      { () throws(ModelError) in
        guard let configuration = directory.drawing, let drawingFiles else { return nil }
        return try Weights.build(drawingFiles) { weights throws(ModelError) in
          try Network(configuration, rules: rules, weights)
        }
      })
    let files = [vaeFiles, studentFiles] + (drawingFiles.map { [$0] } ?? [])
    let stored = files.flatMap { $0.tensors.values.map(\.entry.count) }.reduce(0, +)
    let heads = [student, drawing].compactMap { $0?.transformer.cellHead }
    let convolutions = vaeEncoder.layers + vaeDecoder.layers
    weightCount =
      convolutions.reduce(stored) { $0 + $1.layer.addedCount }
      + heads.flatMap(\.convolutions).reduce(0) { $0 + $1.addedCount }
  }

  /// The networks in the VAE's files.
  static func vae(
    _ directory: ModelDirectory, _ weights: Weights
  ) throws(ModelError) -> (encoder: TinyVAEEncoder, decoder: TinyVAEDecoder) {
    (try TinyVAEEncoder(directory.vae, weights), try TinyVAEDecoder(directory.vae, weights))
  }

  // MARK: Prompt

  /// Tokenises and encodes a prompt. Throws `.usage` if the model has no text encoder.
  public func encodePrompt(_ text: String) throws(ModelError) -> PromptEmbedding {
    guard let textEncoder, let tokenizer else {
      throw ModelError(.usage, "\(directory.path): this model has no text_encoder for a prompt")
    }
    let rows = manifest.maximumTextTokens
    let tokens = try tokenizer.encode(text, maxTokens: rows)
    return PromptEmbedding(
      tokenCount: tokens.ids.count, truncatedTokens: tokens.truncatedCount,
      values: try textEncoder.encode(tokens.ids, rows: rows, pool: pool))
  }

  // MARK: Sizes

  /// Widths must be multiples of the first, heights of the second: pixels of one token.
  public var sizeMultiple: (width: Int, height: Int) {
    let token = directory.pixelsPerToken
    return (token.width, token.height)
  }

  /// The longest side that a picture may have, in pixels.
  public static let maximumSide = 16384

  /// Whether the model can make pictures of this size.
  public func validSize(width: Int, height: Int) -> Bool {
    let sides = 1...Model.maximumSide
    return sides.contains(width) && sides.contains(height) && width % sizeMultiple.width == 0
      && height % sizeMultiple.height == 0
  }

  /// The latent grid of a valid picture size, as the student cuts it.
  func grid(width: Int, height: Int) -> LatentGrid {
    LatentGrid(
      height: height / manifest.spatialCompression, width: width / manifest.spatialCompression,
      patchHeight: directory.transformer.patchHeight, patchWidth: directory.transformer.patchWidth)
  }
}

/// A transformer with its track head: the weights of one folder.
package struct Network: Sendable {
  package let transformer: CausalTransformer
  package let trackEncoder: TrackEncoder?

  /// The sizes of the transformer.
  var configuration: TransformerConfiguration { transformer.configuration }

  init(
    _ configuration: TransformerConfiguration, rules: TrackRules?, _ weights: Weights
  ) throws(ModelError) {
    if let head = configuration.trackHead, let rules {
      trackEncoder = try TrackEncoder(head, rules: rules, weights.scoped("track_encoder"))
    } else {
      trackEncoder = nil
    }
    transformer = try CausalTransformer(configuration, weights: weights)
  }
}

/// A prompt as the text encoder sees it. Immutable.
public struct PromptEmbedding: Sendable {
  /// Tokens used, the end token included.
  public let tokenCount: Int
  /// Tokens of the prompt that did not fit; 0 when all did.
  public let truncatedTokens: Int
  /// [rows, text width], zero past the prompt's end.
  package let values: Tensor

  /// Wraps an embedding that was made elsewhere.
  package init(tokenCount: Int, truncatedTokens: Int, values: Tensor) {
    self.tokenCount = tokenCount
    self.truncatedTokens = truncatedTokens
    self.values = values
  }
}
