// Letters: H W picture size, P = H*W pixels.

/// Fills what a picture does not show from around: averages over squares of 2, 4, 8, ... pixels, the
/// smallest that hold something to tell.
struct FillingPyramid {
  private struct Level {
    let size: PictureSize
    let colour, weight: Tensor  // [P, 3], [P]
  }

  private let levels: [Level]
  init(_ size: PictureSize) {
    var levels: [Level] = []
    var next = size
    while true {
      levels.append(Level(size: next, colour: Tensor(next.count, 3), weight: Tensor(next.count)))
      if max(next.height, next.width) <= 1 { break }
      next = PictureSize(height: (next.height + 1) / 2, width: (next.width + 1) / 2)
    }
    self.levels = levels
  }

  /// What each pixel is worth, [P], to be set before filling: 0 where there is nothing to see.
  var weight: UnsafeMutablePointer<Float> { levels[0].weight.pointer }

  /// Gives the pixels of frame [P, 3] whose weight is 0 a colour.
  func fill(_ frame: Matrix, pool: Pool) {
    let first = levels[0]
    let (width, weights, colours) = (
      first.size.width, first.weight.pointer, first.colour.pointer
    )
    guard (0..<first.size.count).contains(where: { weights[$0] == 0 }) else { return }
    pool.run(first.size.height) { row in
      for pixel in row * width..<(row + 1) * width {
        let isHeld = weights[pixel] > 0
        for channel in 0..<3 {
          colours[3 * pixel + channel] =
            isHeld ? frame.base[pixel * frame.stride + channel] : 0
        }
      }
    }
    for (fine, coarse) in zip(levels, levels.dropFirst()) {
      pool.run(coarse.size.height) { Self.gather(fine, into: coarse, row: $0) }
    }
    for (fine, coarse) in zip(levels, levels.dropFirst()).reversed() {
      pool.run(fine.size.height) { Self.spread(coarse, into: fine, row: $0) }
    }
    pool.run(first.size.height) { row in
      for pixel in row * width..<(row + 1) * width where weights[pixel] == 0 {
        for channel in 0..<3 {
          frame.base[pixel * frame.stride + channel] = colours[3 * pixel + channel]
        }
      }
    }
  }

  /// Averages two rows of a level to one of the next.
  private static func gather(_ fine: Level, into coarse: Level, row: Int) {
    let (weights, colours) = (fine.weight.pointer, fine.colour.pointer)
    let width = fine.size.width
    let top = 2 * row * width
    let bottom = 2 * row + 1 < fine.size.height ? top + width : nil
    /// Weight and weighted colour of a column, down first, as the reference adds.
    func column(_ x: Int) -> (Float, Float, Float, Float) {
      let (pixel, weight) = (top + x, weights[top + x])
      var sum = (
        weight, colours[3 * pixel] * weight, colours[3 * pixel + 1] * weight,
        colours[3 * pixel + 2] * weight
      )
      if let bottom {
        let (pixel, weight) = (bottom + x, weights[bottom + x])
        sum.0 += weight
        sum.1 += colours[3 * pixel] * weight
        sum.2 += colours[3 * pixel + 1] * weight
        sum.3 += colours[3 * pixel + 2] * weight
      }
      return sum
    }
    for x in 0..<coarse.size.width {
      var sum = column(2 * x)
      if 2 * x + 1 < width {
        let other = column(2 * x + 1)
        sum = (sum.0 + other.0, sum.1 + other.1, sum.2 + other.2, sum.3 + other.3)
      }
      let pixel = row * coarse.size.width + x
      let total = max(sum.0, 1e-30)
      coarse.colour.pointer[3 * pixel] = sum.1 / total
      coarse.colour.pointer[3 * pixel + 1] = sum.2 / total
      coarse.colour.pointer[3 * pixel + 2] = sum.3 / total
      coarse.weight.pointer[pixel] = min(sum.0, 1)
    }
  }

  /// Gives the pixels of a row, as far as they lack weight, the colour of the next level, widened
  /// linearly.
  private static func spread(_ coarse: Level, into fine: Level, row: Int) {
    let (width, height) = (coarse.size.width, coarse.size.height)
    let source = coarse.colour.pointer
    let (weights, colours) = (fine.weight.pointer, fine.colour.pointer)
    let near = 3 * width * (row / 2)
    let other =
      3 * width * (row % 2 == 0 ? max(row / 2 - 1, 0) : min(row / 2 + 1, height - 1))
    for x in 0..<fine.size.width {
      let pixel = row * fine.size.width + x
      let weight = weights[pixel]
      guard weight < 1 else { continue }
      let column = 3 * (x / 2)
      let beside = 3 * (x % 2 == 0 ? max(x / 2 - 1, 0) : min(x / 2 + 1, width - 1))
      for channel in 0..<3 {
        let here = 0.75 * source[near + column + channel] + 0.25 * source[other + column + channel]
        let next = 0.75 * source[near + beside + channel] + 0.25 * source[other + beside + channel]
        let around = 0.75 * here + 0.25 * next
        colours[3 * pixel + channel] = weight * colours[3 * pixel + channel] + (1 - weight) * around
      }
    }
  }
}
