import Foundation
import MotionStream
import Testing

@Suite struct ConfigurationTests {
  let folder: ScratchFolder
  let path: String

  init() throws {
    folder = try ScratchFolder()
    path = "\(folder.path)/model"
    try FileManager.default.copyItem(atPath: TinyModel.path("tiny-model"), toPath: path)
  }

  /// Replaces a text in a file of the model; the text must be there.
  private func edit(_ file: String, _ old: String, _ new: String) throws {
    let url = URL(fileURLWithPath: "\(path)/\(file)")
    let text = try String(contentsOf: url, encoding: .utf8)
    try #require(text.contains(old), "\(file) has no \(old)")
    try text.replacingOccurrences(of: old, with: new).write(
      to: url, atomically: true, encoding: .utf8)
  }

  private func refusal() -> ModelError? {
    do throws(ModelError) {
      _ = try ModelDirectory(path: path)
      return nil
    } catch {
      return error
    }
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let file, old, new, message: String
    var testDescription: String { "\(file): \(old) -> \(new)" }

    init(_ file: String, _ old: String, _ new: String, _ message: String) {
      self.file = file
      self.old = old
      self.new = new
      self.message = message
    }
  }

  static let manifest = "motionstream.json"
  static let transformer = "transformer/config.json"
  static let vae = "tiny_vae/config.json"
  static let text = "text_encoder/config.json"

