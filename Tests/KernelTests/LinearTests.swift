import CKernels
import Testing

struct LinearShape: CustomTestStringConvertible, Sendable {
  let m: Int
  let n: Int
  let k: Int
  var testDescription: String { "\(m) x \(k) -> \(n)" }

  init(_ m: Int, _ n: Int, _ k: Int) {
    self.m = m
    self.n = n
    self.k = k
  }

  /// One, odd, a tile, a tile and one, sums in one and in several blocks; the last two are wide.
  static let all = [
    LinearShape(1, 1, 1), LinearShape(1, 200, 64), LinearShape(2, 33, 7), LinearShape(2, 64, 320),
    LinearShape(3, 130, 40), LinearShape(4, 16, 16), LinearShape(5, 31, 3),
    LinearShape(7, 17, 31), LinearShape(12, 32, 321), LinearShape(13, 100, 70),
    LinearShape(23, 8, 19), LinearShape(60, 192, 192), LinearShape(97, 193, 641),
    LinearShape(180, 96, 200), LinearShape(8, 1536, 40),
    LinearShape(3, 1025, 1024), LinearShape(194, 4097, 257),
  ]
}

@Suite struct LinearTests {
  /// Runs a linear with guard columns around x and y; returns y [M, ldy].
  private func run(
    pool: OpaquePointer, shape: LinearShape, x: [Float], ldx: Int, w: [Float], bias: [Float]?,
    y: [Float], ldy: Int, activation: MSActivation = MSActivationNone,
    write: MSWrite = MSWriteStore, gate: [Float] = [0], rowsPerGate: Int = 1
  ) throws -> [Float] {
    var y = y
    let linear = try #require(ms_linear_prepare(w, bias, Int64(shape.n), Int64(shape.k)))
    defer { ms_linear_free(linear) }
    ms_linear(
      pool, linear, x, Int64(ldx), &y, Int64(ldy), Int64(shape.m), activation, write, gate,
      Int64(rowsPerGate))
    return y
  }

  @Test(arguments: paths, LinearShape.all)
  func aLinearIsTheProductPlusTheBias(path: String, shape: LinearShape) throws {
    var random = Random(UInt64(shape.m * 7919 + shape.n * 31 + shape.k))
    let ldx = shape.k + 3
    let x = random.floats(shape.m * ldx)
    let w = random.floats(shape.n * shape.k)
    for bias in [random.floats(shape.n), nil] {
      let actual = try onEveryPool(path: path) { pool in
        try run(
          pool: pool, shape: shape, x: x, ldx: ldx, w: w, bias: bias,
          y: [Float](repeating: .nan, count: shape.m * shape.n), ldy: shape.n)
      }
      let expected = Reference.linear(
        x: x, ldx: ldx, w: w, bias: bias, m: shape.m, n: shape.n, k: shape.k)
      expectClose(actual, expected, absolute: 2e-5)
    }
  }

  @Test(
    arguments: paths, [MSActivationNone, MSActivationGELUTanh, MSActivationSiLU, MSActivationReLU])
  func theResultIsActivatedThenWrittenAddedOrGated(path: String, activation: MSActivation) throws {
    let shape = LinearShape(29, 45, 20)
    let ldy = shape.n + 2
    let rowsPerGate = 7
    var random = Random(11)
    let x = random.floats(shape.m * shape.k, size: 2)
    let w = random.floats(shape.n * shape.k)
    let bias = random.floats(shape.n)
    let before = random.floats(shape.m * ldy)
    let gate = random.floats(5 * shape.n)
    let product = Reference.linear(
      x: x, ldx: shape.k, w: w, bias: bias, m: shape.m, n: shape.n, k: shape.k)
    for write in [MSWriteStore, MSWriteAdd, MSWriteGatedAdd] {
      let actual = try onEveryPool(path: path) { pool in
        try run(
          pool: pool, shape: shape, x: x, ldx: shape.k, w: w, bias: bias, y: before, ldy: ldy,
          activation: activation, write: write, gate: gate, rowsPerGate: rowsPerGate)
      }
      var expected = before.map(Double.init)
      for i in 0..<shape.m {
        for j in 0..<shape.n {
          let result = Reference.activation(product[i * shape.n + j], activation)
          let factor = Double(gate[i / rowsPerGate * shape.n + j])
          switch write {
          case MSWriteAdd: expected[i * ldy + j] += result
          case MSWriteGatedAdd: expected[i * ldy + j] += factor * result
          default: expected[i * ldy + j] = result
          }
        }
      }
      expectClose(actual, expected, absolute: 1e-5)
    }
  }

  @Test(arguments: paths)
  func aRowDoesNotDependOnTheRowsBesideIt(path: String) throws {
    var random = Random(5)
    let n = 75
    let k = 700
    let x = random.floats(31 * k)
    let w = random.floats(n * k)
    let together = try onEveryPool(path: path) { pool in
      try run(
        pool: pool, shape: LinearShape(31, n, k), x: x, ldx: k, w: w, bias: nil,
        y: [Float](repeating: 0, count: 31 * n), ldy: n)
    }
    for (first, rows) in [(0, 1), (3, 2), (9, 3), (14, 17)] {
      let apart = try onEveryPool(path: path) { pool in
        try run(
          pool: pool, shape: LinearShape(rows, n, k), x: Array(x[(first * k)...]), ldx: k, w: w,
          bias: nil, y: [Float](repeating: 0, count: rows * n), ldy: n)
      }
      #expect(apart == Array(together[(first * n)..<((first + rows) * n)]))
    }
  }

  @Test(arguments: paths)
  func noRowsIsNoWork(path: String) throws {
    let y = try onEveryPool(path: path) { pool in
      try run(
        pool: pool, shape: LinearShape(0, 3, 2), x: [0], ldx: 2, w: [1, 2, 3, 4, 5, 6], bias: nil,
        y: [7, 7, 7], ldy: 3)
    }
    #expect(y == [7, 7, 7])
  }
}
