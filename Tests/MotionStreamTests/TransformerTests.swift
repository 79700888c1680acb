import Foundation
import MotionStream
import Testing

@Suite struct TransformerTests {
  static let grid = LatentGrid(height: 4, width: 6, patchHeight: 2, patchWidth: 2)

  let pool: Pool

  init() throws { pool = try Pool(threads: 2) }

  /// The velocity [T * C, H*W] of frames [in, T, H, W] that see `cache` and each other.
  private func velocity(
    _ transformer: CausalTransformer, _ clip: Tensor, frames: Range<Int>, timestep: Double,
    context: PromptContext, cache: KVCache, workspace: TransformerWorkspace,
    grid: LatentGrid = TransformerTests.grid
  ) -> Tensor {
    let configuration = transformer.configuration
    let patches = Tensor(
      frames.count * grid.tokensPerFrame, configuration.inChannels * grid.patchArea)
    let result = Tensor(
      frames.count * grid.tokensPerFrame, configuration.outChannels * grid.patchArea)
    grid.patchify(TinyModel.framesFirst(clip, frames).matrix, into: patches.matrix)
    transformer.velocity(
      patches.matrix, modulation: transformer.modulation(timestep: timestep, pool: pool),
      context: context, cache: cache, workspace: workspace, into: result.matrix, pool: pool)
    let latents = Tensor(frames.count * configuration.outChannels, grid.pixelsPerFrame)
    grid.unpatchify(result.matrix, into: latents.matrix)
    return latents
  }

  private func commit(
    _ transformer: CausalTransformer, _ clip: Tensor, frames: Range<Int>, context: PromptContext,
    cache: KVCache, workspace: TransformerWorkspace
  ) {
    let grid = TransformerTests.grid
    let patches = Tensor(
      frames.count * grid.tokensPerFrame, transformer.configuration.inChannels * grid.patchArea)
    grid.patchify(TinyModel.framesFirst(clip, frames).matrix, into: patches.matrix)
    transformer.fillCache(
      patches.matrix, modulation: transformer.modulation(timestep: 0, pool: pool),
      context: context, cache: cache, workspace: workspace, pool: pool)
    cache.commit(chunk: frames.count)
  }

  private func makeCache(
    _ transformer: CausalTransformer, _ rules: CacheIndex.Rules,
    grid: LatentGrid = TransformerTests.grid
  ) -> KVCache {
    KVCache(
      rules: rules, tokensPerFrame: grid.tokensPerFrame,
      layers: transformer.configuration.layers, width: transformer.configuration.width)
  }

  /// A transformer of one block whose weights a fixture holds; the rest are fields that differ.
  private func oneBlock(
    _ fixture: Fixture, patch: String, image: String = "null", added: String = "null",
    cells: String = "null"
  ) throws -> CausalTransformer {
    let configuration = try TransformerConfiguration(
      json: """
        {"patch_size": \(patch), "num_attention_heads": 2, "attention_head_dim": 16,
         "in_channels": 5, "out_channels": 4, "text_dim": 16, "freq_dim": 16, "ffn_dim": 48,
         "num_layers": 1, "cross_attn_norm": true, "qk_norm": "rms_norm_across_heads",
         "eps": 1e-06, "image_dim": \(image), "added_kv_proj_dim": \(added),
         "rope_max_seq_len": 1024, "cell_head": \(cells)}
        """)
    return try fixture.build("weights") { weights throws(ModelError) in
      try CausalTransformer(configuration, weights: weights)
    }
  }

