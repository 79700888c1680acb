import Tracks

// Letters: C latent channels, H W latent grid, r pixel frames of one latent frame.

/// Latent trajectory guidance: the first picture's latent, carried along the tracks (after Wan-Move,
/// 2512.08765, section 3.2).
///
/// Each cell takes the displacement of the tracks near it, blended by distance, and reads the first
/// latent there, bilinearly. Cells that no track is near show the first latent as it is.
final class TrajectoryGuidance {
  /// Cells that a track's displacement reaches.
  private let reach: Float
  private let grid: PictureSize
  /// Pixels of one cell along each side.
  private let cell: Float
  /// Where each track was first visible, by id, in cells.
  private let origins: [Int: (x: Float, y: Float)]
  private var points: [TrackPoint] = []
  private var sums: [Int: (x: Float, y: Float, count: Float)] = [:]
  private var order: [Int] = []
  /// Sums over the tracks near each cell: weight, weight times displacement.
  private var weights: [Float]
  private var across: [Float]
  private var down: [Float]

  /// A track this close to a cell's centre, in cells, counts as being there.
  private static let nearest: Float = 0.25

  /// `origins`: where each track was first visible, in pixels.
  init(grid: PictureSize, cellSize: Int, reach: Double, origins: [Int: TrackPoint]) {
    self.grid = grid
    self.reach = Float(reach)
    cell = Float(cellSize)
    let cell = cell
    self.origins = origins.mapValues { (x: $0.x / cell, y: $0.y / cell) }
    weights = Array(repeating: 0, count: grid.count)
    across = weights
    down = weights
  }

  /// Writes `first` [C, H*W] as the tracks move it by pixel frames `frames` into `output`
  /// [C, H*W]. `sample` fills an array with the points of a pixel frame, in pixels.
  func carry(
    _ first: Matrix, frames: Range<Int>, into output: Matrix,
    sample: (_ frame: Int, _ points: inout [TrackPoint]) -> Void
  ) {
    gather(frames, sample)
    spread()
    for index in 0..<grid.count {
      let weight = weights[index]
      let moved = weight > 0
      let x = Float(index % grid.width) - (moved ? across[index] / weight : 0)
      let y = Float(index / grid.width) - (moved ? down[index] / weight : 0)
      read(first, x: x, y: y, into: output, index: index)
    }
  }

  /// The mean visible place of every track, in cells.
  private func gather(_ frames: Range<Int>, _ sample: (Int, inout [TrackPoint]) -> Void) {
    sums.removeAll(keepingCapacity: true)
    order.removeAll(keepingCapacity: true)
    let (width, height) = (Float(grid.width), Float(grid.height))
    for frame in frames {
      sample(frame, &points)
      for point in points where point.visible {
        let (x, y) = (point.x / cell, point.y / cell)
        guard x >= 0, x < width, y >= 0, y < height else { continue }
        if let sum = sums[point.id] {
          sums[point.id] = (sum.x + x, sum.y + y, sum.count + 1)
        } else {
          sums[point.id] = (x, y, 1)
          order.append(point.id)
        }
      }
    }
  }

  /// Adds every track's displacement to the cells it reaches, by Franke and Little's weights
  /// ((reach - d) / (reach d))^2 of the distance d: the nearest track rules.
  private func spread() {
    for index in weights.indices {
      weights[index] = 0
      across[index] = 0
      down[index] = 0
    }
    for id in order {
      guard let sum = sums[id], let origin = origins[id] else { continue }
      let (x, y) = (sum.x / sum.count, sum.y / sum.count)
      let (moveX, moveY) = (x - origin.x, y - origin.y)
      for row in near(y, grid.height) {
        let dy = Float(row) + 0.5 - y
        for column in near(x, grid.width) {
          let dx = Float(column) + 0.5 - x
          let distance = (dx * dx + dy * dy).squareRoot()
          guard distance < reach else { continue }
          let share = (reach - distance) / (reach * max(distance, Self.nearest))
          let index = row * grid.width + column
          weights[index] += share * share
          across[index] += share * share * moveX
          down[index] += share * share * moveY
        }
      }
    }
  }

  /// The rows or columns that a track at `place` may reach.
  private func near(_ place: Float, _ count: Int) -> Range<Int> {
    let from = max(0, Int((place - reach).rounded(.down)))
    return from..<max(from, min(count, Int((place + reach).rounded(.up)) + 1))
  }

  /// Column `index` of `output`: `first` between the cells around (x, y), counted from the centre of
  /// the first cell; beyond the border it stays as at the border.
  private func read(_ first: Matrix, x: Float, y: Float, into output: Matrix, index: Int) {
    let x = min(max(x, 0), Float(grid.width - 1))
    let y = min(max(y, 0), Float(grid.height - 1))
    let (left, top) = (min(Int(x), max(grid.width - 2, 0)), min(Int(y), max(grid.height - 2, 0)))
    let right = min(left + 1, grid.width - 1)
    let bottom = min(top + 1, grid.height - 1)
    let (u, v) = (x - Float(left), y - Float(top))
    for channel in 0..<first.rows {
      let row = first.base + channel * first.stride
      let upper = row[top * grid.width + left] * (1 - u) + row[top * grid.width + right] * u
      let lower = row[bottom * grid.width + left] * (1 - u) + row[bottom * grid.width + right] * u
      output.base[channel * output.stride + index] = upper * (1 - v) + lower * v
    }
  }
}
