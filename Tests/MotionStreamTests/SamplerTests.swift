import MotionStream
import Testing

@Suite struct SamplerTests {
  struct Rules: Decodable {
    enum CodingKeys: String, CodingKey {
      case shift, timesteps, warp
      case trainTimesteps = "train_timesteps"
      case expectedTimesteps = "expected_timesteps"
      case expectedSigmas = "expected_sigmas"
    }
    let shift: Double
    let timesteps: [Double]
    let warp: Bool
    let trainTimesteps: Int
    let expectedTimesteps: [Double]
    let expectedSigmas: [Double]

    var schedule: FlowMatchSchedule {
      FlowMatchSchedule(
        MotionStreamManifest.Sampler(
          timesteps: timesteps, warp: warp, shift: shift, trainTimesteps: trainTimesteps,
          commitTimestep: 0))
    }
  }
  struct Parameters: Decodable { let cases: [String: Rules] }

  @Test("Step lists, noise levels, clean estimates and re-noising are the twin's")
  func schedules() throws {
    let fixture = try Fixture("sampler")
    let parameters: Parameters = try Fixture.parameters("sampler")
    let pool = try Pool(threads: 1)
    #expect(parameters.cases.count == 3)
    for (name, rules) in parameters.cases {
      let steps = rules.schedule.steps
      #expect(steps.count == rules.expectedTimesteps.count)
      for (step, expected) in zip(steps, rules.expectedTimesteps) {
        #expect(abs(step.timestep - expected) < 1e-9, "\(name)")
      }
      for (step, expected) in zip(steps, rules.expectedSigmas) {
        #expect(abs(step.sigma - expected) < 1e-12, "\(name)")
      }
      let clean = try fixture("input.x")
      pool.axpby(
        -Float(steps[1].sigma), try fixture("input.velocity").matrix, 1, into: clean.matrix)
      expectClose(
        clean.values, try fixture("\(name)/expected.clean").values, tolerance: 1e-6, name)
      let sigma = Float(steps[2].sigma)
      pool.axpby(sigma, try fixture("input.noise").matrix, 1 - sigma, into: clean.matrix)
      expectClose(
        clean.values, try fixture("\(name)/expected.renoised").values, tolerance: 1e-6, name)
    }
  }

