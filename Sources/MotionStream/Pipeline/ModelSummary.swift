/// What is in a model directory, without loading it.
public struct ModelSummary: Sendable {
  /// One tensor of a file.
  public struct Tensor: Sendable, Equatable {
    /// The name as stored.
    public let name: String
    /// Sizes, slowest first.
    public let shape: [Int]
    /// The stored type, as safetensors writes it: `F32`, `BF16`.
    public let dtype: String
  }

  /// One network of the model.
  public struct Component: Sendable {
    /// Its folder: `transformer`, `drawing`, `tiny_vae`, `text_encoder`.
    public let name: String
    /// The weight files, as paths.
    public let files: [String]
    /// Their sizes together, in bytes.
    public let byteCount: Int
    /// All tensors, by name.
    public let tensors: [Tensor]
    /// How the files differ from what the configuration asks for.
    public let findings: WeightFindings

    /// The number of stored values.
    public var parameterCount: Int {
      tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }
    /// The stored types, each once.
    public var dtypes: [String] { Set(tensors.map(\.dtype)).sorted() }
  }

  /// The networks, in the order they matter.
  public let components: [Component]

  /// Whether every component's files fit its configuration.
  public var isComplete: Bool { components.allSatisfy(\.findings.isEmpty) }
}

extension ModelDirectory {
  /// Lists all tensors and checks them against the configurations. Throws for files that are not
  /// there or not safetensors; tensors that do not fit are findings, not errors.
  public func summary() throws(ModelError) -> ModelSummary {
    let vaeFiles = try vaeFiles()
    var components = [try component("transformer", transformer, transformerFiles())]
    if let drawing, let files = try drawingFiles() {
      components.append(try component("drawing", drawing, files))
    }
    components.append(
      component(
        "tiny_vae", vaeFiles,
        try Weights.findings(vaeFiles) { weights throws(ModelError) in
          try Model.vae(self, weights)
        }))
    if let textEncoder {
      let files = try textEncoderFiles()
      components.append(
        component("text_encoder", files, try TextEncoder.findings(textEncoder, files: files)))
    }
    return ModelSummary(components: components)
  }

  private func component(
    _ name: String, _ configuration: TransformerConfiguration, _ files: WeightFiles
  ) throws(ModelError) -> ModelSummary.Component {
    component(
      name, files,
      try Weights.findings(files) { weights throws(ModelError) in
        try Network(configuration, rules: manifest.tracks, weights)
      })
  }

  private func component(
    _ name: String, _ files: WeightFiles, _ findings: WeightFindings
  ) -> ModelSummary.Component {
    ModelSummary.Component(
      name: name, files: files.files.map(\.path),
      byteCount: files.files.reduce(0) { $0 + $1.fileSize },
      tensors: files.tensors.values.map {
        ModelSummary.Tensor(
          name: $0.entry.name, shape: $0.entry.shape, dtype: $0.entry.dtype.rawValue)
      }.sorted { $0.name < $1.name },
      findings: findings)
  }

  /// Sixteen hexadecimal digits that change with any byte of the model: its configurations, its
  /// weights, its tokenizer. To tell models apart, not to guard against forgery.
  public func contentHash() throws(ModelError) -> String {
    var hash = ContentHash()
    var configurations = [
      MotionStreamManifest.file, TransformerConfiguration.file("transformer"),
      TinyVAEConfiguration.file,
    ]
    var weights = try transformerFiles().files + vaeFiles().files
    if let files = try drawingFiles() {
      configurations.append(TransformerConfiguration.file("drawing"))
      weights += files.files
    }
    if textEncoder != nil {
      configurations += [TextEncoderConfiguration.file, "tokenizer/spiece.model"]
      weights += try textEncoderFiles().files
    }
    for file in configurations { hash.combine(try fileBytes(file)) }
    for file in weights { file.withBytes { hash.combine($0) } }
    return hash.digits
  }
}
