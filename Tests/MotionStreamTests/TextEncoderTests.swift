import MotionStream
import Testing

@Suite struct TextEncoderTests {
  // The sizes of Tests/Fixtures/tiny-model/text_encoder/config.json.
  static let configuration = TextEncoderConfiguration(
    vocabularySize: 72, width: 16, headWidth: 6, feedForwardWidth: 24, layers: 2, heads: 2)

  static func encoder(
    _ configuration: TextEncoderConfiguration = configuration
  ) throws -> TextEncoder {
    try TextEncoder(
      configuration, files: Fixture("tiny-model/text_encoder/model").files)
  }

  @Test func promptsGiveTheEmbeddingsOfTheReference() throws {
    let fixture = try Fixture("text-encoder")
    let pool = try Pool(threads: 2)
    let encoder = try Self.encoder()
    let parameters: TokenizerTests.Parameters = try Fixture.parameters("text-encoder")
    #expect(parameters.cases.count == 6)
    for (name, example) in parameters.cases {
      let embedding = try encoder.encode(example.ids, rows: example.rows, pool: pool)
      let expected = try fixture("\(name)/expected.embedding")
      #expect(embedding.shape == expected.shape)
      expectClose(embedding.values, expected.values, name)
    }
  }

  @Test func rowsPastThePromptAreExactZeros() throws {
    let embedding = try Self.encoder().encode([5, 9, 1], rows: 7, pool: Pool(threads: 1))
    #expect(embedding.values.dropFirst(3 * 16).allSatisfy { $0 == 0 })
    #expect(embedding.values.prefix(3 * 16).contains { $0 != 0 })
  }

  @Test func anIdBeyondTheTableIsNamed() throws {
    let encoder = try Self.encoder()
    let pool = try Pool(threads: 1)
    let error = #expect(throws: ModelError.self) { try encoder.encode([72], rows: 4, pool: pool) }
    #expect(error?.kind == .badModel)
    #expect(error?.description.contains("72") == true)
  }

  @Test func weightsOfAnotherSizeAreNamed() throws {
    let error = #expect(throws: ModelError.self) {
      try Self.encoder(
        TextEncoderConfiguration(
          vocabularySize: 72, width: 16, headWidth: 8, feedForwardWidth: 24, layers: 3, heads: 2))
    }
    let text = error?.description ?? ""
    #expect(text.contains("encoder.block.0.layer.0.SelfAttention.q.weight: expected [16, 16]"))
    #expect(text.contains("encoder.block.2.layer.1.layer_norm.weight"))
  }

  @Test(arguments: [
    (0, 0), (-1, 1), (1, 17), (-7, 7), (7, 23), (-8, 8), (8, 24), (-16, 10), (16, 26), (-64, 14),
    (64, 30), (128, 31), (5000, 31), (-128, 15), (-5000, 15),
  ])
  func bucketsAreThoseOfT5(_ relative: Int, _ bucket: Int) {
    let buckets = RelativePositionBuckets(buckets: 32, maximumDistance: 128)
    #expect(buckets.bucket(relative) == bucket)
  }
}
