import MotionStream
import Testing
import Tracks

@Suite struct TrackEncoderTests {
  struct Case: Decodable {
    enum CodingKeys: String, CodingKey {
      case rules
      case usesBias = "use_bias"
    }
    let rules: TrackRules
    let usesBias: Bool
  }
  struct Parameters: Decodable {
    enum CodingKeys: String, CodingKey {
      case config, ids, cases
      case goldenIDs = "golden_ids"
    }
    let config: TrackHeadConfiguration
    let ids: [Int]
    let cases: [String: Case]
    let goldenIDs: [Int]
  }

  static let grid = PictureSize(height: 4, width: 6)

  let fixture: Fixture
  let parameters: Parameters
  let pool: Pool

  init() throws {
    fixture = try Fixture("track-encoder")
    parameters = try Fixture.parameters("track-encoder")
    pool = try Pool(threads: 2)
  }

  /// The track head of a case of the fixture.
  func encoder(_ name: String) throws -> TrackEncoder {
    let example = try #require(parameters.cases[name])
    let sizes = parameters.config
    let configuration = TrackHeadConfiguration(
      idDimension: sizes.idDimension, channels: sizes.channels,
      spatialCompression: sizes.spatialCompression, temporalCompression: sizes.temporalCompression,
      maximumID: sizes.maximumID, usesBias: example.usesBias)
    let prefix = example.usesBias ? "weights" : "\(name)/weights"
    return try fixture.build(prefix) { weights throws(ModelError) in
      try TrackEncoder(configuration, rules: example.rules, weights)
    }
  }

  /// The fixture's tracks at one frame.
  func points(_ frame: Int, visible: Bool = true) throws -> [TrackPoint] {
    let places = try fixture("input.points")
    let seen = try fixture("input.visible")
    return parameters.ids.enumerated().map { index, id in
      let row = frame * parameters.ids.count + index
      return TrackPoint(
        id: id, x: places.pointer[row * 2], y: places.pointer[row * 2 + 1],
        visible: visible && seen.pointer[row] != 0)
    }
  }

  /// Each track where it is first visible on the canvas of 48x32 pixels.
  func origins() throws -> [Int: TrackPoint] {
    let all = try (0..<9).flatMap { try points($0) }
    let seen = all.filter {
      $0.visible && (0..<48).contains($0.x) && (0..<32).contains($0.y)
    }
    return Dictionary(seen.map { ($0.id, $0) }) { first, _ in first }
  }

  /// Latent frames `range` as [C, T, H, W].
  func encode(
    _ encoder: TrackEncoder, _ range: Range<Int>, visible: Bool = true
  ) throws -> [Float] {
    let all = try (0..<9).map { try points($0, visible: visible) }
    let channels = encoder.configuration.channels
    let output = Tensor(channels, range.count * Self.grid.height * Self.grid.width)
    let workspace = encoder.makeWorkspace(grid: Self.grid, origins: try origins())
    for (place, latent) in range.enumerated() {
      let pixels = Self.grid.height * Self.grid.width
      encoder.encode(
        latent: latent, workspace: workspace, pool: pool,
        into: output.matrix.columns(place * pixels..<(place + 1) * pixels)
      ) { frame, points in points = all[frame] }
    }
    return output.values
  }

  @Test(arguments: [
    "floor-add", "floor-assign", "round_grid-add", "round_grid-assign", "bilinear-add",
    "bilinear-add-no-bias", "bilinear-add-origin",
  ])
  func everyRuleGivesTheReferencesChannels(_ name: String) throws {
    let encoder = try encoder(name)
    expectClose(
      try encode(encoder, 0..<3), try fixture("\(name)/expected.latents").values, name)
    expectClose(
      try encode(encoder, 0..<3, visible: false), try fixture("\(name)/expected.hidden").values,
      "\(name), hidden")
  }

  @Test func aWindowEqualsItsPartOfTheWholeClip() throws {
    let encoder = try encoder("bilinear-add")
    let whole = try encode(encoder, 0..<3)
    let window = try encode(encoder, 1..<3)
    let pixels = Self.grid.height * Self.grid.width
    for channel in 0..<3 {
      let expected = whole[(channel * 3 + 1) * pixels..<(channel * 3 + 3) * pixels]
      #expect(Array(window[channel * 2 * pixels..<(channel + 1) * 2 * pixels]) == Array(expected))
    }
  }

  @Test func aLatentFrameSeesItsOwnPictures() throws {
    let encoder = try encoder("floor-add")
    #expect(encoder.frames(of: 0) == 0..<1)
    #expect(encoder.frames(of: 1) == 1..<5)
    #expect(encoder.frames(of: 7) == 25..<29)
  }

  @Test func idsAreEmbeddedAsInTheReference() throws {
    let rules = TrackRules(
      cellRule: .floor, collision: .add, maximumID: 100_000, base: 10_000, ids: .file)
    var embedding = IDEmbedding(dimension: 64, rules: rules)
    var values: [Float] = []
    for id in parameters.goldenIDs {
      embedding.withEmbedding(of: id) { values += UnsafeBufferPointer(start: $0, count: 64) }
    }
    expectClose(values, try fixture("golden/expected.embedding").values, tolerance: 1e-6)
    // Of the WanTrack code at id 12345: cosines 0, 1, 31 and sines 0, 1, 31.
    let golden = values[128..<192].map { $0 }
    expectClose(
      [golden[0], golden[1], golden[31], golden[32], golden[33], golden[63]],
      [0.111436, -0.675218, -0.075364, -0.993772, 0.737618, 0.997156], tolerance: 2e-6)
  }

  @Test func pointsOffThePictureLeaveNoTrace() throws {
    let encoder = try encoder("bilinear-add")
    let workspace = encoder.makeWorkspace(grid: Self.grid)
    let empty = Tensor(3, 24)
    encoder.encode(latent: 1, workspace: workspace, pool: pool, into: empty.matrix) { _, points in
      points = []
    }
    let outside: [(Float, Float)] = [
      (-1, 5), (48, 5), (5, 32), (5, -0.001), (.nan, 5), (5, .infinity), (1e30, -1e30),
    ]
    let output = Tensor(3, 24)
    encoder.encode(latent: 1, workspace: workspace, pool: pool, into: output.matrix) { _, points in
      points = outside.enumerated().map { TrackPoint(id: $0, x: $1.0, y: $1.1, visible: true) }
    }
    #expect(output.values == empty.values)
  }

  @Test func bilinearPlacementCannotOverwrite() {
    let rules = TrackRules(
      cellRule: .bilinear, collision: .assign, maximumID: 10, base: 10, ids: .file)
    let error = #expect(throws: ModelError.self) { try rules.validate(path: "motionstream.json") }
    #expect(error?.kind == .badModel)
  }
}
