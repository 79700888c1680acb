/// Points sorted into square cells, to find those near a place.
struct NearbyPoints {
  private let points: [SIMD2<Float>]
  private let cell: Float
  private var members: [SIMD2<Int32>: [Int]] = [:]

  /// Sorts points into cells of a side in pixels.
  init(_ points: [SIMD2<Float>], cell: Float) {
    (self.points, self.cell) = (points, cell)
    for index in points.indices { members[key(points[index]), default: []].append(index) }
  }

  /// Up to `count` indices, nearest first, from the place's cell and `rings` cells around it.
  func nearest(to place: SIMD2<Float>, count: Int, rings: Int32) -> [Int] {
    let center = key(place)
    var found: [(index: Int, distance: Float)] = []
    for dy in -rings...rings {
      for dx in -rings...rings {
        for index in members[center &+ SIMD2(dx, dy)] ?? [] {
          let offset = points[index] - place
          found.append((index, (offset * offset).sum()))
        }
      }
    }
    return found.sorted { $0.distance < $1.distance }.prefix(count).map(\.index)
  }

  private func key(_ point: SIMD2<Float>) -> SIMD2<Int32> {
    let limit = SIMD2<Float>(repeating: 1e6)
    let scaled = (point / cell).rounded(.down).clamped(lowerBound: -limit, upperBound: limit)
    return SIMD2<Int32>(scaled)
  }
}
