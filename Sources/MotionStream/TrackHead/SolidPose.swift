/// Where a solid is in a frame.
///
/// Seen from afar, wherever a solid moves and however it turns and grows, the places of its points are
/// linear in (x, y, z) (Tomasi and Kanade 1992, section 2): four pairs of numbers, by least squares
/// over its tracks, the hidden ones too.
struct SolidPose {
  /// What a pixel to the right, down and towards the viewer becomes.
  let right, down, near: SIMD2<Double>
  /// Where what is at the solid's centre is, in its outline's plane.
  let centre: SIMD2<Double>
  /// How much larger the solid is.
  let scale: Double
  /// Pixels from each of its tracks to where the solid's point is; 0 of tracks that say nothing.
  let missed: [Double]
  /// Which tracks told this.
  let told: [Bool]
  /// Pixels that a track is, at most, from where it would be, had the solid not turned.
  private let turned: Double
  private let solid: Solid

  /// How much larger one solid is along one way than across it, and the share of its tracks that agree.
  private static let (stretched, agreed) = (1.25, 0.9)
  /// Square pixels of a track; so near ones say little about turning.
  private static let rigid = 0.1
  /// Tracks that miss by so many medians, and pixels more, do not tell how a solid moves.
  private static let (typical, spare) = (4.0, 0.7)
  private static let refits = 3
  /// Share of the half axes that tracks of a solid miss by, and pixels more.
  private static let (fits, rough) = (0.06, 0.5)
  /// How much smaller and larger a solid may become.
  private static let (smallest, largest) = (0.4, 2.5)
  /// Share of the half axes, and pixels, that a track of what turns is from where it would be ...
  private static let (share, stirred) = (0.15, 2.0)
  /// ... and by how much it has grown, times this: what comes nearer looks as if it turned.
  private static let nearer = 1.25

  /// Told by the tracks that agree; nil if too few say anything about the frame.
  init?(_ solid: Solid, _ guides: Buffer<TrackGuide>) {
    let specified = solid.members.map { guides[$0].isSpecified }
    guard Self.count(specified) >= Solid.least else { return nil }
    var pose = SolidPose(solid, guides, specified: specified, told: specified)
    for _ in 0..<Self.refits {
      let missed = zip(pose.missed, pose.told).filter { $0.1 }.map { $0.0 }.sorted()
      let limit = Self.typical * missed[(missed.count - 1) / 2] + Self.spare
      let agree = zip(pose.missed, specified).map { $0 <= limit && $1 }
      guard Self.count(agree) >= Solid.least, agree != pose.told else { break }
      pose = SolidPose(solid, guides, specified: specified, told: agree)
    }
    self = pose
  }

  /// Least squares over the tracks `told`; a little for not turning.
  private init(_ solid: Solid, _ guides: Buffer<TrackGuide>, specified: [Bool], told: [Bool]) {
    let moved = solid.members.map {
      SIMD2(Double(guides[$0].x), Double(guides[$0].y)) - solid.centre
    }
    var equations = Equations()
    for (index, isTold) in told.enumerated() where isTold {
      equations.add(solid.points[index], moved[index])
    }
    let fit = equations.solved(stiff: Self.rigid * Double(Self.count(told)))
    let squares = fit[1] * fit[1] + fit[2] * fit[2] + fit[3] * fit[3]
    let scale = ((squares.x + squares.y) / 2).squareRoot()
    var missed: [Double] = []
    var turned = 0.0
    for (index, point) in solid.points.enumerated() {
      guard specified[index] else {
        missed.append(0)
        continue
      }
      let place = fit[0] + fit[1] * point.x + fit[2] * point.y + fit[3] * point.z
      missed.append(Self.length(place - moved[index]))
      turned = max(turned, Self.length(place - fit[0] - scale * SIMD2(point.x, point.y)))
    }
    (right, down, near, centre) = (fit[1], fit[2], fit[3], fit[0] + solid.centre)
    (self.scale, self.missed, self.told, self.turned) = (scale, missed, told, turned)
    self.solid = solid
  }

