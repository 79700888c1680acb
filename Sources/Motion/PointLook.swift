import Frames

/// The small patches of colour by which a point is known again: `side` x `side` pixels, RGB.
enum PointLook {
  private static let radius = 2
  /// Numbers in one look.
  static let count = (2 * radius + 1) * (2 * radius + 1) * 3

  /// The look of a point (corner origin), edges repeated.
  static func read(_ frame: RGBFrame, at point: SIMD2<Float>) -> [Float] {
    var look = [Float](repeating: 0, count: count)
    frame.pixels.withUnsafeBufferPointer { pixels in
      var index = 0
      for dy in -radius...radius {
        for dx in -radius...radius {
          let x = min(max(point.x - 0.5 + Float(dx), 0), Float(frame.width - 1))
          let y = min(max(point.y - 0.5 + Float(dy), 0), Float(frame.height - 1))
          let (left, top) = (Int(x), Int(y))
          let right = min(left + 1, frame.width - 1)
          let bottom = min(top + 1, frame.height - 1)
          let (u, v) = (x - Float(left), y - Float(top))
          for channel in 0..<3 {
            let a = Float(pixels[(top * frame.width + left) * 3 + channel])
            let b = Float(pixels[(top * frame.width + right) * 3 + channel])
            let c = Float(pixels[(bottom * frame.width + left) * 3 + channel])
            let d = Float(pixels[(bottom * frame.width + right) * 3 + channel])
            look[index] = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v
            index += 1
          }
        }
      }
    }
    return look
  }

  /// Mean absolute difference of two looks.
  static func difference(_ a: ArraySlice<Float>, _ b: [Float]) -> Float {
    zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(count)
  }
}
