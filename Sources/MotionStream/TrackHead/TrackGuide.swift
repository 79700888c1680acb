/// A track that is seen in the first picture, in its pixels: where it is in the frame at hand, and how
/// what is around it moves.
struct TrackGuide {
  let startX, startY: Float
  // In the frame at hand.
  var x: Float = 0
  var y: Float = 0
  var isSeen = false
  /// Whether the track says anything about this frame.
  var isSpecified = false
  var move: (x: Float, y: Float) = (0, 0)
  var start: SIMD2<Float> { SIMD2(startX, startY) }
  var place: SIMD2<Float> { SIMD2(x, y) }
  /// Whether it moves unlike most of the picture.
  var isAlone = false
  /// The number of what turns that it is of, or -1.
  var turning = -1
  /// How the move changes with the place: across by x and y, down by x and y.
  var gradient: (Float, Float, Float, Float) = (0, 0, 0, 0)

  init(startX: Float, startY: Float) { (self.startX, self.startY) = (startX, startY) }

  /// A track near another one's start: where from there, and how far.
  struct Neighbour {
    let guide: Int
    let x, y, distance: Float
  }

  /// Tracks around a track that tell how it turns and grows ...
  private static let neighbourCount = 8
  /// ... unless they part by more than this share of their distance,
  private static let strain: Float = 0.3
  /// or by more than so many pixels: then they are on different things.
  private static let parts: Float = 6
  /// Square pixels; so few or near tracks say little about turning.
  private static let stiff: Float = 16
  /// Pixels that hidden tracks count as further away.
  static let hidden: Float = 16
  /// Pixels that sides of one thing, and tracks near each other, may part by more than they were apart.
  private static let slack: Float = 2

  /// Of the places `starts` those nearest to one of them.
  static func neighbours(of index: Int, among starts: [(x: Float, y: Float)]) -> [Neighbour] {
    var nearest: [Neighbour] = []  // the track itself is among them
    for (other, start) in starts.enumerated() {
      let (x, y) = (start.x - starts[index].x, start.y - starts[index].y)
      let distance = length(x, y)
      if nearest.count > neighbourCount, distance >= nearest[neighbourCount].distance { continue }
      let place = nearest.firstIndex { $0.distance > distance } ?? nearest.count
      nearest.insert(Neighbour(guide: other, x: x, y: y, distance: distance), at: place)
      if nearest.count > neighbourCount + 1 { nearest.removeLast() }
    }
    return Array(nearest.dropFirst())
  }

  /// Finds the gradient: least squares over the neighbours among `guides`.
  mutating func turn(among guides: Buffer<TrackGuide>, _ neighbours: [Neighbour]) {
    var (a, b, c): (Float, Float, Float) = (0, 0, 0)
    var (xByX, yByX, xByY, yByY): (Float, Float, Float, Float) = (0, 0, 0, 0)
    for near in neighbours where guides[near.guide].isSpecified {
      let other = guides[near.guide].move
      let (x, y) = (other.x - move.x, other.y - move.y)
      guard Self.length(x, y) <= min(Self.strain * near.distance, Self.parts) + 0.5 else {
        continue
      }
      let weight = 1 / (near.distance + 4)
      a += weight * near.x * near.x
      b += weight * near.x * near.y
      c += weight * near.y * near.y
      xByX += weight * x * near.x
      yByX += weight * y * near.x
      xByY += weight * x * near.y
      yByY += weight * y * near.y
    }
    a += Self.stiff
    c += Self.stiff
    let scale = a * c - b * b
    gradient = (
      (c * xByX - b * xByY) / scale, (a * xByY - b * xByX) / scale,
      (c * yByX - b * yByY) / scale, (a * yByY - b * yByX) / scale
    )
  }

  /// Pixels to a place in the frame at hand; hidden tracks count as further away.
  @inline(__always)
  func distance(toX x: Float, _ y: Float) -> Float {
    let distance = Self.length(x - self.x, y - self.y)
    return isSeen ? distance : distance + Self.hidden
  }

  /// Whether both move unlike most and part by no more than they were apart, as sides of a thing that
  /// turns do; of one whose outline is not known.
  @inline(__always)
  func isOfTheSameThing(as other: TrackGuide) -> Bool {
    guard isSpecified, isAlone, other.isAlone, turning < 0, other.turning < 0 else { return false }
    let apart = Self.length(startX - other.startX, startY - other.startY)
    return isLinked(to: other, apart)
  }

  /// Whether this and a track that started so far from it have parted by little.
  @inline(__always)
  func isLinked(to other: TrackGuide, _ apart: Float) -> Bool {
    parted(from: other) <= apart + Self.slack
  }

  /// Pixels by which the moves of this and another track differ.
  @inline(__always)
  func parted(from other: TrackGuide) -> Float {
    Self.length(move.x - other.move.x, move.y - other.move.y)
  }

  /// Of each track the lowest number of a track that it is linked to, by way of others too.
  static func parts(
    _ neighbours: [[Neighbour]], where isLinked: (Int, Neighbour) -> Bool
  ) -> [Int] {
    var first = Array(neighbours.indices)
    func root(_ index: Int) -> Int {
      var index = index
      while first[index] != index { index = first[index] }
      return index
    }
    for one in neighbours.indices {
      for near in neighbours[one] where isLinked(one, near) {
        let (a, b) = (root(one), root(near.guide))
        first[max(a, b)] = min(a, b)
      }
    }
    return neighbours.indices.map(root)
  }

  static func length(_ x: Float, _ y: Float) -> Float { (x * x + y * y).squareRoot() }

  /// The square of the length: where it is larger, the length is no less.
  @inline(__always)
  static func squared(_ away: SIMD2<Float>) -> Float { away.x * away.x + away.y * away.y }
}
