import CKernels
import Testing

struct ConvolutionShape: CustomTestStringConvertible, Sendable {
  let out: Int
  let inputs: Int
  let kernel: Int
  let stride: Int
  let height: Int
  let width: Int
  /// Channels in the first of the two sources.
  let first: Int
  var testDescription: String {
    "\(first)+\(inputs - first) -> \(out), \(kernel)x\(kernel)/\(stride), \(height)x\(width)"
  }

  init(
    _ out: Int, _ inputs: Int, kernel: Int = 3, stride: Int = 1, _ height: Int, _ width: Int,
    first: Int? = nil
  ) {
    self.out = out
    self.inputs = inputs
    self.kernel = kernel
    self.stride = stride
    self.height = height
    self.width = width
    self.first = first ?? inputs
  }

  static let all = [
    ConvolutionShape(1, 1, 1, 1), ConvolutionShape(3, 5, 1, 9), ConvolutionShape(12, 8, 7, 1),
    ConvolutionShape(16, 16, 5, 6), ConvolutionShape(33, 12, 9, 13),
    ConvolutionShape(64, 64, 6, 10), ConvolutionShape(40, 33, 3, 101),
    ConvolutionShape(24, 160, 4, 7), ConvolutionShape(3, 64, 8, 8),
    ConvolutionShape(20, 32, 26, 11, first: 12), ConvolutionShape(64, 128, 5, 5, first: 64),
    ConvolutionShape(16, 16, stride: 2, 8, 8), ConvolutionShape(19, 7, stride: 2, 9, 11),
    ConvolutionShape(8, 9, stride: 2, 1, 2), ConvolutionShape(32, 20, stride: 2, 25, 200),
    ConvolutionShape(48, 20, kernel: 1, 7, 5), ConvolutionShape(5, 300, kernel: 1, 3, 3),
    ConvolutionShape(17, 24, kernel: 1, 30, 4, first: 10),
    ConvolutionShape(16, 8, kernel: 1, stride: 2, 7, 5),
  ]

  /// Layers that Winograd's transforms suit, and one with too few channels on either side: several
  /// runs of blocks, blocks cut off at each border, sources of any width.
  static let wide = [
    ConvolutionShape(16, 16, 1, 1), ConvolutionShape(15, 40, 9, 6), ConvolutionShape(40, 15, 9, 6),
    ConvolutionShape(48, 96, 24, 40), ConvolutionShape(96, 192, 9, 14, first: 96),
    ConvolutionShape(33, 17, 18, 31, first: 5), ConvolutionShape(70, 50, 3, 50, first: 30),
    ConvolutionShape(17, 260, 10, 2, first: 259),
  ]
}

