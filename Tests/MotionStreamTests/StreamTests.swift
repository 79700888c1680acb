import Frames
import MotionStream
import Testing
import Tracks

@Suite struct StreamTests {
  /// The pictures of the next chunks.
  private func pictures(_ pipeline: StreamingPipeline, chunks: Int) throws -> [RGBFrame] {
    var pictures: [RGBFrame] = []
    for _ in 0..<chunks { pictures += try pipeline.next().frames }
    return pictures
  }

  @Test("One thread and several threads give the same bytes")
  func threads() throws {
    let rollout = try RolloutFixture("rollout")
    let expected = try pictures(
      rollout.pipeline(TinyModel.load(threads: 1)), chunks: 4)
    for threads in [2, 3] {
      let model = try TinyModel.load(threads: threads)
      #expect(try pictures(rollout.pipeline(model), chunks: 4) == expected, "\(threads) threads")
    }
  }

  @Test("Another seed gives another clip, the same seed the same clip")
  func seeds() throws {
    let model = try TinyModel.load()
    func clip(_ seed: UInt64) throws -> [RGBFrame] {
      try pictures(
        StreamingPipeline(
          model: model, configuration: GenerationConfiguration(model.manifest, seed: seed),
          prompt: nil), chunks: 2)
    }
    let first = try clip(1)
    #expect(try clip(1) == first)
    #expect(try clip(2) != first)
    #expect(try clip(1 + 1 << 32) != first)
  }

  @Test("Where tracks go later does not change earlier pictures")
  func causality() throws {
    let rollout = try RolloutFixture("rollout")
    let model = try TinyModel.load()
    let expected = try pictures(rollout.pipeline(model), chunks: 4)
    // Chunks 0 and 1 show pictures 0 ..< 21; all tracks turn away from picture 21 on.
    let turned = try rollout.pipeline(model) { frame, place in
      frame < 21 ? place : TrackPosition(x: 47 - place.x, y: 31 - place.y)
    }
    let actual = try pictures(turned, chunks: 4)
    #expect(actual[..<21] == expected[..<21])
    #expect(actual[21...] != expected[21...])
  }

  @Test(
    "A copied state continues twice with the same pictures",
    arguments: ["rollout-track-v0", "rollout-guided-own"])
  func copiedState(_ name: String) throws {
    let rollout = try RolloutFixture(name)
    let model = try TinyModel.load(rollout.parameters.model)
    let pipeline = try rollout.pipeline(model)
    _ = try pictures(pipeline, chunks: 3)
    let saved = pipeline.state
    let first = try pictures(pipeline, chunks: 3)
    #expect(pipeline.state.frameCount > saved.frameCount)
    pipeline.state = saved
    #expect(try pictures(pipeline, chunks: 3) == first)
    let other = try rollout.pipeline(model)
    other.state = saved
    #expect(try pictures(other, chunks: 3) == first)
  }

  @Test("The first chunk has one picture less than its share, later ones their full share")
  func frameCounts() throws {
    for (name, counts) in [
      ("rollout", [9, 12, 12]), ("rollout-track-v0", [1, 12, 12]),
      ("rollout-self-forcing-prefill", [1, 12, 12]), ("rollout-self-forcing", [9, 12, 12]),
    ] {
      let rollout = try RolloutFixture(name)
      let pipeline = try rollout.pipeline(TinyModel.load(rollout.parameters.model))
      for count in counts { #expect(try pipeline.next().frames.count == count, "\(name)") }
    }
  }

  @Test("Memory of a stream stays what it was at the start")
  func memory() throws {
    for name in ["rollout", "rollout-self-forcing"] {
      let rollout = try RolloutFixture(name)
      let pipeline = try rollout.pipeline(TinyModel.load(rollout.parameters.model))
      let bytes = pipeline.state.byteCount
      for _ in 0..<12 {
        _ = try pipeline.next()
        #expect(pipeline.state.byteCount == bytes)
      }
    }
  }

  @Test("A stream of absolute positions runs far past what any table could hold")
  func farAway() throws {
    let rollout = try RolloutFixture("rollout-self-forcing")
    let pipeline = try rollout.pipeline(TinyModel.load(rollout.parameters.model))
    _ = try pictures(pipeline, chunks: 60)
    #expect(pipeline.state.chunkCount == 60)
    #expect(pipeline.state.frameCount == 60 * 12 - 3)
  }

  @Test("Fewer steps are the first of the model's list; more are refused")
  func steps() throws {
    let model = try TinyModel.load()
    var configuration = GenerationConfiguration(model.manifest, seed: 3)
    configuration.steps = 2
    let pipeline = try StreamingPipeline(model: model, configuration: configuration, prompt: nil)
    #expect(try pipeline.next().timings.denoise.count == 2)
    for steps in [0, 4, -1] {
      configuration.steps = steps
      #expect {
        try StreamingPipeline(model: model, configuration: configuration, prompt: nil)
      } throws: { ($0 as? ModelError)?.kind == .usage }
    }
  }

