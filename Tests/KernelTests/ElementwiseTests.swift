import CKernels
import Glibc
import Testing

@Suite struct ElementwiseTests {
  static let counts = [1, 3, 8, 17, 8192, 8195, 30_000]

  @Test(arguments: paths, counts)
  func sumsAndProductsAreElementwise(path: String, count: Int) throws {
    let x = Random.seeded(1, count, size: 10)
    let before = Random.seeded(2, count, size: 10)
    let sum = try onEveryPool(path: path) { pool in
      var y = before
      ms_axpby(pool, 0.75, x, -1.5, &y, Int64(count))
      return y
    }
    expectClose(
      sum, zip(x, before).map { 0.75 * Double($0) - 1.5 * Double($1) }, absolute: 3e-6)
    let product = try onEveryPool(path: path) { pool in
      var y = before
      ms_multiply(pool, x, &y, Int64(count))
      return y
    }
    #expect(product == zip(x, before).map { $0 * $1 })
  }

  @Test(
    arguments: paths, [MSActivationNone, MSActivationGELUTanh, MSActivationSiLU, MSActivationReLU])
  func activationsAreAccurateFromTinyToHugeInputs(path: String, activation: MSActivation) throws {
    let sizes: [Float] = [1e-30, 1e-6, 0.01, 1, 5, 20, 90, 1e4, 1e30]
    let x: [Float] = Random.seeded(1, 501, sizes: sizes)
    let y = try onEveryPool(path: path) { pool in
      var y = [Float](repeating: .nan, count: x.count)
      ms_activate(pool, x, &y, Int64(x.count), activation)
      return y
    }
    // The exponent of a strongly negative input is itself rounded, so its tiny result is only
    // accurate in absolute terms.
    expectClose(
      y, x.map { Reference.activation(Double($0), activation) }, absolute: 2e-7, relative: 4e-7)
    let inPlace = try onEveryPool(path: path) { pool in
      var y = x
      y.withUnsafeMutableBufferPointer { buffer in
        ms_activate(pool, buffer.baseAddress, buffer.baseAddress, Int64(x.count), activation)
      }
      return y
    }
    #expect(inPlace == y)
  }

  @Test(arguments: paths, [Float(1), 3])
  func theSoftClampIsALimitedTangent(path: String, limit: Float) throws {
    let sizes: [Float] = [1e-6, 0.1, 1, 4, 30, 1e4, 1e30]
    let x: [Float] = Random.seeded(2, 333, sizes: sizes)
    let y = try onEveryPool(path: path) { pool in
      var y = x
      y.withUnsafeMutableBufferPointer { buffer in
        ms_soft_clamp(pool, buffer.baseAddress, limit, buffer.baseAddress, Int64(x.count))
      }
      return y
    }
    expectClose(
      y, x.map { Double(limit) * tanh(Double($0) / Double(limit)) }, absolute: 0, relative: 5e-7)
    #expect(y.allSatisfy { abs($0) <= limit })
  }

  @Test(arguments: paths)
  func everyHalfFloatWidensExactly(path: String) throws {
    let halves = (0...UInt16.max).map { $0 }
    let wide = try onEveryPool(path: path) { _ in
      var wide = [Float](repeating: 0, count: halves.count)
      ms_widen_f16(halves, &wide, Int64(halves.count))
      // NaN payloads aside, only bit patterns can be compared.
      return wide.map { $0.isNaN ? .nan : $0 }
    }
    for half in halves {
      let sign: Double = half & 0x8000 == 0 ? 1 : -1
      let exponent = Int(half >> 10 & 31)
      let fraction = Double(half & 1023)
      let actual = wide[Int(half)]
      if exponent == 31 && fraction != 0 {
        #expect(actual.isNaN)
      } else if exponent == 31 {
        #expect(actual == Float(sign) * .infinity)
      } else {
        let power = exp2(Double(max(exponent, 1) - 25))
        let expected = Float(sign * (fraction + (exponent > 0 ? 1024 : 0)) * power)
        #expect(actual.bitPattern == expected.bitPattern)
      }
    }
  }

  @Test(arguments: paths)
  func everyBrainFloatWidensToItsOwnBitsFromAnyAddress(path: String) throws {
    #expect(ms_force_kernel_path(path))
    defer { ms_force_kernel_path(nil) }
    var bytes: [UInt8] = [0]
    for value in 0...UInt16.max { bytes += [UInt8(value & 255), UInt8(value >> 8)] }
    var wide = [Float](repeating: 0, count: 65536)
    bytes.withUnsafeBytes { raw in
      ms_widen_bf16(raw.baseAddress?.advanced(by: 1), &wide, 65536)
    }
    #expect(wide.map(\.bitPattern) == (0..<65536).map { UInt32($0) << 16 })
  }

  @Test(arguments: paths, [1, 2, 4])
  func pixelsAreUnshuffledClampedAndRounded(path: String, p: Int) throws {
    let (height, width) = (3, 5)
    var x = Random.seeded(UInt64(p), height * width * 3 * p * p, size: 0.8).map { $0 + 0.5 }
    x[0] = .nan
    x[1] = .infinity
    x[2] = -.infinity
    let bytes = try onEveryPool(path: path) { pool in
      var out = [UInt8](repeating: 7, count: x.count)
      ms_pixels(pool, x, Int64(height), Int64(width), Int64(p), &out)
      return out.map(Float.init)
    }
    for row in 0..<(height * p) {
      for column in 0..<(width * p) {
        for c in 0..<3 {
          let pixel = (row / p * width + column / p) * 3 * p * p
          let value = x[pixel + (c * p + row % p) * p + column % p]
          let clamped = value.isNaN ? 0 : min(max(value, 0), 1)
          let expected = (255 * clamped).rounded(.toNearestOrEven)
          #expect(bytes[(row * width * p + column) * 3 + c] == expected)
        }
      }
    }
  }
}