  @Test(
    "A stream of noisy and clean passes gives the twin's velocities", arguments: CacheTests.names)
  func stream(_ name: String) throws {
    let fixture = try Fixture("transformer-stream")
    let example = try CacheTests.example(name)
    let transformer = try TinyModel.load().student.transformer
    let context = transformer.context(text: try fixture("input.text").matrix, pool: pool)
    let cache = makeCache(transformer, example.rules)
    let workspace = TransformerWorkspace(
      transformer, grid: TransformerTests.grid, rules: example.rules,
      contextRows: 12, pool: pool)
    let (noisy, clean) = (try fixture("input.noisy"), try fixture("input.clean"))
    let expected = try fixture("\(name)/expected.velocity")
    let scale = expected.values.reduce(0) { max($0, abs($1)) }
    var frame = 0
    for chunk in example.chunks {
      let frames = frame..<frame + chunk
      transformer.beginChunk(frames: chunk, cache: cache, workspace: workspace, pool: pool)
      let actual = velocity(
        transformer, noisy, frames: frames, timestep: 750, context: context, cache: cache,
        workspace: workspace)
      expectClose(
        actual.values, TinyModel.framesFirst(expected, frames).values, scale: scale,
        "velocity of frames \(frames)")
      commit(
        transformer, clean, frames: frames, context: context, cache: cache, workspace: workspace)
      frame += chunk
    }
    let keys = cache.index.frames.indices.flatMap { cache.rawKeys(layer: 1, slot: $0) }
    expectClose(keys, try fixture("\(name)/expected.raw_k").values, "raw keys in the end")
  }

  @Test("Image tokens are attended to beside the text")
  func imageTokens() throws {
    let fixture = try Fixture("transformer-image")
    let transformer = try oneBlock(fixture, patch: "[1, 2, 2]", image: "12", added: "32")
    let context = transformer.context(
      text: try fixture("input.text").matrix, image: try fixture("input.image").matrix, pool: pool)
    let expected = try fixture("expected.velocity")
    #expect(try fixture("input.timestep").values == [1000, 1000])
    let rules = CacheIndex.Rules(
      sinkFrames: 0, windowFrames: 0, maximumChunk: 2, positions: .slot)
    let workspace = TransformerWorkspace(
      transformer, grid: TransformerTests.grid, rules: rules, contextRows: 12, pool: pool)
    let cache = makeCache(transformer, rules)
    transformer.beginChunk(frames: 2, cache: cache, workspace: workspace, pool: pool)
    let actual = velocity(
      transformer, try fixture("input.x"), frames: 0..<2, timestep: 1000, context: context,
      cache: cache, workspace: workspace)
    expectClose(
      actual.values, TinyModel.framesFirst(expected, 0..<2).values, "velocity with image tokens")
  }

