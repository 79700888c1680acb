public import Tracks

/// Turns a moving camera and the depth of its first picture into point tracks.
public struct CameraTracks: Sendable {
  /// Canvas of the tracks in pixels.
  public var width: Int
  /// Canvas of the tracks in pixels.
  public var height: Int
  /// Depth of the first picture; nil is a plane at depth 1 that faces the first camera.
  public var depth: DepthMap?

  /// Share of its depth by which a point may lie behind what is drawn there and still be seen:
  /// what neighbouring pixels of a steep surface differ by.
  private static let tolerance = 0.05
  /// Depth of the sky, in medians: so far that only turning moves it.
  private static let skyMedians = 1e6
  /// The largest square that one depth pixel is drawn as, from its middle.
  private static let largestSplat = 8.0

  /// Collects canvas and depth.
  public init(width: Int, height: Int, depth: DepthMap?) {
    (self.width, self.height, self.depth) = (width, height, depth)
  }

  /// What `orbit` goes around: the median depth, or the plane's.
  public var pivot: Double { depth?.median ?? 1 }

  /// Tracks of the surface points at `places` of the first picture.
  ///
  /// A point is null where it lies behind the camera, and hidden where another surface of the first
  /// picture stands before it. What the first picture does not show cannot hide anything.
  ///
  /// - Parameter views: the camera at every frame, 1 or more; the first one took the picture.
  /// - Returns: tracks with the ids of their places; places of unknown depth are left out and
  ///   counted.
  public func tracks(
    _ places: [TrackPosition], views: [CameraView]
  ) -> (tracks: [Track], withoutDepth: Int) {
    precondition(!views.isEmpty, "no views")
    var points: [(id: Int, world: SIMD3<Double>)] = []
    for (id, place) in places.enumerated() {
      guard let depth = surfaceDepth(at: place) else { continue }
      points.append((id, views[0].unproject(place, depth: depth)))
    }
    var paths = [[TrackPosition?]](repeating: [], count: points.count)
    var seen = [[Bool]](repeating: [], count: points.count)
    let scene = surface(views[0])
    for view in views {
      let nearest = depth == nil ? nil : buffer(scene, first: views[0], view)
      for (index, point) in points.enumerated() {
        guard let (place, depth) = view.project(point.world),
          abs(place.x) <= TrackLimits.coordinate, abs(place.y) <= TrackLimits.coordinate
        else {
          paths[index].append(nil)
          seen[index].append(false)
          continue
        }
        paths[index].append(place)
        let (column, row) = (Int(place.x.rounded(.down)), Int(place.y.rounded(.down)))
        let inside = (0..<width).contains(column) && (0..<height).contains(row)
        let front = inside ? nearest?[row * width + column] ?? .infinity : 0
        seen[index].append(inside && depth <= front * (1 + Self.tolerance))
      }
    }
    let tracks = points.indices.map { index in
      Track(
        id: points[index].id, motion: .points(paths[index]),
        visibility: seen[index].allSatisfy { $0 } ? .always : Visibility(seen[index]))
    }
    return (tracks, places.count - points.count)
  }

  private func surfaceDepth(at place: TrackPosition) -> Double? {
    guard let depth else { return 1 }
    let value = depth.at(place, canvas: (width, height))
    if value.isFinite { return value > 0 ? value : nil }
    return pivot * Self.skyMedians
  }

  /// The world points of all depth pixels with their depths in the first picture, sky left out.
  private func surface(_ first: CameraView) -> [(world: SIMD3<Double>, depth: Double)] {
    guard let depth else { return [] }
    let scale = (
      x: Double(width) / Double(depth.width), y: Double(height) / Double(depth.height)
    )
    return depth.values.indices.compactMap { index in
      let value = depth.values[index]
      guard value > 0, value.isFinite else { return nil }
      let place = TrackPosition(
        x: (Double(index % depth.width) + 0.5) * scale.x,
        y: (Double(index / depth.width) + 0.5) * scale.y)
      return (first.unproject(place, depth: value), value)
    }
  }

  /// Depth of what stands in front at every pixel of the canvas, infinite where nothing does.
  ///
  /// Each depth pixel is drawn as a square as large as it appears, so that coming closer opens no
  /// holes.
  private func buffer(
    _ scene: [(world: SIMD3<Double>, depth: Double)], first: CameraView, _ view: CameraView
  ) -> [Double] {
    var nearest = [Double](repeating: .infinity, count: width * height)
    let pixel = depth.map {
      max(Double(width) / Double($0.width), Double(height) / Double($0.height))
    }
    let zoom = view.intrinsics.focalX / first.intrinsics.focalX * (pixel ?? 1) / 2
    for point in scene {
      guard let (place, depth) = view.project(point.world) else { continue }
      let half = min(max(zoom * point.depth / depth, 0.5), Self.largestSplat)
      let columns = span(place.x, half, width)
      for row in span(place.y, half, height) {
        for column in columns where nearest[row * width + column] > depth {
          nearest[row * width + column] = depth
        }
      }
    }
    return nearest
  }

  /// The pixels whose middles lie within `half` of a place, inside the canvas.
  private func span(_ place: Double, _ half: Double, _ size: Int) -> Range<Int> {
    let low = min(max((place - half - 0.5).rounded(.up), 0), Double(size))
    let high = min(max((place + half - 0.5).rounded(.down) + 1, low), Double(size))
    return Int(low)..<Int(high)
  }
}
