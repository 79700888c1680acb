/// A point on its way through a clip.
package struct FollowedPoint {
  /// Its number.
  package let id: Int
  /// Where it is or, while it is hidden, should be.
  package private(set) var place: SIMD2<Float>
  /// Frames since it was last seen.
  private(set) var framesHidden = 0
  /// Where it is in the key picture.
  var home: SIMD2<Float>
  /// Whether it belongs to the scene behind the objects, as every point does until it moves otherwise.
  var isScene = true

  /// Coordinates are kept to 1/64 pixel, finer than the method and far shorter to write.
  private static let stepsPerPixel: Float = 64

  /// A point that is seen in its first frame, which is the key picture.
  package init(id: Int, place: SIMD2<Float>) {
    (self.id, self.place, home) = (id, place, place)
  }

  /// Whether it is seen now.
  var isSeen: Bool { framesHidden == 0 }
  /// Where it is, as the tracks say it.
  var writtenPlace: SIMD2<Float> {
    (place * Self.stepsPerPixel).rounded(.toNearestOrEven) / Self.stepsPerPixel
  }

  /// Goes to the next frame.
  package mutating func move(to place: SIMD2<Float>, isSeen: Bool) {
    self.place = place
    framesHidden = isSeen ? 0 : framesHidden + 1
  }
}
