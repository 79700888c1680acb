import CKernels
import Testing

@Suite struct NormTests {
  static let sizes = [(1, 1), (1, 7), (5, 64), (33, 192), (17, 129), (3, 1536)]

  private func normalised(_ x: ArraySlice<Float>, eps: Double) -> [Double] {
    let values = x.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
    return values.map { ($0 - mean) / (variance + eps).squareRoot() }
  }

  @Test(arguments: paths, sizes)
  func aLayerNormCanBeModulatedPerGroupOfRows(path: String, size: (Int, Int)) throws {
    let (m, d) = size
    let rowsPerGroup = 4
    let groups = (m + rowsPerGroup - 1) / rowsPerGroup
    var random = Random(UInt64(m + d))
    let x = random.floats(m * d, size: 5).map { $0 + 3 }
    let scale = random.floats(groups * d)
    let shift = random.floats(groups * d)
    let y = try onEveryPool(path: path) { pool in
      var y = [Float](repeating: .nan, count: m * d)
      ms_layer_norm(
        pool, x, &y, Int64(m), Int64(d), 1e-6, nil, nil, scale, shift, Int64(rowsPerGroup))
      return y
    }
    let expected = (0..<m).flatMap { i in
      normalised(x[(i * d)..<((i + 1) * d)], eps: 1e-6).enumerated().map { j, value in
        let place = i / rowsPerGroup * d + j
        return value * (1 + Double(scale[place])) + Double(shift[place])
      }
    }
    // One column is exactly its mean: the norm gives the shift, to the last bit of the mean.
    expectClose(y, expected, absolute: d == 1 ? 1e-3 : 1e-5)
  }

  @Test(arguments: paths, sizes)
  func aLayerNormCanHaveWeightsAndBiases(path: String, size: (Int, Int)) throws {
    let (m, d) = size
    var random = Random(UInt64(m * d))
    let x = random.floats(m * d, size: 100)
    let weight = random.floats(d)
    let bias = random.floats(d)
    for hasAffine in [true, false] {
      let y = try onEveryPool(path: path) { pool in
        var y = [Float](repeating: .nan, count: m * d)
        ms_layer_norm(
          pool, x, &y, Int64(m), Int64(d), 1e-5, hasAffine ? weight : nil, hasAffine ? bias : nil,
          nil, nil, 1)
        return y
      }
      let expected = (0..<m).flatMap { i in
        normalised(x[(i * d)..<((i + 1) * d)], eps: 1e-5).enumerated().map { j, value in
          hasAffine ? value * Double(weight[j]) + Double(bias[j]) : value
        }
      }
      expectClose(y, expected, absolute: 1e-5)
    }
  }

  @Test(arguments: paths, sizes)
  func anRMSNormDividesByTheRootMeanSquareAlsoInPlace(path: String, size: (Int, Int)) throws {
    let (m, d) = size
    let pitch = d + 5
    var random = Random(UInt64(m * 3 + d))
    let x = random.floats(m * pitch, size: 10)
    let weight = random.floats(d)
    let apart = try onEveryPool(path: path) { pool in
      var y = [Float](repeating: 9, count: m * d)
      ms_rms_norm(pool, x, Int64(pitch), weight, &y, Int64(d), Int64(m), Int64(d), 1e-6)
      return y
    }
    let expected = (0..<m).flatMap { i in
      let row = x[(i * pitch)..<(i * pitch + d)].map(Double.init)
      let square = row.map { $0 * $0 }.reduce(0, +) / Double(d)
      return row.indices.map { row[$0] / (square + 1e-6).squareRoot() * Double(weight[$0]) }
    }
    expectClose(apart, expected, absolute: 1e-6, relative: 1e-6)

    let inPlace = try onEveryPool(path: path) { pool in
      var y = x
      y.withUnsafeMutableBufferPointer { buffer in
        ms_rms_norm(
          pool, buffer.baseAddress, Int64(pitch), weight, buffer.baseAddress, Int64(pitch),
          Int64(m), Int64(d), 1e-6)
      }
      return y
    }
    for i in 0..<m {
      #expect(inPlace[(i * pitch)..<(i * pitch + d)] == apart[(i * d)..<((i + 1) * d)])
      #expect(
        inPlace[(i * pitch + d)..<((i + 1) * pitch)] == x[(i * pitch + d)..<((i + 1) * pitch)])
    }
  }

  @Test(arguments: paths, [(1, 1, 2), (7, 3, 64), (40, 2, 20), (3, 1, 128), (2, 2, 46)])
  func rotaryTurnsEveryPairByItsAngleAlsoInPlace(path: String, size: (Int, Int, Int)) throws {
    let (m, heads, width) = size
    let d = heads * width
    var random = Random(UInt64(m + width))
    let x = random.floats(m * d)
    let cosine = random.floats(m * width / 2)
    let sine = random.floats(m * width / 2)
    let y = try onEveryPool(path: path) { pool in
      var y = [Float](repeating: .nan, count: m * d)
      ms_rope(
        pool, x, Int64(d), cosine, sine, &y, Int64(d), Int64(m), Int64(heads), Int64(width))
      return y
    }
    var expected = [Double](repeating: 0, count: m * d)
    for i in 0..<m {
      for pair in 0..<(d / 2) {
        let angle = i * width / 2 + pair % (width / 2)
        let (c, s) = (Double(cosine[angle]), Double(sine[angle]))
        let (a, b) = (Double(x[i * d + 2 * pair]), Double(x[i * d + 2 * pair + 1]))
        expected[i * d + 2 * pair] = a * c - b * s
        expected[i * d + 2 * pair + 1] = a * s + b * c
      }
    }
    expectClose(y, expected, absolute: 3e-7)
    let inPlace = try onEveryPool(path: path) { pool in
      var y = x
      y.withUnsafeMutableBufferPointer { buffer in
        ms_rope(
          pool, buffer.baseAddress, Int64(d), cosine, sine, buffer.baseAddress, Int64(d), Int64(m),
          Int64(heads), Int64(width))
      }
      return y
    }
    #expect(inPlace == y)
  }
}
