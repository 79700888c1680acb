/// The motion of a plane, of a turning or of a standing camera that most of the picture shares.
///
/// To second order a plane moves by eight numbers: `step = (a + b x + c y + x (g x + h y),
/// d + e x + f y + y (g x + h y))` (Longuet-Higgins and Prazdny, 1980). A window knows its step only
/// across its edges; all together know it everywhere, which is why stripes are enough.
struct DominantMotion {
  /// A measured step and what its window shows, so how much the step is worth in each direction.
  struct Sample {
    var place: SIMD2<Float>
    var step: SIMD2<Float>
    var texture: SIMD3<Float>
  }

  /// Squared grey change per pixel at which a window counts half: rounding to 8 bits makes less.
  private static let flatness: Float = 1
  /// Pixels across an edge up to which a step is explained.
  private static let tolerance = 0.25
  /// What going on as expected is favoured by: eight free numbers always explain more than none.
  private static let expectedBonus = 1.05
  /// The same for a scene at rest. There a motion must also explain this share of the picture: where
  /// there is little to see but an object, the eight numbers would rather follow that.
  private static let (restBonus, leastShare) = (2.0, 0.16)
  /// Parts of the picture that have the same say, however much or little they show.
  private static let (blocksAcross, blocksDown) = (8, 5)
  /// From how wide to how narrow the weights of a fit get, in pixels: near the expected motion, and
  /// ever farther from it, for when it changes at once. The narrow end finds the largest group.
  private static let schedules: [[Double]] = [
    [0.5, 0.5, 0.25], [2, 1, 0.5, 0.25], [8, 4, 2, 1, 0.5, 0.25],
  ]

  private var coefficients = SIMD8<Double>.zero
  private let center: SIMD2<Double>
  private let scale: Double

  /// Finds the motion beside the expected one that explains most of the picture; none is one that is
  /// tried. `atRest` says that the scene is expected to stand.
  init(_ samples: [Sample], width: Int, height: Int, atRest: Bool) {
    center = SIMD2(Double(width), Double(height)) / 2
    scale = Double(max(width, height)) / 2
    let rows = samples.map { sample in
      let place = SIMD2<Double>(sample.place)
      let column = min(
        Int(place.x / Double(width) * Double(Self.blocksAcross)), Self.blocksAcross - 1)
      let line = min(Int(place.y / Double(height) * Double(Self.blocksDown)), Self.blocksDown - 1)
      return Row(
        sample, at: (place - center) / scale, block: line * Self.blocksAcross + column)
    }
    let expected = Self.share(rows, coefficients)
    var best =
      atRest ? max(expected * Self.restBonus, Self.leastShare) : expected * Self.expectedBonus
    for schedule in Self.schedules {
      var fitted = SIMD8<Double>.zero
      for width in schedule { fitted = Self.fit(rows, from: fitted, width: width) ?? fitted }
      let share = Self.share(rows, fitted)
      if share > best { (best, coefficients) = (share, fitted) }
    }
  }

  /// The homography that is this motion to second order.
  var homography: Homography {
    if coefficients == .zero { return .identity }
    let c = coefficients / scale
    let centered = Homography(elements: [
      1 / scale, 0, -center.x / scale, 0, 1 / scale, -center.y / scale, 0, 0, 1,
    ])
    let motion = Homography(elements: [1 + c[1], c[2], c[0], c[4], 1 + c[5], c[3], -c[6], -c[7], 1])
    return centered.inverse * motion * centered
  }

  /// How far from explained a step is, in pixels across the window's edges, squared.
  static func mismatch(_ step: SIMD2<Float>, _ texture: SIMD3<Float>) -> Float {
    let seen = texture / (texture.x + texture.z + flatness)
    return seen.x * step.x * step.x + 2 * seen.y * step.x * step.y + seen.z * step.y * step.y
  }

  /// What each coefficient adds to a sample's step, and the sample itself.
  private struct Row {
    let across: SIMD8<Double>
    let down: SIMD8<Double>
    let step: SIMD2<Double>
    let texture: SIMD3<Double>
    let block: Int

    init(_ sample: Sample, at p: SIMD2<Double>, block: Int) {
      self.block = block
      across = [1, p.x, p.y, 0, 0, 0, p.x * p.x, p.x * p.y]
      down = [0, 0, 0, 1, p.x, p.y, p.x * p.y, p.y * p.y]
      step = SIMD2(sample.step)
      let grey = sample.texture
      texture = SIMD3(grey / (grey.x + grey.z + DominantMotion.flatness))
    }

    /// Geman-McClure: a step that is off by much more than `width` loses its say.
    func weight(_ coefficients: SIMD8<Double>, width: Double) -> Double {
      let x = (across * coefficients).sum() - step.x
      let y = (down * coefficients).sum() - step.y
      let error = texture.x * x * x + 2 * texture.y * x * y + texture.z * y * y
      let ratio = 1 + error / (width * width)
      return 1 / (ratio * ratio)
    }
  }

  /// Share of the picture, block by block, whose windows a motion explains.
  private static func share(_ rows: [Row], _ coefficients: SIMD8<Double>) -> Double {
    var explained = [Double](repeating: 0, count: blocksAcross * blocksDown)
    var shown = explained
    for row in rows {
      let say = row.texture.x + row.texture.z
      shown[row.block] += say
      explained[row.block] += say * row.weight(coefficients, width: tolerance)
    }
    // A block that shows nothing counts nothing, and one that shows little counts little.
    let shares = zip(explained, shown).map { $0 / ($1 + 2) }
    return shares.reduce(0, +) / Double(shares.count)
  }

  /// One step of reweighted least squares.
  private static func fit(_ rows: [Row], from start: SIMD8<Double>, width: Double) -> SIMD8<Double>?
  {
    var normal = [SIMD8<Double>](repeating: .zero, count: 8)
    var right = SIMD8<Double>.zero
    for row in rows {
      let weight = row.weight(start, width: width)
      let texture = row.texture * weight
      let across = texture.x * row.across + texture.y * row.down
      let down = texture.y * row.across + texture.z * row.down
      right += across * row.step.x + down * row.step.y
      for i in 0..<8 { normal[i] += row.across[i] * across + row.down[i] * down }
    }
    // What nothing shows stays as expected.
    for i in 0..<8 { normal[i][i] += 0.01 }
    return solve(normal, right)
  }

  /// Gauss-Jordan with pivots on eight equations.
  private static func solve(_ equations: [SIMD8<Double>], _ values: SIMD8<Double>) -> SIMD8<Double>?
  {
    var (rows, right) = (equations, values)
    for column in 0..<8 {
      guard let pivot = (column..<8).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
        abs(rows[pivot][column]) > 1e-9
      else { return nil }
      rows.swapAt(column, pivot)
      (right[column], right[pivot]) = (right[pivot], right[column])
      for row in 0..<8 where row != column {
        let factor = rows[row][column] / rows[column][column]
        rows[row] -= factor * rows[column]
        right[row] -= factor * right[column]
      }
    }
    for row in 0..<8 { right[row] /= rows[row][row] }
    return right
  }
}
