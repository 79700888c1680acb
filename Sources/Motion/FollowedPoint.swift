import Tracks

/// A point on its way through a clip.
struct FollowedPoint {
  /// Its number.
  let id: Int
  /// Frame in which it began.
  let startFrame: Int
  /// Where it is or, while it is hidden, should be: one place a frame.
  private(set) var path: [SIMD2<Float>]
  /// Whether it is seen there.
  private var seen: [Bool]
  /// Where it is in the key picture.
  var home: SIMD2<Float>
  /// Whether it belongs to the scene behind the objects, as every point does until it moves otherwise.
  var isScene = true

  /// Coordinates are kept to 1/64 pixel, finer than the method and far shorter to write.
  private static let stepsPerPixel: Float = 64

  /// A point that is seen in its first frame, which is the key picture.
  init(id: Int, startFrame: Int, place: SIMD2<Float>) {
    (self.id, self.startFrame, path, seen, home) = (id, startFrame, [place], [true], place)
  }

  /// Where it is now.
  var place: SIMD2<Float> { path[path.count - 1] }
  /// Whether it is seen now.
  var isSeen: Bool { seen[seen.count - 1] }
  /// Frames since it was last seen.
  var framesHidden: Int { seen.reversed().prefix { !$0 }.count }

  /// Adds a frame.
  mutating func move(to place: SIMD2<Float>, isSeen: Bool) {
    path.append(place)
    seen.append(isSeen)
  }

  /// The track up to the last frame in which the point was seen.
  var track: Track {
    let count = path.count - framesHidden
    let places = path.prefix(count).map { place -> TrackPosition? in
      let rounded = (place * Self.stepsPerPixel).rounded(.toNearestOrEven) / Self.stepsPerPixel
      return TrackPosition(x: Double(rounded.x), y: Double(rounded.y))
    }
    let visibility =
      seen.prefix(count).allSatisfy { $0 } ? Visibility.always : Visibility(seen.prefix(count))
    return Track(id: id, startFrame: startFrame, motion: .points(places), visibility: visibility)
  }
}
