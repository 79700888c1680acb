/// The motion of a plane (or of a turning camera) that most points share.
///
/// To second order a plane moves by eight numbers: `step = (a + b x + c y + x (g x + h y),
/// d + e x + f y + y (g x + h y))` (Longuet-Higgins and Prazdny, 1980). It stands in where there is
/// no texture to follow, such as plain ground under a moving camera.
struct DominantMotion {
  private var coefficients = [Double](repeating: 0, count: 8)
  private let center: SIMD2<Double>
  private let scale: Double

  /// Fits steps at points; nil for fewer than 12 of them.
  ///
  /// Reweighted least squares, from the median step, with Geman-McClure weights: points that move
  /// otherwise (objects in front) lose their say.
  init?(points: [SIMD2<Float>], steps: [SIMD2<Float>], width: Int, height: Int) {
    guard points.count >= 12 else { return nil }
    center = SIMD2(Double(width), Double(height)) / 2
    scale = Double(max(width, height)) / 2
    func median(_ values: [Float]) -> Double { Double(values.sorted()[values.count / 2]) }
    coefficients[0] = median(steps.map(\.x))
    coefficients[3] = median(steps.map(\.y))
    // The width of the weights shrinks to half a pixel, which finds the largest group first.
    for width in [8.0, 4, 2, 1, 0.5, 0.5] {
      var normal = [[Double]](repeating: [Double](repeating: 0, count: 9), count: 8)
      for (point, step) in zip(points, steps) {
        let rows = Self.rows(place(point))
        let error = SIMD2<Double>(step) - apply(rows)
        let ratio = (error * error).sum() / (width * width)
        let weight = 1 / ((1 + ratio) * (1 + ratio))
        Self.add(rows.x, Double(step.x), weight, to: &normal)
        Self.add(rows.y, Double(step.y), weight, to: &normal)
      }
      guard let solved = Self.solve(normal) else { return nil }
      coefficients = solved
    }
  }

  /// The step at a point.
  func step(at point: SIMD2<Float>) -> SIMD2<Float> {
    SIMD2<Float>(apply(Self.rows(place(point))))
  }

  private func place(_ point: SIMD2<Float>) -> SIMD2<Double> {
    (SIMD2<Double>(point) - center) / scale
  }

  /// What each coefficient adds to the step across and to the step down.
  private static func rows(_ p: SIMD2<Double>) -> (x: SIMD8<Double>, y: SIMD8<Double>) {
    (
      [1, p.x, p.y, 0, 0, 0, p.x * p.x, p.x * p.y],
      [0, 0, 0, 1, p.x, p.y, p.x * p.y, p.y * p.y]
    )
  }

  private func apply(_ rows: (x: SIMD8<Double>, y: SIMD8<Double>)) -> SIMD2<Double> {
    let numbers = SIMD8<Double>(coefficients)
    return SIMD2((rows.x * numbers).sum(), (rows.y * numbers).sum())
  }

  private static func add(
    _ row: SIMD8<Double>, _ value: Double, _ weight: Double, to normal: inout [[Double]]
  ) {
    for i in 0..<8 where row[i] != 0 {
      for j in 0..<8 { normal[i][j] += weight * row[i] * row[j] }
      normal[i][8] += weight * row[i] * value
    }
  }

  /// Gauss-Jordan with pivots on eight equations, the right side in the last column.
  private static func solve(_ equations: [[Double]]) -> [Double]? {
    var rows = equations
    for column in 0..<8 {
      guard let pivot = (column..<8).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
        abs(rows[pivot][column]) > 1e-9
      else { return nil }
      rows.swapAt(column, pivot)
      for row in 0..<8 where row != column {
        let factor = rows[row][column] / rows[column][column]
        for j in column..<9 { rows[row][j] -= factor * rows[column][j] }
      }
    }
    return (0..<8).map { rows[$0][8] / rows[$0][$0] }
  }
}
