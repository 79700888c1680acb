/// How far what moves as most of a picture does moves: a quadratic function of the place in it, which
/// those samples tell that agree (Geman and McClure 1987).
struct UsualMove {
  private let size: PictureSize
  /// Of 1, x, y, x^2, x*y, y^2 (`terms`); the rest is 0.
  private var across, down: SIMD8<Double>

  private static let termCount = 6
  /// Of finding the function.
  private static let rounds = 8
  /// Samples that miss by so many medians, squared, tell little; pixels that count as such a miss at
  /// least.
  private static let (typical, apart) = (4.0, 2.0)
  /// Share of the samples that what was found before counts as.
  private static let stiff = 1e-3

  /// `moves` [P, 2]: how far each pixel has moved.
  init(_ moves: UnsafeMutablePointer<Float>, _ size: PictureSize) {
    self.size = size
    var samples: [(terms: SIMD8<Double>, x: Double, y: Double)] = []
    for row in stride(from: 0, to: size.height, by: 8) {
      for column in stride(from: 0, to: size.width, by: 8) {
        let pixel = row * size.width + column
        let move = (Double(moves[2 * pixel]), Double(moves[2 * pixel + 1]))
        samples.append((Self.terms(row, column, size), move.0, move.1))
      }
    }
    let middle = (samples.count - 1) / 2
    (across, down) = (.zero, .zero)
    (across[0], down[0]) = (samples.map(\.x).sorted()[middle], samples.map(\.y).sorted()[middle])
    let stiff = Self.stiff * Double(samples.count)
    for _ in 0..<Self.rounds {
      let missed = samples.map { sample in
        let x = sample.x - (sample.terms * across).sum()
        let y = sample.y - (sample.terms * down).sum()
        return x * x + y * y
      }
      let limit = max(
        Self.typical * Self.value(missed, at: middle), Self.apart * Self.apart)
      var left = [SIMD8<Double>](repeating: .zero, count: Self.termCount)
      var right = (0..<Self.termCount).map { stiff * SIMD2(across[$0], down[$0]) }
      for row in 0..<Self.termCount { left[row][row] = stiff }
      for (sample, missed) in zip(samples, missed) {
        let share = 1 + missed / limit
        let weighted = sample.terms / (share * share)
        for row in 0..<Self.termCount {
          left[row] += weighted[row] * sample.terms
          right[row] += weighted[row] * SIMD2(sample.x, sample.y)
        }
      }
      (across, down) = Self.solved(left, right)
    }
  }

  /// What would be at a place were the values sorted (Hoare 1961).
  private static func value(_ values: [Double], at place: Int) -> Double {
    var values = values
    return values.withUnsafeMutableBufferPointer { values in
      var (low, high) = (0, values.count - 1)
      while low < high {
        let pivot = values[(low + high) / 2]
        var (left, right) = (low, high)
        while left <= right {
          while values[left] < pivot { left += 1 }
          while values[right] > pivot { right -= 1 }
          if left <= right {
            values.swapAt(left, right)
            (left, right) = (left + 1, right - 1)
          }
        }
        if place <= right {
          high = right
        } else if place >= left {
          low = left
        } else {
          break
        }
      }
      return values[place]
    }
  }

  /// Writes how far what moves so has moved from every pixel of the first picture [P].
  func write(to usual: Buffer<SIMD2<Float>>, pool: Pool) {
    let (size, across, down) = (size, across, down)
    pool.run(size.height) { row in
      for column in 0..<size.width {
        let terms = Self.terms(row, column, size)
        usual[row * size.width + column] = SIMD2(
          Float((terms * across).sum()), Float((terms * down).sum()))
      }
    }
  }

  @inline(__always)
  private static func terms(_ row: Int, _ column: Int, _ size: PictureSize) -> SIMD8<Double> {
    let x = Double((Float(column) + 0.5) / Float(size.width) * 2 - 1)
    let y = Double((Float(row) + 0.5) / Float(size.height) * 2 - 1)
    return SIMD8(1, x, y, x * x, x * y, y * y, 0, 0)
  }

  /// What is on the left is positive definite: elimination needs no other order.
  private static func solved(
    _ left: [SIMD8<Double>], _ right: [SIMD2<Double>]
  ) -> (SIMD8<Double>, SIMD8<Double>) {
    var (left, right) = (left, right)
    for row in 0..<termCount {
      for below in row + 1..<termCount {
        let share = left[below][row] / left[row][row]
        left[below] -= share * left[row]
        right[below] -= share * right[row]
      }
    }
    var (across, down) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    for row in (0..<termCount).reversed() {
      for column in row + 1..<termCount { right[row] -= left[row][column] * right[column] }
      right[row] /= left[row][row]
      (across[row], down[row]) = (right[row].x, right[row].y)
    }
    return (across, down)
  }
}
