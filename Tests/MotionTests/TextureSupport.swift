import Foundation
import Frames

/// Smooth random texture that can be looked up at any place: sums of waves, different per channel.
struct WaveTexture {
  private let waves: [(fx: Double, fy: Double, phase: Double, channel: Int)]

  init(seed: UInt64) {
    var state = seed
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    waves = (0..<36).map { index in
      (0.7 * (next() - 0.5) * 2, 0.7 * (next() - 0.5) * 2, 2 * .pi * next(), index % 3)
    }
  }

  /// 0 to 255 per channel.
  func color(_ x: Double, _ y: Double) -> SIMD3<Double> {
    var sum = SIMD3<Double>(repeating: 128)
    for wave in waves { sum[wave.channel] += 22 * sin(wave.fx * x + wave.fy * y + wave.phase) }
    return sum.clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 255))
  }
}

/// A picture from a colour at every pixel middle.
func picture(
  _ width: Int, _ height: Int, _ color: (Double, Double) -> SIMD3<Double>
) -> RGBFrame {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      let value = color(Double(x) + 0.5, Double(y) + 0.5)
      for channel in 0..<3 { pixels.append(UInt8(value[channel].rounded())) }
    }
  }
  return RGBFrame(width: width, height: height, pixels: pixels)
}
