import Tracks

/// Which cells of the latent grid a point falls on, and with what weight. Coordinates are float32
/// pixels of the output picture, as the network was trained with.
struct TrackPlacement: Sendable {
  /// Size of the latent grid.
  let grid: PictureSize
  /// Pixels of one cell along each side.
  let cellSize: Int
  /// How a point picks its cells.
  let rule: TrackRules.CellRule

  /// Calls `body` with each cell (row-major index) and its weight, none of them zero. A point
  /// outside the picture has no cell under any rule.
  @inline(__always)
  func forEachCell(_ point: TrackPoint, _ body: (_ cell: Int, _ weight: Float) -> Void) {
    let size = Float(cellSize)
    let (width, height) = (Float(grid.width) * size, Float(grid.height) * size)
    guard point.x >= 0, point.x < width, point.y >= 0, point.y < height else { return }
    switch rule {
    case .floor:
      body(Int(point.y / size) * grid.width + Int(point.x / size), 1)
    case .roundGrid:
      let row = (point.y / height * Float(grid.height - 1)).rounded(.toNearestOrEven)
      let column = (point.x / width * Float(grid.width - 1)).rounded(.toNearestOrEven)
      body(Int(row) * grid.width + Int(column), 1)
    case .bilinear:
      let (x, y) = (point.x / size - 0.5, point.y / size - 0.5)
      let (left, top) = (x.rounded(.down), y.rounded(.down))
      let rows = (1 - (y - top), y - top)
      let columns = (1 - (x - left), x - left)
      add(Int(top), Int(left), rows.0 * columns.0, body)
      add(Int(top), Int(left) + 1, rows.0 * columns.1, body)
      add(Int(top) + 1, Int(left), rows.1 * columns.0, body)
      add(Int(top) + 1, Int(left) + 1, rows.1 * columns.1, body)
    }
  }

  /// What falls off the grid is lost: weights near the border sum to less than one.
  @inline(__always)
  private func add(_ row: Int, _ column: Int, _ weight: Float, _ body: (Int, Float) -> Void) {
    guard weight != 0, row >= 0, row < grid.height, column >= 0, column < grid.width else { return }
    body(row * grid.width + column, weight)
  }
}
