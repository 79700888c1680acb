public import Frames
import Glibc

/// Brings a picture to another size with a windowed sinc (Lanczos, three lobes).
///
/// The filter widens with the reduction, so that shrinking averages what it drops. The result is
/// computed in one fixed order and does not depend on threads.
public enum ImageScaler {
  /// Scales `frame` to `width` x `height` as `fit` says; a border left by `.pad` is black.
  public static func scale(
    _ frame: RGBFrame, toWidth width: Int, height: Int, fit: ImageFit
  ) -> RGBFrame {
    precondition(width > 0 && height > 0, "scaling to \(width)x\(height)")
    if frame.width == width, frame.height == height { return frame }
    let map = fit.transform(
      from: (width: Double(frame.width), height: Double(frame.height)),
      to: (width: width, height: height))
    let across = Taps(source: frame.width, output: width, scale: map.scaleX, offset: map.offsetX)
    let down = Taps(source: frame.height, output: height, scale: map.scaleY, offset: map.offsetY)
    let rows = filterRows(frame, across)  // [H, width, 3]
    return filterColumns(rows, width: width, down)
  }

  private static func filterRows(_ frame: RGBFrame, _ taps: Taps) -> [Float] {
    let width = taps.starts.count
    return [Float](unsafeUninitializedCapacity: frame.height * width * 3) { out, filled in
      frame.pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<frame.height {
          for x in 0..<width {
            var sum = SIMD4<Float>.zero
            var source = (y * frame.width + taps.starts[x]) * 3
            for tap in x * taps.count..<(x + 1) * taps.count {
              let pixel = SIMD4<Float>(
                Float(pixels[source]), Float(pixels[source + 1]), Float(pixels[source + 2]), 0)
              sum += pixel * taps.weights[tap]
              source += 3
            }
            let target = (y * width + x) * 3
            for c in 0..<3 { out[target + c] = sum[c] }
          }
        }
      }
      filled = frame.height * width * 3
    }
  }

  private static func filterColumns(_ rows: [Float], width: Int, _ taps: Taps) -> RGBFrame {
    let (height, rowSize) = (taps.starts.count, width * 3)
    var sums = [Float](repeating: 0, count: rowSize)
    let bytes = [UInt8](unsafeUninitializedCapacity: height * rowSize) { out, filled in
      for y in 0..<height {
        for i in 0..<rowSize { sums[i] = 0 }
        for tap in 0..<taps.count {
          let weight = taps.weights[y * taps.count + tap]
          let source = (taps.starts[y] + tap) * rowSize
          for i in 0..<rowSize { sums[i] += rows[source + i] * weight }
        }
        for i in 0..<rowSize {
          out[y * rowSize + i] = UInt8(min(max(sums[i] + 0.5, 0), 255))
        }
      }
      filled = height * rowSize
    }
    return RGBFrame(width: width, height: height, pixels: bytes)
  }
}

extension ImageScaler {
  /// Which source samples make each output sample along one axis, and with what weight.
  private struct Taps {
    /// The first source sample of each output sample.
    private(set) var starts: [Int]
    /// Samples per output sample.
    let count: Int
    /// [output, count]; each row sums to 1, or to 0 where the output lies outside the source.
    private(set) var weights: [Float]

    init(source: Int, output: Int, scale: Double, offset: Double) {
      let lobes = 3.0
      let stretch = max(1, 1 / scale)
      let support = lobes * stretch
      count = min(source, Int(support.rounded(.up)) * 2 + 1)
      starts = [Int](repeating: 0, count: output)
      weights = [Float](repeating: 0, count: output * count)
      for i in 0..<output {
        let centre = (Double(i) + 0.5 - offset) / scale
        guard centre >= 0, centre <= Double(source) else { continue }
        starts[i] = min(max(0, Int((centre - support).rounded(.down))), source - count)
        let raw = (0..<count).map { tap in
          let distance = (Double(starts[i] + tap) + 0.5 - centre) / stretch
          return abs(distance) < lobes ? Self.sinc(distance) * Self.sinc(distance / lobes) : 0
        }
        let total = raw.reduce(0, +)
        for tap in 0..<count { weights[i * count + tap] = Float(raw[tap] / total) }
      }
    }

    private static func sinc(_ x: Double) -> Double {
      x == 0 ? 1 : sin(Double.pi * x) / (Double.pi * x)
    }
  }
}
