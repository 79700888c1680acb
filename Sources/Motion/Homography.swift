/// A map of the plane that keeps lines straight, as between two views of a plane.
struct Homography: Equatable {
  /// Nine numbers by rows; they act on (x, y, 1).
  var elements: [Double]

  /// Moves nothing.
  static let identity = Homography(elements: [1, 0, 0, 0, 1, 0, 0, 0, 1])

  /// Adds a number to both coordinates.
  static func shift(_ offset: Double) -> Homography {
    Homography(elements: [1, 0, offset, 0, 1, offset, 0, 0, 1])
  }

  /// The right one first.
  static func * (second: Homography, first: Homography) -> Homography {
    var product = [Double](repeating: 0, count: 9)
    for row in 0..<3 {
      for column in 0..<3 {
        for k in 0..<3 {
          product[3 * row + column] +=
            second.elements[3 * row + k] * first.elements[3 * k + column]
        }
      }
    }
    return Homography(elements: product).scaled()
  }

  /// The way back, by cofactors; its scale is free.
  var inverse: Homography {
    let e = elements
    return Homography(elements: [
      e[4] * e[8] - e[5] * e[7], e[2] * e[7] - e[1] * e[8], e[1] * e[5] - e[2] * e[4],
      e[5] * e[6] - e[3] * e[8], e[0] * e[8] - e[2] * e[6], e[2] * e[3] - e[0] * e[5],
      e[3] * e[7] - e[4] * e[6], e[1] * e[6] - e[0] * e[7], e[0] * e[4] - e[1] * e[3],
    ]).scaled()
  }

  /// Where a point goes; nil where it goes beyond the horizon.
  func callAsFunction(_ point: SIMD2<Float>) -> SIMD2<Float>? {
    let (x, y, e) = (Double(point.x), Double(point.y), elements)
    let depth = e[6] * x + e[7] * y + e[8]
    guard depth > 1e-3 else { return nil }
    let place = SIMD2(e[0] * x + e[1] * y + e[2], e[3] * x + e[4] * y + e[5]) / depth
    return SIMD2<Float>(place.clamped(lowerBound: [-1e4, -1e4], upperBound: [1e4, 1e4]))
  }

  private func scaled() -> Homography {
    Homography(elements: elements.map { $0 / elements[8] })
  }
}