  /// Whether the tracks move as a solid's do: they miss by no more than `share` of what those may.
  func fits(_ share: Double = 1) -> Bool {
    let squares = zip(missed, told).reduce(0) { $1.1 ? $0 + $1.0 * $1.0 : $0 }
    let error = (squares / Double(Self.count(told))).squareRoot()
    return error <= share * (Self.fits * solid.half + Self.rough)
      && scale > Self.smallest && scale < Self.largest
  }

  /// Whether a track is where the solid's point is that it starts at.
  func meets(_ guide: TrackGuide) -> Bool {
    let point = solid.point(at: guide.start)
    let place = centre + (right * point.x + down * point.y + near * point.z)
    let away = place - SIMD2<Double>(guide.place)
    return Self.length(away) <= Self.fits * solid.half + Self.rough
  }

  /// Whether nearly all tracks say that this is one solid, as large along the picture as across: what
  /// turns does not stretch.
  var isOne: Bool {
    let x = SIMD3(right.x, down.x, near.x)
    let y = SIMD3(right.y, down.y, near.y)
    let (a, b, c) = ((x * x).sum(), (x * y).sum(), (y * y).sum())
    let (middle, half) = ((a + c) / 2, ((a - c) / 2 * ((a - c) / 2) + b * b).squareRoot())
    return middle + half <= Self.stretched * Self.stretched * (middle - half)
      && Double(Self.count(told)) >= Self.agreed * Double(told.count)
  }

  /// Whether the solid has turned.
  var turns: Bool {
    turned >= (Self.share + Self.nearer * abs(scale - 1)) * solid.half + Self.stirred
  }

  /// How far a point of the solid has moved.
  func move(_ point: SIMD3<Float>) -> SIMD2<Float> {
    let by = SIMD2<Float>(centre - solid.centre)
    let (right, down, near) = (SIMD2<Float>(right), SIMD2<Float>(down), SIMD2<Float>(near))
    return by + (right * point.x + down * point.y + near * point.z) - SIMD2(point.x, point.y)
  }

  /// Where the solid's outline was in the first picture.
  var origin: Origin {
    Origin(
      first: SIMD2<Float>(solid.centre), now: SIMD2<Float>(centre), scale: Float(scale))
  }

  /// From an outline to the one in the first picture.
  struct Origin {
    fileprivate let first, now: SIMD2<Float>
    fileprivate let scale: Float

    /// Where in the first picture is what the solid's outline shows at a place now, as if it had not
    /// turned.
    @inline(__always)
    func of(_ place: SIMD2<Float>) -> SIMD2<Float> { first + (place - now) / scale }
  }

  private static func count(_ marks: [Bool]) -> Int { marks.count { $0 } }

  private static func length(_ x: SIMD2<Double>) -> Double { (x * x).sum().squareRoot() }

  /// Normal equations of places that are linear in 1, x, y and z.
  private struct Equations {
    private var left = [SIMD4<Double>](repeating: .zero, count: 4)
    private var right = [SIMD2<Double>](repeating: .zero, count: 4)

    mutating func add(_ point: SIMD3<Double>, _ place: SIMD2<Double>) {
      let known = SIMD4(1, point.x, point.y, point.z)
      for row in 0..<4 {
        left[row] += known[row] * known
        right[row] += known[row] * place
      }
    }

    /// The four pairs of numbers, with `stiff` for x and y staying what they are. What is on the left
    /// is positive definite then: elimination needs no other order.
    func solved(stiff: Double) -> [SIMD2<Double>] {
      var (left, right) = (left, right)
      for row in 1..<4 { left[row][row] += stiff }
      right[1].x += stiff
      right[2].y += stiff
      for row in 0..<4 {
        for below in row + 1..<4 {
          let share = left[below][row] / left[row][row]
          left[below] -= share * left[row]
          right[below] -= share * right[row]
        }
      }
      for row in (0..<4).reversed() {
        for column in row + 1..<4 { right[row] -= left[row][column] * right[column] }
        right[row] /= left[row][row]
      }
      return right
    }
  }
}