  @Test("Known schedules of the Self-Forcing family")
  func golden() {
    func warped(_ timesteps: [Double], shift: Double) -> [Double] {
      timesteps.map { 1000 * FlowMatchSchedule.shifted($0 / 1000, by: shift) }
    }
    for (actual, expected) in [
      (warped([1000, 750, 500, 250], shift: 5), [1000, 937.5, 833.333, 625]),
      (warped([1000, 750, 500, 250], shift: 6), [1000, 947.368, 857.143, 666.667]),
      (warped([1000, 666.666667, 333.333333], shift: 6), [1000, 923.077, 750]),
    ] {
      for (a, e) in zip(actual, expected) { #expect(abs(a - e) < 1e-3) }
    }
  }

  @Test("The time sinusoid has cosines first and is formed in double precision")
  func timeSinusoid() {
    let table: [(Double, [(Int, Float)])] = [
      (
        1000,
        [
          (0, 0.562379), (1, 0.789615), (2, 0.439954), (127, 0.994232), (128, 0.826880),
          (129, 0.613603), (130, -0.898020), (255, 0.107254),
        ]
      ),
      (
        937.5,
        [
          (0, 0.262302), (1, 0.580487), (2, 0.257223), (127, 0.994930), (128, 0.964986),
          (129, -0.814269), (130, 0.966352), (255, 0.100574),
        ]
      ),
    ]
    for (timestep, values) in table {
      let sinusoid = TimeEmbedding.sinusoid(timestep, width: 256)
      for (place, expected) in values {
        #expect(abs(sinusoid[place] - expected) < 1e-6, "t \(timestep), place \(place)")
      }
    }
  }

  struct NoiseParameters: Decodable {
    struct Example: Decodable {
      let seed: String
      let frame, step: Int
      let stream: UInt32
      let shape: [Int]
    }
    struct Philox: Decodable {
      let counter, key, words: [UInt32]
    }
    let cases: [String: Example]
    let philox: Philox
  }

  @Test("Noise is the twin's, value by value")
  func noise() throws {
    let fixture = try Fixture("noise")
    let parameters: NoiseParameters = try Fixture.parameters("noise")
    let pool = try Pool(threads: 2)
    #expect(parameters.cases.count == 3)
    for (name, example) in parameters.cases {
      let noise = PhiloxNoise(seed: try #require(UInt64(example.seed)))
      let values = Tensor(example.shape)
      noise.fill(
        values.matrix, frame: example.frame, step: example.step, stream: example.stream,
        pool: pool)
      expectClose(
        values.values, try fixture("\(name)/expected.noise").values, tolerance: 1e-6, name)
    }
    let philox = parameters.philox
    let seed = UInt64(philox.key[0]) | UInt64(philox.key[1]) << 32
    let words = PhiloxNoise(seed: seed).words(
      (philox.counter[0], philox.counter[1], philox.counter[2], philox.counter[3]))
    #expect([words.0, words.1, words.2, words.3] == philox.words)
  }

  @Test("Philox gives the known answers of its authors")
  func knownAnswers() {
    let zeros = PhiloxNoise(seed: 0).words((0, 0, 0, 0))
    #expect(
      [zeros.0, zeros.1, zeros.2, zeros.3] == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    let ones = PhiloxNoise(seed: .max).words((.max, .max, .max, .max))
    #expect(
      [ones.0, ones.1, ones.2, ones.3] == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
  }

  struct RopeParameters: Decodable {
    struct Example: Decodable {
      enum CodingKeys: String, CodingKey {
        case positions, h, w
        case headWidth = "head_dim"
      }
      let headWidth: Int
      let positions: [Int]
      let h, w: Int
    }
    let cases: [String: Example]
  }

  @Test("Rotary angles and rotation are the twin's")
  func rotaryEmbedding() throws {
    let fixture = try Fixture("rope")
    let parameters: RopeParameters = try Fixture.parameters("rope")
    let pool = try Pool(threads: 2)
    #expect(parameters.cases.count == 3)
    for (name, example) in parameters.cases {
      let grid = LatentGrid(height: example.h, width: example.w, patchHeight: 1, patchWidth: 1)
      let rotary = RotaryEmbedding(headWidth: example.headWidth, grid: grid)
      let rows = example.positions.count * grid.tokensPerFrame
      let (cosine, sine) = (Tensor(rows, rotary.pairs), Tensor(rows, rotary.pairs))
      rotary.write(positions: example.positions, cosine: cosine.matrix, sine: sine.matrix)
      expectClose(cosine.values, try fixture("\(name)/expected.cos").values, tolerance: 1e-6, name)
      expectClose(sine.values, try fixture("\(name)/expected.sin").values, tolerance: 1e-6, name)
      let x = try fixture("\(name)/input.x")
      pool.rope(
        x.matrix(rows: rows), cosine: cosine.matrix, sine: sine.matrix, heads: x.shape[1],
        into: x.matrix(rows: rows))
      expectClose(x.values, try fixture("\(name)/expected.x").values, tolerance: 1e-6, name)
    }
  }

  @Test("Known rotary frequencies of a 128-wide head")
  func rotaryFrequencies() {
    let widths = RotaryEmbedding.axisWidths(headWidth: 128)
    #expect(widths == (44, 42, 42))
    let time = RotaryEmbedding.frequencies(axisWidth: 44)
    let rows = RotaryEmbedding.frequencies(axisWidth: 42)
    for (actual, expected) in [
      (time[0], 1), (time[1], 0.65793322), (time[2], 0.43287613), (time[21], 0.00015199),
      (rows[0], 1), (rows[1], 0.64494668), (rows[2], 0.41595622), (rows[20], 0.00015505),
    ] { #expect(abs(actual - expected) < 1e-8) }
  }
}
