import CKernels
import Testing

struct AttentionShape: CustomTestStringConvertible, Sendable {
  let queries: Int
  let keys: Int
  let heads: Int
  let width: Int
  var testDescription: String { "\(queries) x \(keys), \(heads) heads of \(width)" }

  init(_ queries: Int, _ keys: Int, _ heads: Int, _ width: Int) {
    self.queries = queries
    self.keys = keys
    self.heads = heads
    self.width = width
  }

  static let all = [
    AttentionShape(1, 1, 1, 1), AttentionShape(1, 5, 2, 8), AttentionShape(3, 7, 1, 20),
    AttentionShape(5, 130, 3, 32), AttentionShape(16, 64, 2, 40), AttentionShape(17, 121, 1, 64),
    AttentionShape(33, 240, 2, 64), AttentionShape(60, 180, 3, 64), AttentionShape(50, 241, 1, 80),
    AttentionShape(97, 31, 2, 128), AttentionShape(200, 13, 1, 13),
  ]
}

@Suite struct AttentionTests {
  private func run(
    pool: OpaquePointer, shape: AttentionShape, q: [Float], k: [Float], v: [Float], scale: Float,
    bias: [Float]? = nil
  ) -> [Float] {
    let d = Int64(shape.heads * shape.width)
    let sizes = (
      Int64(shape.queries), Int64(shape.keys), Int64(shape.heads), Int64(shape.width)
    )
    var o = [Float](repeating: .nan, count: shape.queries * shape.heads * shape.width)
    let floats = Int(ms_attention_scratch(pool, sizes.0, sizes.1, sizes.2, sizes.3))
    // One float beyond what was asked for must stay as it is.
    var scratch = [Float](repeating: .nan, count: floats) + [42]
    ms_attention(
      pool, q, d, k, d, v, d, &o, d, sizes.0, sizes.1, sizes.2, sizes.3, scale, bias, &scratch)
    #expect(scratch[floats] == 42)
    return o
  }

  @Test(arguments: paths, AttentionShape.all)
  func everyQueryGetsTheSoftmaxOfItsScoresTimesTheValues(
    path: String, shape: AttentionShape
  ) throws {
    var random = Random(UInt64(shape.queries * 1009 + shape.keys))
    let d = shape.heads * shape.width
    let q = random.floats(shape.queries * d, size: 3)
    let k = random.floats(shape.keys * d)
    let v = random.floats(shape.keys * d)
    let scale = 1 / Float(shape.width).squareRoot()
    for bias in [nil, random.floats(shape.heads * shape.queries * shape.keys, size: 4)] {
      let actual = try onEveryPool(path: path) { pool in
        run(pool: pool, shape: shape, q: q, k: k, v: v, scale: scale, bias: bias)
      }
      let expected = Reference.attention(
        q: q, k: k, v: v, queries: shape.queries, keys: shape.keys, heads: shape.heads,
        width: shape.width, scale: Double(scale), bias: bias)
      expectClose(actual, expected, absolute: 3e-6)
    }
  }

  @Test(arguments: paths)
  func scoresOfTenThousandNeitherOverflowNorLoseTheirOrder(path: String) throws {
    // One-hot rows make every score exact: +-10000 or 0, the largest late in the keys.
    let shape = AttentionShape(20, 300, 1, 8)
    var random = Random(3)
    var q = [Float](repeating: 0, count: shape.queries * shape.width)
    var k = [Float](repeating: 0, count: shape.keys * shape.width)
    for i in 0..<shape.queries { q[i * shape.width + i % 8] = i % 2 == 0 ? 100 : -100 }
    for j in 0..<shape.keys { k[j * shape.width + (j / 3) % 8] = j % 3 == 0 ? -100 : 100 }
    let v = random.floats(shape.keys * shape.width)
    let actual = try onEveryPool(path: path) { pool in
      run(pool: pool, shape: shape, q: q, k: k, v: v, scale: 1)
    }
    let expected = Reference.attention(
      q: q, k: k, v: v, queries: shape.queries, keys: shape.keys, heads: 1, width: shape.width,
      scale: 1, bias: nil)
    expectClose(actual, expected, absolute: 1e-6)
  }

  @Test(arguments: paths)
  func maskedKeysCountForNothingAndAnAllMaskedRowIsZero(path: String) throws {
    let shape = AttentionShape(19, 250, 2, 16)
    var random = Random(4)
    let d = shape.heads * shape.width
    let q = random.floats(shape.queries * d)
    let k = random.floats(shape.keys * d)
    let v = random.floats(shape.keys * d)
    // Row i sees keys i * 14 and later; the last rows see none of the first blocks, row 18 nothing.
    var bias = [Float](repeating: 0, count: shape.heads * shape.queries * shape.keys)
    for h in 0..<shape.heads {
      for i in 0..<shape.queries {
        for j in 0..<min(i * 14, shape.keys) {
          bias[(h * shape.queries + i) * shape.keys + j] = -.infinity
        }
      }
    }
    let actual = try onEveryPool(path: path) { pool in
      run(pool: pool, shape: shape, q: q, k: k, v: v, scale: 1, bias: bias)
    }
    let expected = Reference.attention(
      q: q, k: k, v: v, queries: shape.queries, keys: shape.keys, heads: shape.heads,
      width: shape.width, scale: 1, bias: bias)
    expectClose(actual, expected, absolute: 3e-6)
    #expect(actual[(18 * d)...].allSatisfy { $0 == 0 })
  }

  @Test(arguments: paths)
  func noKeysGiveZeros(path: String) throws {
    let o = try onEveryPool(path: path) { pool in
      run(
        pool: pool, shape: AttentionShape(3, 0, 1, 4), q: .init(repeating: 1, count: 12), k: [0],
        v: [0], scale: 1)
    }
    #expect(o == [Float](repeating: 0, count: 12))
  }
}
