/// What points enclose, seen from 16 directions.
struct Hull {
  /// How far the points go in each direction.
  private var limits: SIMD16<Float>
  /// A pixel in each direction.
  private static let pixel: SIMD16<Float> = {
    let quarter: SIMD4<Float> = [
      1, Float(5.0.squareRoot()), Float(2.0.squareRoot()), Float(5.0.squareRoot()),
    ]
    let half = SIMD8(lowHalf: quarter, highHalf: quarter)
    return SIMD16(lowHalf: half, highHalf: half)
  }()

  /// `reach`: how many times the distance between the points, were they spread evenly over an ellipse
  /// between the outermost, it goes beyond them, and a pixel; not at all if 0.
  init(_ points: [SIMD2<Float>], reach: Double = 0) {
    limits = SIMD16(repeating: -.infinity)
    for point in points {
      limits = limits.replacing(with: Self.across(point), where: Self.across(point) .> limits)
    }
    guard reach > 0 else { return }
    let (wide, high) = (Double(limits[0] + limits[8]), Double(limits[4] + limits[12]))
    let spacing = (Double.pi / 4 * wide * high / Double(points.count)).squareRoot()
    limits += Float(reach * spacing + 1) * Self.pixel
  }

  @inline(__always)
  func encloses(_ place: SIMD2<Float>) -> Bool { all(Self.across(place) .<= limits) }

  /// The rows and the columns of a picture whose pixels' centres may be enclosed.
  func rows(_ size: PictureSize) -> Range<Int> { Self.range(-limits[12], limits[4], size.height) }
  func columns(_ size: PictureSize) -> Range<Int> { Self.range(-limits[8], limits[0], size.width) }

  private static func range(_ from: Float, _ to: Float, _ count: Int) -> Range<Int> {
    let (first, last) = (Int(max(from - 1, 0)), Int(min(max(to + 1, 0), Float(count))))
    return min(first, last)..<last
  }

  @inline(__always)
  private static func across(_ place: SIMD2<Float>) -> SIMD16<Float> {
    let (x, y) = (place.x, place.y)
    let half = SIMD8(x, 2 * x + y, x + y, x + 2 * y, y, 2 * y - x, y - x, y - 2 * x)
    return SIMD16(lowHalf: half, highHalf: -half)
  }
}
