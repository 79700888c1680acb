import Tracks

/// How the scene behind the objects has moved since a key picture.
///
/// The key picture is moved to where the scene should be now and compared with what is there, so
/// that nothing adds up from frame to frame.
struct SceneMotion {
  /// Windows across and down that are compared.
  private static let guides = PointGrid(columns: 40, rows: 25)
  /// Texture that a window needs to be compared: edges are enough.
  private static let leastTexture: Float = 1e-4
  /// Halvings of the size, for what the last motion does not foretell.
  private static let levels = 3

  /// From the key picture's pixels to the present one's.
  private(set) var fromKey = Homography.identity
  /// From the last picture's pixels to the present one's.
  private(set) var step = Homography.identity
  /// The key picture.
  private(set) var key: GreyPyramid
  /// Share of the present picture that the key picture shows as well.
  private(set) var overlap: Float = 1
  private let window: Int
  private let places: [SIMD2<Float>]

  /// Begins with a picture as the key.
  init(key: GreyPyramid, window: Int) {
    (self.key, self.window) = (key, window)
    places = Self.guides.points(width: key.width, height: key.height).map {
      SIMD2(Float($0.x), Float($0.y))
    }
  }

  /// Makes the present picture the key; the motion goes on.
  mutating func renew(key: GreyPyramid) {
    (self.key, fromKey, overlap) = (key, .identity, 1)
  }

  /// Follows the scene to the next picture, and gives the key picture as it should look there.
  mutating func follow(to next: GreyPyramid) throws(TrackError) -> GreyPyramid {
    let before = fromKey
    fromKey = step * fromKey
    // The second time the windows are in place, and their perspective is right.
    for _ in 0..<2 {
      let atRest = step == .identity && fromKey == before
      let correction = try motion(from: view(), to: next, atRest: atRest)
      if correction == .identity { break }
      fromKey = correction * fromKey
    }
    step = fromKey == before ? .identity : fromKey * before.inverse
    return try view()
  }

  /// Whether the key picture shows what is at a place of the present one, with its window.
  func isInKey(_ place: SIMD2<Float>) -> Bool {
    guard let home = fromKey.inverse(place) else { return false }
    let margin = Float(window) / 2
    return home.x > margin && home.y > margin && home.x < Float(key.width) - margin
      && home.y < Float(key.height) - margin
  }

  private func view() throws(TrackError) -> GreyPyramid {
    try key.moved(by: fromKey, window: window, levels: Self.levels)
  }

  private mutating func motion(
    from view: GreyPyramid, to next: GreyPyramid, atRest: Bool
  ) throws(TrackError) -> Homography {
    let inside = places.filter(isInKey)
    overlap = Float(inside.count) / Float(places.count)
    let found = try view.follow(
      inside, to: next, window: window, levels: Self.levels, leastEigenvalue: Self.leastTexture)
    let texture = view.texture(at: inside, window: window)
    let samples = inside.indices.filter { found.found[$0] }.map {
      DominantMotion.Sample(
        place: inside[$0], step: found.positions[$0] - inside[$0], texture: texture[$0])
    }
    return DominantMotion(samples, width: key.width, height: key.height, atRest: atRest).homography
  }
}
