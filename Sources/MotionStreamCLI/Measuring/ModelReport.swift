import Foundation
import MotionStream

/// What `inspect` says about a model, and its two forms.
struct ModelReport {
  let directory: ModelDirectory
  let summary: ModelSummary
  let hash: String

  init(_ directory: ModelDirectory) throws(ModelError) {
    self.directory = directory
    summary = try directory.summary()
    hash = try directory.contentHash()
  }

  private var manifest: MotionStreamManifest { directory.manifest }

  // MARK: Text

  /// For people.
  func text(tensors: Bool) -> String {
    let transformer = directory.transformer
    let multiple = directory.sizeMultiple
    let cache = manifest.cache
    var lines = [
      "\(manifest.name)  (\(hash))",
      "  size         \(manifest.width)x\(manifest.height) at \(manifest.frameRate) fps; multiples of "
        + "\(multiple.width)x\(multiple.height)",
      "  chunks       \(manifest.firstChunk) latents = \(manifest.frames(inChunk: 0)) frames, then "
        + "\(manifest.chunk) latents = \(manifest.frames(inChunk: 1)) frames",
      "  cache        sink \(cache.sink), window \(cache.window) \(cache.unit.rawValue); positions by "
        + cache.positions.rawValue,
      "  steps        \(manifest.sampler.timesteps.map(number).joined(separator: ", ")); shift "
        + number(manifest.sampler.shift),
      "  input        " + manifest.inputSlots.map(\.rawValue).joined(separator: " | "),
      "  picture      " + manifest.image.rule.rawValue,
      "  tracks       " + tracks,
      "  transformer  width \(transformer.width), \(transformer.layers) layers, "
        + "\(transformer.heads) heads, patch \(transformer.patchHeight)x\(transformer.patchWidth)",
    ]
    for component in summary.components { lines += describe(component, tensors: tensors) }
    return lines.joined(separator: "\n")
  }

  private var tracks: String {
    guard let rules = manifest.tracks else { return "none" }
    return "cell \(rules.cellRule.rawValue), collision \(rules.collision.rawValue), "
      + "ids below \(rules.maximumID) (\(rules.ids.rawValue))"
  }

  private func describe(_ component: ModelSummary.Component, tensors: Bool) -> [String] {
    var lines = [
      "",
      "\(component.name)  \(millions(component.parameterCount)) parameters in "
        + "\(component.tensors.count) tensors, \(component.dtypes.joined(separator: " ")), "
        + "\(component.byteCount >> 10) KiB",
    ]
    if tensors {
      lines += component.tensors.map { "  \($0.name)  \($0.dtype) \($0.shape)" }
    }
    let findings = component.findings
    lines += findings.missing.map { "  missing     \($0)" }
    lines += findings.unexpected.map { "  unexpected  \($0)" }
    lines += findings.misshaped.map { "  wrong       \($0)" }
    return lines
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() ? ProgressState.decimal(value, 0) : "\(value)"
  }

  private func millions(_ count: Int) -> String {
    count < 1_000_000 ? "\(count)" : ProgressState.decimal(Double(count) / 1e6, 2) + " M"
  }
}

// MARK: JSON

extension ModelReport {
  private struct Document: Encodable {
    struct Component: Encodable {
      var name: String
      var files: [String]
      var bytes: Int
      var parameters: Int
      var dtypes: [String]
      var tensors: [Tensor]
      var missing: [String]
      var unexpected: [String]
      var misshaped: [String]
    }
    struct Tensor: Encodable {
      var name: String
      var dtype: String
      var shape: [Int]
    }
    struct Cache: Encodable {
      var unit: String
      var sink: Int
      var window: Int
      var positions: String
    }
    var name: String
    var path: String
    var hash: String
    var fps: Double
    var width: Int
    var height: Int
    var widthMultiple: Int
    var heightMultiple: Int
    var firstChunkFrames: Int
    var chunkFrames: Int
    var firstChunk: Int
    var chunk: Int
    var cache: Cache
    var timesteps: [Double]
    var shift: Double
    var inputSlots: [String]
    var imageRule: String
    var takesTracks: Bool
    var complete: Bool
    var components: [Component]
  }

  /// For programs.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }

  private var document: Document {
    let cache = manifest.cache
    return Document(
      name: manifest.name, path: directory.path, hash: hash, fps: manifest.fps,
      width: manifest.width, height: manifest.height,
      widthMultiple: directory.sizeMultiple.width, heightMultiple: directory.sizeMultiple.height,
      firstChunkFrames: manifest.frames(inChunk: 0), chunkFrames: manifest.frames(inChunk: 1),
      firstChunk: manifest.firstChunk, chunk: manifest.chunk,
      cache: Document.Cache(
        unit: cache.unit.rawValue, sink: cache.sink, window: cache.window,
        positions: cache.positions.rawValue),
      timesteps: manifest.sampler.timesteps, shift: manifest.sampler.shift,
      inputSlots: manifest.inputSlots.map(\.rawValue), imageRule: manifest.image.rule.rawValue,
      takesTracks: manifest.tracks != nil, complete: summary.isComplete,
      components: summary.components.map { component in
        Document.Component(
          name: component.name, files: component.files, bytes: component.byteCount,
          parameters: component.parameterCount, dtypes: component.dtypes,
          tensors: component.tensors.map {
            Document.Tensor(name: $0.name, dtype: $0.dtype, shape: $0.shape)
          },
          missing: component.findings.missing, unexpected: component.findings.unexpected,
          misshaped: component.findings.misshaped)
      })
  }
}