  @Test("A stream without a picture draws one from its prompt, and goes on as if it were given")
  func drawing() throws {
    let rollout = try RolloutFixture("rollout-guided-own")
    let model = try TinyModel.load(rollout.parameters.model)
    func drawn(_ prompt: String, steps: Int? = nil) throws -> Tensor {
      var configuration = GenerationConfiguration(model.manifest, seed: 5)
      configuration.steps = steps
      let pipeline = try StreamingPipeline(
        model: model, configuration: configuration, prompt: model.encodePrompt(prompt))
      #expect(pipeline.state.drawn == nil)
      #expect(try pipeline.next().timings.drawing > 0)
      return try #require(pipeline.state.drawn)
    }
    let first = try drawn("a yellow square").values
    // The few steps of the chunks are not those of the drawing.
    #expect(try drawn("a yellow square", steps: 1).values == first)
    #expect(try drawn("a blue circle").values != first)

    let given = try RolloutFixture("rollout-guided")
    let pipeline = try given.pipeline(model)
    #expect(try pipeline.next().timings.drawing == 0)
    #expect(pipeline.state.drawn == nil)
  }

  @Test("A model loaded not to draw moves a given picture as ever, and refuses to do without one")
  func notDrawing() throws {
    let given = try RolloutFixture("rollout-guided")
    let own = try RolloutFixture("rollout-guided-own")
    let directory = try ModelDirectory(path: TinyModel.path(given.parameters.model))
    let model = try Model.load(directory, threads: 2, draws: false)
    let whole = try Model.load(directory, threads: 2)
    #expect(
      try pictures(given.pipeline(model), chunks: 2)
        == pictures(given.pipeline(whole), chunks: 2))
    #expect(
      model.memoryEstimate(width: 48, height: 32).weights
        < whole.memoryEstimate(width: 48, height: 32).weights)
    #expect { try own.pipeline(model) } throws: { ($0 as? ModelError)?.kind == .usage }
  }

  @Test("Sizes that tokens do not fill, and pictures of another size, are refused")
  func sizes() throws {
    let model = try TinyModel.load()
    #expect(model.validSize(width: 64, height: 48))
    for (width, height) in [(40, 32), (48, 24), (0, 32), (-16, 32), (1 << 40, 32)] {
      #expect(!model.validSize(width: width, height: height))
      #expect {
        try StreamingPipeline(
          model: model,
          configuration: GenerationConfiguration(width: width, height: height, seed: 0),
          prompt: nil)
      } throws: { ($0 as? ModelError)?.kind == .usage }
    }
    #expect {
      try StreamingPipeline(
        model: model, configuration: GenerationConfiguration(model.manifest, seed: 0), prompt: nil,
        image: RGBFrame(width: 16, height: 16, pixels: Array(repeating: 0, count: 768)))
    } throws: { ($0 as? ModelError)?.kind == .usage }
    let wide = try StreamingPipeline(
      model: model, configuration: GenerationConfiguration(width: 64, height: 16, seed: 0),
      prompt: nil)
    let picture = try #require(try wide.next().frames.first)
    #expect(picture.width == 64 && picture.height == 16)
  }

  @Test("A model without tracks refuses them")
  func noTracks() throws {
    let model = try TinyModel.load("tiny-model-self-forcing")
    let rollout = try RolloutFixture("rollout")
    let tracks = TinyModel.sampler(
      points: try rollout.fixture("input.points"), visible: try rollout.fixture("input.visible"),
      ids: rollout.parameters.ids ?? [])
    #expect {
      try StreamingPipeline(
        model: model, configuration: GenerationConfiguration(model.manifest, seed: 0), prompt: nil,
        tracks: tracks)
    } throws: { ($0 as? ModelError)?.kind == .usage }
  }
}