@Suite struct ConvolutionTests {
  private func run(
    pool: OpaquePointer, shape: ConvolutionShape, w: [Float], bias: [Float]?, x: [Float],
    residual: [Float]?, activation: MSActivation
  ) throws -> [Float] {
    let conv = try #require(
      ms_conv_prepare(
        w, bias, Int64(shape.out), Int64(shape.inputs), Int64(shape.kernel), Int64(shape.stride)))
    defer { ms_conv_free(conv) }
    let pixels = shape.height * shape.width
    let second = shape.inputs - shape.first
    let a = (0..<pixels).flatMap { x[($0 * shape.inputs)..<($0 * shape.inputs + shape.first)] }
    let b = (0..<pixels).flatMap {
      x[($0 * shape.inputs + shape.first)..<(($0 + 1) * shape.inputs)]
    }
    let outputs =
      (shape.height + shape.stride - 1) / shape.stride
      * ((shape.width + shape.stride - 1) / shape.stride) * shape.out
    var y = [Float](repeating: .nan, count: outputs) + [42]
    let floats = Int(ms_conv_scratch(pool, conv, Int64(shape.height), Int64(shape.width)))
    var scratch = [Float](repeating: .nan, count: floats) + [42]
    ms_conv2d(
      pool, conv, a, Int64(shape.first), second > 0 ? b : nil, Int64(shape.height),
      Int64(shape.width), residual, activation, &y, &scratch)
    #expect(scratch[floats] == 42)
    #expect(y.removeLast() == 42)
    return y
  }

  @Test(arguments: paths, ConvolutionShape.all)
  func everyOutputIsTheWeightedSumOfItsNeighbourhood(
    path: String, shape: ConvolutionShape
  ) throws {
    var random = Random(UInt64(shape.out * 257 + shape.inputs * 13 + shape.width))
    let x = random.floats(shape.height * shape.width * shape.inputs)
    let w = random.floats(shape.out * shape.inputs * shape.kernel * shape.kernel)
    let bias = random.floats(shape.out)
    let sums = Reference.convolution(
      x: x, height: shape.height, width: shape.width, w: w, bias: bias, out: shape.out,
      in: shape.inputs, kernel: shape.kernel, stride: shape.stride)
    let plain = try onEveryPool(path: path) { pool in
      try run(
        pool: pool, shape: shape, w: w, bias: bias, x: x, residual: nil,
        activation: MSActivationNone)
    }
    expectClose(plain, sums, absolute: 5e-5)

    let residual = random.floats(sums.count)
    let joined = try onEveryPool(path: path) { pool in
      try run(
        pool: pool, shape: shape, w: w, bias: bias, x: x, residual: residual,
        activation: MSActivationReLU)
    }
    let expected = sums.indices.map { max(0, sums[$0] + Double(residual[$0])) }
    expectClose(joined, expected, absolute: 5e-5)
  }

  @Test(arguments: paths, ConvolutionShape.wide)
  func roundingStaysSmallWhateverTheWayTaken(path: String, shape: ConvolutionShape) throws {
    var random = Random(UInt64(shape.out * 31 + shape.inputs * 7 + shape.width))
    let (out, inputs) = (shape.out, shape.inputs)
    let x = random.floats(shape.height * shape.width * inputs, size: 2)
    // As trained weights are: outputs are about as large as inputs.
    let w = random.floats(out * inputs * 9, size: (1 / Float(3 * inputs)).squareRoot())
    let bias = random.floats(out)
    let sums = Reference.convolution(
      x: x, height: shape.height, width: shape.width, w: w, bias: bias, out: out, in: inputs,
      kernel: 3, stride: 1)
    let residual = random.floats(sums.count)
    let largest = sums.reduce(0) { max($0, abs($1)) }
    for activation in [
      MSActivationNone, MSActivationReLU, MSActivationSiLU, MSActivationGELUTanh,
    ] {
      let y = try onEveryPool(path: path) { pool in
        try run(
          pool: pool, shape: shape, w: w, bias: bias, x: x, residual: residual,
          activation: activation)
      }
      let expected = sums.indices.map {
        Reference.activation(sums[$0] + Double(residual[$0]), activation)
      }
      expectClose(y, expected, absolute: 2e-6 * largest)
    }
  }

  @Test(arguments: paths)
  func anOutputDoesNotDependOnWhatIsComputedWithIt(path: String) throws {
    let (low, high) = (ConvolutionShape(40, 24, 8, 28), ConvolutionShape(40, 24, 23, 28))
    let x = Random.seeded(1, 23 * 28 * 24)
    let w = Random.seeded(2, 40 * 24 * 9)
    let results = try [low, high].map { shape in
      try onEveryPool(path: path) { pool in
        try run(
          pool: pool, shape: shape, w: w, bias: nil, x: x, residual: nil,
          activation: MSActivationNone)
      }
    }
    let shared = 4 * 28 * 40
    #expect(
      results[0][..<shared].map(\.bitPattern) == results[1][..<shared].map(\.bitPattern))
  }

  @Test func packedWeightsTellTheirSize() throws {
    for (out, inputs, kernel, doubled, floats) in [
      (64, 32, 3, false, 36 * 64 * 32), (64, 8, 3, false, 9 * 64 * 8), (32, 64, 1, false, 32 * 64),
      (64, 32, 3, true, 16 * 64 * 32),
    ] {
      let w = [Float](repeating: 0, count: out * inputs * kernel * kernel)
      let conv = try #require(
        doubled
          ? ms_conv_prepare_doubled(w, nil, Int64(out), Int64(inputs))
          : ms_conv_prepare(w, nil, Int64(out), Int64(inputs), Int64(kernel), 1))
      defer { ms_conv_free(conv) }
      #expect(ms_conv_floats(conv) == floats)
    }
  }

  @Test(
    arguments: paths,
    [
      ConvolutionShape(1, 1, 1, 1), ConvolutionShape(24, 32, 5, 7), ConvolutionShape(33, 12, 9, 3),
      ConvolutionShape(16, 8, 30, 101), ConvolutionShape(64, 128, 4, 6),
      ConvolutionShape(20, 32, 6, 11, first: 12),
    ])
  func aDoubledConvolutionEqualsUpsamplingFirst(path: String, shape: ConvolutionShape) throws {
    var random = Random(UInt64(shape.out * 31 + shape.width))
    let (height, width, inputs) = (shape.height, shape.width, shape.inputs)
    let x = random.floats(height * width * inputs)
    let w = random.floats(shape.out * inputs * 9)
    let bias = random.floats(shape.out)
    let large = (0..<4 * height * width).flatMap { pixel in
      let (row, column) = (pixel / (2 * width) / 2, pixel % (2 * width) / 2)
      return x[((row * width + column) * inputs)..<((row * width + column + 1) * inputs)]
    }
    let sums = Reference.convolution(
      x: large, height: 2 * height, width: 2 * width, w: w, bias: bias, out: shape.out, in: inputs,
      kernel: 3, stride: 1)
    let residual = random.floats(sums.count)
    let second = inputs - shape.first
    let pixels = 0..<height * width
    let a = pixels.flatMap { x[($0 * inputs)..<($0 * inputs + shape.first)] }
    let b = pixels.flatMap { x[($0 * inputs + shape.first)..<(($0 + 1) * inputs)] }
    let y = try onEveryPool(path: path) { pool in
      let conv = try #require(ms_conv_prepare_doubled(w, bias, Int64(shape.out), Int64(inputs)))
      defer { ms_conv_free(conv) }
      let floats = Int(ms_conv_scratch(pool, conv, Int64(height), Int64(width)))
      var scratch = [Float](repeating: .nan, count: floats) + [42]
      var y = [Float](repeating: .nan, count: sums.count)
      ms_conv2d(
        pool, conv, a, Int64(shape.first), second > 0 ? b : nil, Int64(height), Int64(width),
        residual, MSActivationReLU, &y, &scratch)
      #expect(scratch[floats] == 42)
      return y
    }
    expectClose(y, sums.indices.map { max(0, sums[$0] + Double(residual[$0])) }, absolute: 5e-5)
  }

  @Test(arguments: paths)
  func withoutBiasNothingIsAdded(path: String) throws {
    let shape = ConvolutionShape(5, 3, 4, 4)
    let y = try onEveryPool(path: path) { pool in
      try run(
        pool: pool, shape: shape, w: Random.seeded(1, 135), bias: nil,
        x: [Float](repeating: 0, count: 48), residual: nil, activation: MSActivationNone)
    }
    #expect(y == [Float](repeating: 0, count: 80))
  }
}