  @Test("The cell head changes what the tokens say, in every latent frame")
  func cellHead() throws {
    let fixture = try Fixture("transformer-cells")
    let transformer = try oneBlock(
      fixture, patch: "[1, 2, 3]", cells: #"{"width": 6, "num_blocks": 2}"#)
    let grid = LatentGrid(height: 4, width: 6, patchHeight: 2, patchWidth: 3)
    let rules = CacheIndex.Rules(
      sinkFrames: 0, windowFrames: 0, maximumChunk: 2, positions: .slot)
    let workspace = TransformerWorkspace(
      transformer, grid: grid, rules: rules, contextRows: 12, pool: pool)
    let cache = makeCache(transformer, rules, grid: grid)
    #expect(try fixture("input.timestep").values == [1000, 1000])
    transformer.beginChunk(frames: 2, cache: cache, workspace: workspace, pool: pool)
    let actual = velocity(
      transformer, try fixture("input.x"), frames: 0..<2, timestep: 1000,
      context: transformer.context(text: try fixture("input.text").matrix, pool: pool),
      cache: cache, workspace: workspace, grid: grid)
    expectClose(
      actual.values, TinyModel.framesFirst(try fixture("expected.velocity"), 0..<2).values,
      "velocity with a cell head")
  }

  @Test("The first chunk of a stream is what the twin's causal mask gives on a whole clip")
  func firstChunkOfClip() throws {
    let fixture = try Fixture("transformer")
    let transformer = try TinyModel.load().student.transformer
    let rules = CacheIndex.Rules(
      sinkFrames: 3, windowFrames: 3, maximumChunk: 3, positions: .slot)
    let workspace = TransformerWorkspace(
      transformer, grid: TransformerTests.grid, rules: rules, contextRows: 12,
      pool: pool)
    let cache = makeCache(transformer, rules)
    #expect(try fixture("input.timestep").values.prefix(3) == [1000, 1000, 1000])
    let context = transformer.context(text: try fixture("input.text").matrix, pool: pool)
    transformer.beginChunk(frames: 3, cache: cache, workspace: workspace, pool: pool)
    let actual = velocity(
      transformer, try fixture("input.x"), frames: 0..<3, timestep: 1000, context: context,
      cache: cache, workspace: workspace)
    let expected = TinyModel.framesFirst(try fixture("expected.causal_velocity"), 0..<3)
    expectClose(actual.values, expected.values, "velocity of the first chunk")
  }

  @Test(
    "Configurations of Wan 2.1 1.3B ask for exactly the tensors of its checkpoints",
    arguments: [("null", "null", 16, 825), ("1280", "1536", 36, 983)])
  func wanShape(_ imageWidth: String, _ added: String, _ channels: Int, _ count: Int) throws {
    let configuration = try TransformerConfiguration(
      json: """
        {"patch_size": [1, 2, 2], "num_attention_heads": 12, "attention_head_dim": 128,
         "in_channels": \(channels), "out_channels": 16, "text_dim": 4096, "freq_dim": 256,
         "ffn_dim": 8960, "num_layers": 30, "cross_attn_norm": true,
         "qk_norm": "rms_norm_across_heads", "eps": 1e-06, "image_dim": \(imageWidth),
         "added_kv_proj_dim": \(added), "rope_max_seq_len": 1024}
        """)
    let folder = try ScratchFolder()
    let empty = try WeightFiles(
      path: folder.write("empty.safetensors", Data([2, 0, 0, 0, 0, 0, 0, 0]) + Data("{}".utf8)))
    let findings = try Weights.findings(empty) { weights throws(ModelError) in
      try CausalTransformer(configuration, weights: weights)
    }
    #expect(findings.missing.count == count)
    for name in [
      "patch_embedding.weight", "condition_embedder.time_embedder.linear_1.weight",
      "condition_embedder.time_proj.bias", "condition_embedder.text_embedder.linear_2.bias",
      "blocks.29.scale_shift_table", "blocks.29.attn1.to_out.0.weight",
      "blocks.0.attn2.norm_k.weight", "blocks.7.norm2.bias", "blocks.7.ffn.net.0.proj.weight",
      "blocks.7.ffn.net.2.bias", "proj_out.weight", "scale_shift_table",
    ] { #expect(findings.missing.contains(name), "\(name)") }
  }

  @Test("Patches hold each pixel once, where the patch embedding and the head expect it")
  func patches() {
    let grid = LatentGrid(height: 4, width: 6, patchHeight: 2, patchWidth: 3)
    #expect(grid.tokensPerFrame == 4)
    let latents = Tensor([4, 24], values: (0..<96).map(Float.init))  // 2 frames, 2 channels
    let patches = Tensor(8, 18)  // 3 channels, of which 1 and 2 are written
    grid.patchify(latents.matrix, into: patches.matrix, channelOffset: 1)
    #expect(patches.values[..<6] == [0, 0, 0, 0, 0, 0])
    #expect(patches.values[6..<12] == [0, 1, 2, 6, 7, 8])
    #expect(patches.values[12..<18] == [24, 25, 26, 30, 31, 32])
    #expect(patches.values[18 + 6..<18 + 12] == [3, 4, 5, 9, 10, 11])
    let velocity = Tensor([8, 12], values: (0..<96).map(Float.init))
    let back = Tensor(4, 24)
    grid.unpatchify(velocity.matrix, into: back.matrix)
    #expect(back.values[..<6] == [0, 2, 4, 12, 14, 16])
    #expect(back.values[24..<30] == [1, 3, 5, 13, 15, 17])
    #expect(Set(back.values) == Set(velocity.values))
  }
}
