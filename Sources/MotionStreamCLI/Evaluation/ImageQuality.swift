import Foundation
package import Frames

/// Brightness of a picture, 0 to 255: BT.601 weights over the full range.
package struct Luma: Sendable {
  /// Pixels across.
  package let width: Int
  /// Pixels down.
  package let height: Int
  /// [H, W].
  package let values: [Float]

  /// Weighs red, green and blue.
  package init(_ picture: RGBFrame) {
    (width, height) = (picture.width, picture.height)
    values = picture.pixels.withUnsafeBufferPointer { pixels in
      (0..<pixels.count / 3).map { index in
        0.299 * Float(pixels[3 * index]) + 0.587 * Float(pixels[3 * index + 1])
          + 0.114 * Float(pixels[3 * index + 2])
      }
    }
  }
}

/// How alike two pictures of one size are.
package enum ImageQuality {
  /// Mean squared difference over all pixels and the three colours.
  package static func meanSquaredError(_ a: RGBFrame, _ b: RGBFrame) -> Double {
    precondition(a.width == b.width && a.height == b.height, "pictures of two sizes")
    let sum = a.pixels.withUnsafeBufferPointer { a in
      b.pixels.withUnsafeBufferPointer { b in
        a.indices.reduce(0) { sum, index in
          let difference = Int(a[index]) - Int(b[index])
          return sum + difference * difference
        }
      }
    }
    return Double(sum) / Double(a.pixels.count)
  }

  /// Peak signal-to-noise ratio in dB for 8 bits; infinite for no error.
  package static func psnr(meanSquaredError error: Double) -> Double {
    10 * log10(255 * 255 / error)
  }

  /// Pixels across and down that SSIM needs.
  package static let window = 11

  /// Structural similarity of Wang et al. (2004): an 11x11 Gaussian window of standard deviation
  /// 1.5, K1 = 0.01, K2 = 0.03, averaged where the window fits into the picture. Both pictures
  /// have one size of at least 11x11.
  package static func ssim(_ a: Luma, _ b: Luma) -> Double {
    precondition(a.width == b.width && a.height == b.height, "pictures of two sizes")
    precondition(a.width >= window && a.height >= window, "a picture smaller than the window")
    let (width, height) = (a.width, a.height)
    func blurred(_ value: (Int) -> Float) -> [Float] {
      blur((0..<width * height).map(value), width: width, height: height)
    }
    let meanA = blurred { a.values[$0] }
    let meanB = blurred { b.values[$0] }
    let squareA = blurred { a.values[$0] * a.values[$0] }
    let squareB = blurred { b.values[$0] * b.values[$0] }
    let product = blurred { a.values[$0] * b.values[$0] }
    let (c1, c2): (Double, Double) = (2.55 * 2.55, 7.65 * 7.65)  // (K1 255)^2, (K2 255)^2
    var sum = 0.0
    for index in meanA.indices {
      let (x, y) = (Double(meanA[index]), Double(meanB[index]))
      let varianceX = Double(squareA[index]) - x * x
      let varianceY = Double(squareB[index]) - y * y
      let covariance = Double(product[index]) - x * y
      sum +=
        (2 * x * y + c1) * (2 * covariance + c2)
        / ((x * x + y * y + c1) * (varianceX + varianceY + c2))
    }
    return sum / Double(meanA.count)
  }

  private static let gaussian: [Float] = {
    let weights: [Double] = (0..<window).map { index in
      let offset = Double(index - window / 2)
      return exp(-offset * offset / (2 * 1.5 * 1.5))
    }
    let sum = weights.reduce(0, +)
    return weights.map { Float($0 / sum) }
  }()

  /// Along rows, then along columns; the result is smaller by the window less one on each side.
  private static func blur(_ values: [Float], width: Int, height: Int) -> [Float] {
    let inner = width - window + 1
    var rows = [Float](repeating: 0, count: inner * height)
    for y in 0..<height {
      for x in 0..<inner {
        var sum: Float = 0
        for (offset, weight) in gaussian.enumerated() {
          sum += weight * values[y * width + x + offset]
        }
        rows[y * inner + x] = sum
      }
    }
    var result = [Float](repeating: 0, count: inner * (height - window + 1))
    for y in 0...(height - window) {
      for (offset, weight) in gaussian.enumerated() {
        for x in 0..<inner { result[y * inner + x] += weight * rows[(y + offset) * inner + x] }
      }
    }
    return result
  }
}
