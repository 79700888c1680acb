package import Tracks

// Letters: C latent channels, H W latent grid.

/// Latent trajectory guidance: the first picture's latent, carried along the tracks (after Wan-Move,
/// 2512.08765, section 3.2).
///
/// Each cell takes the displacement of the tracks near it, blended by distance, and reads the first
/// latent there, bilinearly. Cells that no track is near show the first latent as it is; cells whose
/// content has moved away, or that would show what went another way, are filled from the cells around
/// them, or zero. Only tracks that are seen in the first picture count.
package final class TrajectoryGuidance {
  /// A track in the frame at hand, all in cells.
  private struct Guide {
    let startX, startY: Float
    var seen = Places()
    var hidden = Places()
    /// Whether the track says anything about this frame.
    var isSpecified = false
  }

  /// The sum of some places on the canvas, and how many they are.
  private struct Places {
    var x: Float = 0
    var y: Float = 0
    var count: Float = 0
  }

  /// Sums over the tracks near each cell.
  private struct Cell {
    /// Of tracks that are there now: weight, weight times displacement.
    var weight: Float = 0
    var across: Float = 0
    var down: Float = 0
    /// Of tracks that started there: weight of those that have moved away, of those that stand.
    var leaves: Float = 0
    var stays: Float = 0
    /// Of tracks that started there and are somewhere: weight, weight times displacement.
    var started: Float = 0
    var wentAcross: Float = 0
    var wentDown: Float = 0
    /// What the cell shows: the first latent where it was, or moved, or nothing.
    var shows = Content.standing
  }

  private enum Content { case standing, moved, nothing }

  private let grid: PictureSize
  /// Pixels of one cell along each side.
  private let cellSize: Float
  /// Cells that a track's displacement reaches.
  private let reach: Float
  /// The cells around a vacated one that fill it, and their weights.
  private let filling: [(across: Int, down: Int, weight: Float)]
  private var guides: [Guide]
  private let guideOfID: [Int: Int]
  private var points: [TrackPoint] = []
  private var cells: [Cell]

  /// A track this close to a cell's centre, in cells, counts as being there.
  private static let nearest: Float = 0.25
  /// A track that is no further from its start, in cells, has not moved away.
  private static let stands: Float = 0.5
  /// Tracks whose displacements differ by more, in cells, may go different ways ...
  private static let strays: Float = 2
  /// ... if most near a place do: they differ by this share of how far they go.
  private static let most: Float = 0.75
  /// Weight of a track that is hidden: it moves what nothing seen is near to move. The object may
  /// only have turned.
  private static let hiddenWeight: Float = 0.01

  /// `start`: the points of the first picture, in its pixels. `fill`: how many cells away from a
  /// vacated cell those that fill it may be; without it vacated cells are zero.
  package init(
    grid: PictureSize, cellSize: Int, reach: Double, fill: Double? = nil, start: [TrackPoint]
  ) {
    self.grid = grid
    self.cellSize = Float(cellSize)
    self.reach = Float(reach)
    filling = fill.map { Self.filling(reach: Float($0)) } ?? []
    var guides: [Guide] = []
    var guideOfID: [Int: Int] = [:]
    for point in start where point.visible {
      let (x, y) = (point.x / self.cellSize, point.y / self.cellSize)
      guard grid.holds(x, y) else { continue }
      guideOfID[point.id] = guides.count
      guides.append(Guide(startX: x, startY: y))
    }
    (self.guides, self.guideOfID) = (guides, guideOfID)
    cells = Array(repeating: Cell(), count: grid.count)
  }

  /// Writes `first` [C, H*W] as the tracks move it by pixel frames `frames` into `output`
  /// [C, H*W]. `sample` fills an array with the points of a pixel frame, in pixels.
  package func carry(
    _ first: Matrix, frames: Range<Int>, into output: Matrix,
    sample: (_ frame: Int, _ points: inout [TrackPoint]) -> Void
  ) {
    gather(frames, sample)
    spread()
    for index in cells.indices {
      let cell = cells[index]
      let (x, y) = (Float(index % grid.width), Float(index / grid.width))
      let moveX = cell.weight > 0 ? cell.across / cell.weight : 0
      let moveY = cell.weight > 0 ? cell.down / cell.weight : 0
      let isStanding = Self.length(moveX, moveY) <= Self.stands
      if isStanding && cell.leaves > cell.stays || isForeign(x - moveX, y - moveY, moveX, moveY) {
        cells[index].shows = .nothing
        for channel in 0..<output.rows { output.base[channel * output.stride + index] = 0 }
      } else {
        cells[index].shows = isStanding ? .standing : .moved
        read(first, x: x - moveX, y: y - moveY, into: output, index: index)
      }
    }
    if !filling.isEmpty { fill(output) }
  }

  /// Whether the tracks that started at a place went another way than the one that brings it here.
  private func isForeign(_ x: Float, _ y: Float, _ moveX: Float, _ moveY: Float) -> Bool {
    let column = min(max(Int(x.rounded(.toNearestOrEven)), 0), grid.width - 1)
    let row = min(max(Int(y.rounded(.toNearestOrEven)), 0), grid.height - 1)
    let source = cells[row * grid.width + column]
    guard source.started > 0 else { return false }
    let (across, down) = (
      source.wentAcross / source.started, source.wentDown / source.started
    )
    let far = Self.most * max(Self.length(across, down), Self.length(moveX, moveY))
    return Self.length(across - moveX, down - moveY) > max(far, Self.strays)
  }

  /// Gives vacated cells the mean of those near them: of the ones that stand, or where there are
  /// none, of all.
  private func fill(_ output: Matrix) {
    for index in cells.indices where cells[index].shows == .nothing {
      if !fill(index, of: output, from: { $0 == .standing }) {
        _ = fill(index, of: output, from: { $0 != .nothing })
      }
    }
  }

  /// Fills one cell from those that show the like; false if there are none within reach.
  private func fill(_ index: Int, of output: Matrix, from isSource: (Content) -> Bool) -> Bool {
    let (column, row) = (index % grid.width, index / grid.width)
    var total: Float = 0
    for near in filling {
      let (x, y) = (column + near.across, row + near.down)
      guard x >= 0, y >= 0, x < grid.width, y < grid.height else { continue }
      let source = y * grid.width + x
      guard isSource(cells[source].shows) else { continue }
      total += near.weight
      for channel in 0..<output.rows {
        let values = output.base + channel * output.stride
        values[index] += near.weight * values[source]
      }
    }
    guard total > 0 else { return false }
    for channel in 0..<output.rows { output.base[channel * output.stride + index] /= total }
    return true
  }

  /// Offsets less than `reach` cells away, with weights ((reach - d) / (reach d))^4 of their
  /// distance d.
  private static func filling(reach: Float) -> [(across: Int, down: Int, weight: Float)] {
    let steps = Int(reach.rounded(.up)) - 1
    guard steps > 0 else { return [] }
    return (-steps...steps).flatMap { down in
      (-steps...steps).compactMap { across in
        let distance = length(Float(across), Float(down))
        guard distance > 0, distance < reach else { return nil }
        let share = (reach - distance) / (reach * distance)
        return (across, down, share * share * share * share)
      }
    }
  }

  /// Where every track is in the frames.
  private func gather(_ frames: Range<Int>, _ sample: (Int, inout [TrackPoint]) -> Void) {
    for index in guides.indices {
      (guides[index].seen, guides[index].hidden) = (Places(), Places())
      guides[index].isSpecified = false
    }
    for frame in frames {
      sample(frame, &points)
      for point in points {
        guard let index = guideOfID[point.id] else { continue }
        guides[index].isSpecified = true
        let (x, y) = (point.x / cellSize, point.y / cellSize)
        guard grid.holds(x, y) else { continue }
        let places = point.visible ? \Guide.seen : \Guide.hidden
        guides[index][keyPath: places].x += x
        guides[index][keyPath: places].y += y
        guides[index][keyPath: places].count += 1
      }
    }
  }

  /// Adds every track to the cells near it now, and near where it started.
  private func spread() {
    for index in cells.indices { cells[index] = Cell() }
    for guide in guides where guide.isSpecified {
      var isAway = true
      let isSeen = guide.seen.count > 0
      let places = isSeen ? guide.seen : guide.hidden
      if places.count > 0 {
        let (x, y) = (places.x / places.count, places.y / places.count)
        let (moveX, moveY) = (x - guide.startX, y - guide.startY)
        isAway = Self.length(moveX, moveY) > Self.stands
        let strength = isSeen ? 1 : Self.hiddenWeight
        forEachCell(near: guide.startX, guide.startY) { cell, weight in
          cell.started += weight
          cell.wentAcross += weight * moveX
          cell.wentDown += weight * moveY
        }
        forEachCell(near: x, y) { cell, nearness in
          let weight = nearness * strength
          cell.weight += weight
          cell.across += weight * moveX
          cell.down += weight * moveY
        }
      }
      forEachCell(near: guide.startX, guide.startY) { cell, weight in
        if isAway { cell.leaves += weight } else { cell.stays += weight }
      }
    }
  }

  /// Calls `body` with every cell within reach of a place and its weight, Franke and Little's
  /// ((reach - d) / (reach d))^2 of the distance d: the nearest place rules.
  private func forEachCell(near x: Float, _ y: Float, _ body: (inout Cell, Float) -> Void) {
    for row in within(y, grid.height) {
      for column in within(x, grid.width) {
        let distance = Self.length(Float(column) + 0.5 - x, Float(row) + 0.5 - y)
        guard distance < reach else { continue }
        let share = (reach - distance) / (reach * max(distance, Self.nearest))
        body(&cells[row * grid.width + column], share * share)
      }
    }
  }

  /// The rows or columns that may lie within reach of a place.
  private func within(_ place: Float, _ count: Int) -> Range<Int> {
    let from = max(0, Int((place - reach).rounded(.down)))
    return from..<max(from, min(count, Int((place + reach).rounded(.up)) + 1))
  }

  private static func length(_ x: Float, _ y: Float) -> Float { (x * x + y * y).squareRoot() }

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

extension PictureSize {
  /// Whether a place in cells lies on the grid.
  fileprivate func holds(_ x: Float, _ y: Float) -> Bool {
    x >= 0 && y >= 0 && x < Float(width) && y < Float(height)
  }
}
