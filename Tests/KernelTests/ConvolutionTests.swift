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
    var y = [Float](repeating: .nan, count: outputs)
    let floats = Int(ms_conv_scratch(pool, conv, Int64(shape.height), Int64(shape.width)))
    var scratch = [Float](repeating: .nan, count: floats) + [42]
    ms_conv2d(
      pool, conv, a, Int64(shape.first), second > 0 ? b : nil, Int64(shape.height),
      Int64(shape.width), residual, activation, &y, &scratch)
    #expect(scratch[floats] == 42)
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
