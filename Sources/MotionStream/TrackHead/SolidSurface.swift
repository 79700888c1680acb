/// What of a solid's pixels is asked for once it turns: many never do.
struct SolidSurface {
  /// The point of each.
  let points: Buffer<SIMD3<Float>>
  let around: Buffer<Around>

  /// The tracks nearest to a pixel, by their place among the solid's, and what each tells of how it is
  /// off where its point is.
  struct Around {
    let tracks: SIMD4<Int32>
    let shares: SIMD4<Float>
  }

  /// Square pixels; tracks nearer to a pixel than this tell as much.
  private static let blunt: Float = 4
  /// Pixels that are looked at in one go.
  private static let stretch = 256

  /// `width`: that of the picture.
  init(_ solid: Solid, _ guides: Buffer<TrackGuide>, width: Int, pool: Pool) {
    let (pixels, starts) = (solid.pixels, solid.members.map { guides[$0].start })
    let points = Buffer(repeating: SIMD3<Float>.zero, count: pixels.count)
    let around = Buffer(repeating: Around(tracks: .zero, shares: .zero), count: pixels.count)
    pool.run((pixels.count + Self.stretch - 1) / Self.stretch) { part in
      for index in part * Self.stretch..<min((part + 1) * Self.stretch, pixels.count) {
        let (row, column) = pixels[index].quotientAndRemainder(dividingBy: width)
        let place = SIMD2(Float(column), Float(row)) + 0.5
        points[index] = SIMD3<Float>(solid.point(at: place))
        around[index] = Self.nearest(starts, to: place)
      }
    }
    (self.points, self.around) = (points, around)
  }

  /// The four of places nearest to one, by their numbers, and their shares.
  private static func nearest(_ places: [SIMD2<Float>], to here: SIMD2<Float>) -> Around {
    var (tracks, distances) = (SIMD4<Int32>(repeating: 0), SIMD4<Float>(repeating: .infinity))
    var limit = Float.infinity  // squared, and a little more than that of the last
    for number in places.indices {
      let square = TrackGuide.squared(here - places[number])
      if square > limit { continue }
      let distance = square.squareRoot()
      guard distance < distances[3] else { continue }
      var slot = 3
      while slot > 0, distance < distances[slot - 1] {
        (tracks[slot], distances[slot]) = (tracks[slot - 1], distances[slot - 1])
        slot -= 1
      }
      (tracks[slot], distances[slot]) = (Int32(number), distance)
      limit = distances[3] * distances[3] * 1.0001
    }
    let weights = 1 / (distances * distances + blunt)
    return Around(
      tracks: tracks, shares: weights / (weights[0] + weights[1] + weights[2] + weights[3]))
  }
}