  static let wrong: [Wrong] = [
    Wrong(manifest, #""version": 1"#, #""version": 2"#, "version: expected a whole number"),
    Wrong(manifest, "motionstream-model", "other", #"format: expected "motionstream-model""#),
    Wrong(manifest, #""fps": 16"#, #""fps": 0"#, "fps: expected a number from 1"),
    Wrong(
      manifest, #""fps": 16"#, #""fps": "16""#,
      #"fps: expected a number from 1.0 to 240.0, found string "16""#),
    Wrong(manifest, #""fps": 16,"#, "", "fps: missing"),
    Wrong(manifest, #""fps": 16"#, #""fps": 16, "frames": 3"#, "frames: unknown field"),
    Wrong(manifest, #""fps": 16"#, #""fps": 16, "fps": 16"#, "appears twice"),
    Wrong(manifest, #""sink": 1"#, #""sink": -1"#, "cache.sink: expected a whole number from 0"),
    Wrong(manifest, #""sink": 1"#, #""sink": 1.5"#, "cache.sink: expected a whole number"),
    Wrong(manifest, #""sink": 1"#, #""sink": 1, "sinks": 2"#, "cache.sinks: unknown field"),
    Wrong(
      manifest, #""unit": "chunks""#, #""unit": "tokens""#,
      #"cache.unit: expected one of "chunks", "frames""#),
    Wrong(
      manifest, #""positions": "slot""#, #""positions": null"#, "cache.positions: expected one of"),
    Wrong(manifest, #""chunk": 3"#, #""chunk": 0"#, "chunk: expected a whole number from 1"),
    Wrong(
      manifest, #""chunk": 3"#, #""chunk": 1000000"#, "chunk: expected a whole number from 1 to 64"),
    Wrong(manifest, #""width": 48"#, #""width": 40"#, "expected multiples of 16 and 16, found 40"),
    Wrong(manifest, #""width": 48"#, #""width": 1e300"#, "width: expected a whole number"),
    Wrong(manifest, "750", "1000", "do not fall from step to step"),
    Wrong(manifest, "750,", "7500,", "sampler.timesteps: expected 1 to 1000 numbers"),
    Wrong(manifest, #""shift": 6.0"#, #""shift": 0"#, "sampler.shift"),
    Wrong(
      manifest, #""noise","#, #""noise", "noise","#, "input_slots: expected a list of different"),
    Wrong(manifest, #""noise","#, "", #"input_slots: "noise" is not among them"#),
    Wrong(manifest, #""image","#, "", #""image" must be among them exactly if"#),
    Wrong(
      manifest, #""noise","#, #""noise", "mask","#,
      "in_channels: expected 15 as the sum of the slots noise 4 + mask 4 + image 4 + tracks 3, found 11"
    ),
    Wrong(manifest, #""rule": "channels""#, #""rule": "none""#, "input_slots"),
    Wrong(
      manifest, #""tail": "zeros""#, #""tail": "tracks""#,
      #"image.reach: expected exactly if image.tail is "tracks""#),
    Wrong(manifest, #""reach": null"#, #""reach": 2"#, "image.reach: expected exactly if"),
    Wrong(
      manifest, #""drawing": null"#, #""drawing": {"steps": 4, "guidance": 2}"#,
      "image.drawing: expected exactly if"),
    Wrong(
      manifest, #""drawing": null"#, #""drawing": {"steps": 0, "guidance": 2}"#,
      "image.drawing.steps: expected a whole number from 1"),
    Wrong(
      manifest, #""drawing": null"#,
      #""drawing": {"steps": 4, "guidance": 2, "guidance_above": 1.5}"#,
      "image.drawing.guidance_above: expected a number from 0"),
    Wrong(
      manifest, #""drawing": null"#,
      #""drawing": {"steps": 4, "guidance": 2, "ahead": [8, 8]}"#,
      "image.drawing.ahead: [8, 8] do not rise"),
    Wrong(
      manifest, #""drawing": null"#, #""drawing": {"steps": 4, "guidance": 2, "ahead": [0]}"#,
      "image.drawing.ahead: expected 0 to 63 whole numbers from 1"),
    Wrong(
      manifest, #""prediction": "velocity""#, #""prediction": "noise""#,
      #"sampler.prediction: expected one of "velocity", "residual""#),
    Wrong(
      manifest, #""collision": "add""#, #""collision": "assign""#,
      "no meaning with cell_rule bilinear"),
    Wrong(manifest, #""max_id": 100000"#, #""max_id": 5"#, "track_config.max_track_id: expected 5"),
    Wrong(
      manifest, #""spatial_compression": 8"#, #""spatial_compression": 16"#,
      "spatial_compression: expected 8"),
    Wrong(
      manifest, #""temporal_compression": 4"#, #""temporal_compression": 2"#,
      "temporal_compression: expected 4"),
    Wrong(manifest, #""max_tokens": 12"#, #""max_tokens": 0"#, "text.max_tokens"),
    Wrong(manifest, "{", "[", "motionstream.json:"),
    Wrong(transformer, #""in_channels": 11"#, #""in_channels": 12"#, "in_channels: expected 11"),
    Wrong(transformer, #""out_channels": 4"#, #""out_channels": 5"#, "out_channels: expected 4"),
    Wrong(transformer, #""attention_head_dim": 16"#, #""attention_head_dim": 15"#, "15 is odd"),
    Wrong(
      transformer, #""num_attention_heads": 2"#, #""num_attention_heads": 0"#,
      "num_attention_heads: expected a whole number from 1"),
    Wrong(
      transformer, #""num_layers": 2"#, #""num_layers": 999999999"#,
      "num_layers: expected a whole number from 1 to 512"),
    Wrong(transformer, #""ffn_dim": 48"#, #""ffn_dim": -48"#, "ffn_dim"),
    Wrong(transformer, #""text_dim": 16"#, #""text_dim": 32"#, "text_dim: expected 16 as d_model"),
    Wrong(
      transformer, "rms_norm_across_heads", "rms_norm",
      #"qk_norm: expected "rms_norm_across_heads""#),
    Wrong(
      transformer, #""image_dim": null"#, #""image_dim": 8"#, "image_dim and added_kv_proj_dim"),
    Wrong(
      transformer, #""use_bias": true"#, #""use_bias": 1"#,
      "track_config.use_bias: expected true or false"),
    Wrong(transformer, #""id_dim": 8"#, #""id_dim": 7"#, "track_config.id_dim"),
    Wrong(
      transformer, #""cell_head": null"#, #""cell_head": {"width": 0, "num_blocks": 2}"#,
      "cell_head.width: expected a whole number from 1"),
    Wrong(
      transformer, #""cell_head": null"#, #""cell_head": {"width": 4, "num_blocks": 1, "a": 1}"#,
      "cell_head.a: unknown field"),
    Wrong(transformer, #""patch_size""#, #""patch""#, "patch_size: missing"),
    Wrong(vae, #""latent_channels": 4"#, #""latent_channels": 5"#, "out_channels: expected 5"),
    Wrong(vae, #""image_channels": 3"#, #""image_channels": 4"#, "image_channels"),
    Wrong(vae, #""patch_size": 1"#, #""patch_size": 2"#, "spatial_compression: expected 16"),
    Wrong(vae, #""memblocks_per_stage": 3"#, #""memblocks_per_stage": -1"#, "memblocks_per_stage"),
    Wrong(text, #""d_model": 16"#, #""d_model": 0"#, "d_model: expected a whole number from 1"),
    Wrong(text, #""num_heads""#, #""heads""#, "num_heads: missing"),
  ]

  @Test(
    "A wrong configuration is refused with file, field, expectation and finding",
    arguments: wrong)
  func refused(_ wrong: Wrong) throws {
    try edit(wrong.file, wrong.old, wrong.new)
    let error = try #require(refusal())
    #expect(error.kind == .badModel)
    #expect(error.description.hasPrefix(path), "\(error)")
    #expect(error.description.contains(wrong.message), "\(error)")
  }

  @Test(
    "A drawing looks ahead in fewer frames than a latent has, by IDs that are places",
    arguments: [
      ("        3,", "        3, 4, 5,", "are not fewer than temporal_compression"),
      (#""ids": "origin""#, #""ids": "file""#, #"needs tracks.ids "origin""#),
    ])
  func ahead(old: String, new: String, message: String) throws {
    let file = URL(fileURLWithPath: "\(TinyModel.path("tiny-model-guided"))/\(Self.manifest)")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(try MotionStreamManifest(json: text).image.drawing?.ahead == [3, 8])
    try #require(text.contains(old))
    #expect {
      try MotionStreamManifest(json: text.replacingOccurrences(of: old, with: new))
    } throws: { "\($0)".contains("image.drawing.ahead") && "\($0)".contains(message) }
  }

  @Test("A model that draws has a second transformer, which fits the first and the manifest")
  func drawing() throws {
    let guided = "\(folder.path)/guided"
    try FileManager.default.copyItem(atPath: TinyModel.path("tiny-model-guided"), toPath: guided)
    let directory = try ModelDirectory(path: guided)
    let hash = try directory.contentHash()
    let component = try #require(try directory.summary().components.first { $0.name == "drawing" })
    #expect(component.findings.isEmpty && component.parameterCount > 0)
    #expect(try Model.load(directory, threads: 1).memoryEstimate(width: 32, height: 32).total > 0)

    let file = "\(guided)/drawing/config.json"
    let good = try String(contentsOfFile: file, encoding: .utf8)
    for (old, new, message) in [
      ("    2,\n    1\n", "    2,\n    4\n", "patch_size: expected divisors of 2 and 2"),
      (#""out_channels": 4"#, #""out_channels": 5"#, "out_channels: expected 4"),
      (#""in_channels": 11"#, #""in_channels": 12"#, "in_channels: expected 11"),
      (#""text_dim": 16"#, #""text_dim": 17"#, "text_dim: expected 16"),
    ] {
      try #require(good.contains(old), "\(old)")
      try good.replacingOccurrences(of: old, with: new).write(
        toFile: file, atomically: true, encoding: .utf8)
      #expect {
        try ModelDirectory(path: guided)
      } throws: {
        ($0 as? ModelError)?.kind == .badModel
          && "\($0)".contains("drawing/config.json: " + message)
      }
    }
    try (good + " ").write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try ModelDirectory(path: guided).contentHash() != hash)
    try FileManager.default.removeItem(atPath: file)
    #expect {
      try ModelDirectory(path: guided)
    } throws: {
      ($0 as? ModelError)?.kind == .missing && "\($0)".contains("drawing/config.json")
    }
  }

  @Test("Fields of one's own start with x-; diffusers' other fields do not matter")
  func ownFields() throws {
    try edit(Self.manifest, #""fps": 16"#, #""fps": 16, "x-author": "me""#)
    try edit(Self.transformer, #""num_layers": 2"#, #""num_layers": 2, "pos_embed_seq_len": null"#)
    #expect(refusal() == nil)
  }

  @Test("A missing file or folder is missing")
  func missing() throws {
    for file in [Self.manifest, Self.transformer, Self.vae, Self.text] {
      let folder = try ScratchFolder()
      let copy = "\(folder.path)/m"
      try FileManager.default.copyItem(atPath: path, toPath: copy)
      try FileManager.default.removeItem(atPath: "\(copy)/\(file)")
      #expect { try ModelDirectory(path: copy) } throws: {
        ($0 as? ModelError)?.kind == .missing && "\($0)".contains(file)
      }
    }
    #expect { try ModelDirectory(path: path + "/nothing") } throws: {
      ($0 as? ModelError)?.kind == .missing
    }
    #expect { try ModelDirectory(path: path + "/motionstream.json") } throws: {
      ($0 as? ModelError)?.kind == .badModel
    }
  }

  @Test("Sink and window count chunks or latent frames; a sink chunk has the first chunk's length")
  func units() throws {
    #expect(try ModelDirectory(path: path).manifest.sinkFrames == 3)
    #expect(try ModelDirectory(path: path).manifest.windowFrames == 3)
    try edit(Self.manifest, #""first_chunk": 3"#, #""first_chunk": 1"#)
    try edit(Self.manifest, #""sink": 1"#, #""sink": 2"#)
    #expect(try ModelDirectory(path: path).manifest.sinkFrames == 4)
    try edit(Self.manifest, #""unit": "chunks""#, #""unit": "frames""#)
    #expect(try ModelDirectory(path: path).manifest.sinkFrames == 2)
    #expect(try ModelDirectory(path: path).manifest.windowFrames == 1)
  }

  @Test("Weights that do not fit the configuration are all named in one error")
  func weightsDoNotFit() throws {
    try edit(Self.transformer, #""num_layers": 2"#, #""num_layers": 3"#)
    try edit(Self.transformer, #""ffn_dim": 48"#, #""ffn_dim": 40"#)
    let directory = try ModelDirectory(path: path)
    let summary = try directory.summary()
    #expect(!summary.isComplete)
    let findings = try #require(summary.components.first?.findings)
    #expect(findings.missing.contains("blocks.2.attn1.to_q.weight"))
    #expect(findings.missing.allSatisfy { $0.hasPrefix("blocks.2.") })
    #expect(
      findings.misshaped.contains(
        "blocks.0.ffn.net.0.proj.weight: expected [40, 32], found [48, 32]"))
    #expect { try Model.load(directory, threads: 1) } throws: { error in
      let text = "\(error)"
      return (error as? ModelError)?.kind == .badModel && text.contains("missing (")
        && text.contains("of the wrong shape or type (") && text.contains("expected [40, 32]")
    }
  }

  @Test("Unexpected tensors are named")
  func unexpectedWeights() throws {
    try edit(Self.transformer, #""num_layers": 2"#, #""num_layers": 1"#)
    let directory = try ModelDirectory(path: path)
    #expect { try Model.load(directory, threads: 1) } throws: {
      "\($0)".contains("unexpected (") && "\($0)".contains("blocks.1.attn1.norm_k.weight")
    }
  }

  @Test("A summary lists every component of a good model")
  func summary() throws {
    let summary = try ModelDirectory(path: path).summary()
    #expect(summary.isComplete)
    #expect(summary.components.map(\.name) == ["transformer", "tiny_vae", "text_encoder"])
    let transformer = try #require(summary.components.first)
    #expect(transformer.dtypes == ["F32"])
    #expect(
      transformer.tensors.contains {
        $0.name == "patch_embedding.weight" && $0.shape == [32, 11, 1, 2, 2] && $0.dtype == "F32"
      })
    #expect(
      transformer.parameterCount == transformer.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) })
    #expect(transformer.byteCount > 4 * transformer.parameterCount)
  }

  @Test("The content hash changes with any byte of configurations, weights or tokenizer")
  func contentHash() throws {
    let original = try ModelDirectory(path: path).contentHash()
    #expect(original.count == 16)
    #expect(try ModelDirectory(path: TinyModel.path("tiny-model")).contentHash() == original)
    for file in [
      Self.manifest, Self.transformer, Self.vae, Self.text, "tokenizer/spiece.model",
      "transformer/diffusion_pytorch_model.safetensors",
      "tiny_vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors",
    ] {
      let url = URL(fileURLWithPath: "\(path)/\(file)")
      let good = try Data(contentsOf: url)
      var changed = good
      if file.hasSuffix(".json") { changed.append(0x20) } else { changed[changed.count - 3] ^= 1 }
      try changed.write(to: url)
      #expect(try ModelDirectory(path: path).contentHash() != original, "\(file)")
      try good.write(to: url)
    }
    #expect(try ModelDirectory(path: path).contentHash() == original)
  }

  @Test("Weights that are not numbers end in an error, not in a black clip")
  func damagedWeights() throws {
    let url = URL(fileURLWithPath: "\(path)/transformer/diffusion_pytorch_model.safetensors")
    let files = try WeightFiles(path: url.path)
    let bias = try #require(files.tensors["proj_out.bias"])
    var bytes = try Data(contentsOf: url)
    bytes.replaceSubrange(
      bias.entry.offset..<bias.entry.offset + 4, with: [0, 0, 0xC0, 0x7F])  // NaN
    try bytes.write(to: url)
    let model = try Model.load(ModelDirectory(path: path), threads: 1)
    let pipeline = try StreamingPipeline(
      model: model, configuration: GenerationConfiguration(model.manifest, seed: 0), prompt: nil)
    #expect { try pipeline.next() } throws: { ($0 as? ModelError)?.kind == .internalCheck }
    #expect(pipeline.state.chunkCount == 0 && pipeline.state.frameCount == 0)
  }

  @Test("The memory estimate grows with the picture and names what a stream really holds")
  func memoryEstimate() throws {
    let model = try TinyModel.load()
    let manifest = model.manifest
    let small = model.memoryEstimate(width: manifest.width, height: manifest.height)
    let large = model.memoryEstimate(width: 2 * manifest.width, height: 2 * manifest.height)
    #expect(small.weights == large.weights)
    #expect(large.cache > 2 * small.cache && large.total > small.total)
    let pipeline = try StreamingPipeline(
      model: model, configuration: GenerationConfiguration(manifest, seed: 0), prompt: nil)
    #expect(pipeline.state.byteCount <= small.cache + small.decoder)
    let latent = PictureSize(
      height: manifest.height / manifest.spatialCompression,
      width: manifest.width / manifest.spatialCompression)
    let decoder =
      model.vaeDecoder.makeMemory(latent: latent).byteCount
      + model.vaeDecoder.makeWorkspace(latent: latent, pool: model.pool).byteCount
    #expect(decoder <= small.decoder)
  }
}
