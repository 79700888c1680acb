import MotionStream
import Testing
import Tracks

@Suite struct TrajectoryGuidanceTests {
  private let grid = PictureSize(height: 6, width: 9)

  /// Two channels that tell every cell apart.
  private var first: Tensor {
    Tensor([2, 54], values: (0..<108).map { Float($0 % 54) + ($0 < 54 ? 0 : 1000) })
  }

  /// What is carried when each track goes from its first point to its second.
  private func carried(
    _ tracks: [(from: (Float, Float), to: (Float, Float))], reach: Double = 3, fill: Double? = nil,
    shown: Bool = true, fromStart: Bool = true
  ) -> Tensor {
    func point(_ id: Int, _ place: (Float, Float), _ visible: Bool) -> TrackPoint {
      TrackPoint(id: id, x: place.0, y: place.1, visible: visible)
    }
    let start = tracks.enumerated().map { point($0, $1.from, fromStart) }
    let guidance = TrajectoryGuidance(
      grid: grid, cellSize: 4, reach: reach, fill: fill, start: start)
    let result = Tensor(2, 54)
    guidance.carry(first.matrix, frames: 1..<5, into: result.matrix) { _, points in
      points = tracks.enumerated().map { point($0, $1.to, shown) }
    }
    return result
  }

  @Test("Standing tracks, those not seen at the start, and none leave the first latent as it is")
  func standing() {
    #expect(carried([]).values == first.values)
    #expect(carried([((10, 10), (10, 10)), ((30, 20), (30, 20))]).values == first.values)
    #expect(carried([((10, 10), (22, 10))], fromStart: false).values == first.values)
  }

  @Test("What a track leaves behind is empty, up to what stands; off the canvas too")
  func left() {
    // The track starts at cell (1, 1); one at (4, 1) stands and keeps the half next to it.
    let places: [(to: (Float, Float), shown: Bool)] = [((30, 22), true), ((-3, 10), true)]
    for place in places {
      let values = carried([((6, 6), place.to), ((18, 6), (18, 6))], shown: place.shown).values
      #expect([0, 1, 2].allSatisfy { values[9 + $0] == 0 && values[54 + 9 + $0] == 0 })
      #expect([3, 4, 5, 6].allSatisfy { values[9 + $0] == Float(9 + $0) })
    }
    #expect(carried([((6, 6), (-3, 22))], shown: false).values[9 + 1] == 0)
  }

  @Test("A hidden track carries its cell where no seen track is near")
  func hidden() {
    let whole = carried([((10, 6), (22, 14))], shown: false)
    #expect(abs(whole.values[3 * 9 + 5] - 11) < 1e-4)
  }

  @Test("A track takes its cell along by whole and by half cells, in all channels")
  func moved() {
    // Cell (2, 1) goes to (5, 3): 12 pixels to the right, 8 down.
    let whole = carried([((10, 6), (22, 14))])
    #expect(abs(whole.values[3 * 9 + 5] - 11) < 1e-4)
    #expect(abs(whole.values[54 + 3 * 9 + 5] - 1011) < 1e-3)
    // Half a cell to the right: cell (3, 1) shows what lay between cells (2, 1) and (3, 1).
    let half = carried([((14, 6), (16, 6))])
    #expect(abs(half.values[9 + 3] - 11.5) < 1e-4)
  }

  @Test("A displacement ends at its reach")
  func reach() {
    let values = carried([((6, 10), (26, 10))], reach: 1.5).values
    let touched = (0..<54).filter { values[$0] != Float($0) }
    // Cells whose centre is less than 1.5 cells from (1.5, 2.5), now empty, or from (6.5, 2.5).
    let columns = [0, 1, 2, 5, 6, 7]
    #expect(touched == [1, 2, 3].flatMap { row in columns.map { row * 9 + $0 } })
  }

  @Test("Between two tracks the nearer one rules")
  func nearest() {
    let values = carried([((6, 10), (10, 10)), ((30, 10), (26, 10))], reach: 6).values
    #expect(abs(values[2 * 9 + 2] - 19) < 0.05)
    #expect(abs(values[2 * 9 + 6] - 25) < 0.05)
  }

  @Test("What would come from beyond the border is what lies at the border")
  func border() {
    let values = carried([((2, 10), (10, 10))]).values
    #expect(abs(values[2 * 9] - 18) < 1e-4)
  }

  @Test("What is left behind is filled from what stands near it, and from nothing that moved")
  func filled() {
    // Cell (1, 2) and those less than 1.5 cells from its place leave for (6, 2).
    let track: [(from: (Float, Float), to: (Float, Float))] = [((6, 10), (26, 10))]
    let (empty, full) = (
      carried(track, reach: 1.5).values, carried(track, reach: 1.5, fill: 2).values
    )
    let vacated = (0..<54).filter { empty[$0] == 0 && $0 > 0 }
    for index in 0..<54 where !vacated.contains(index) { #expect(full[index] == empty[index]) }
    // Cell (2, 1) sees (2, 0), (1, 0), (3, 0) above and (3, 1), (3, 2) beside it, which stand.
    func weight(_ distance: Float) -> Float {
      let share = (2 - distance) / (2 * distance)
      return share * share * share * share
    }
    let (near, far) = (weight(1), weight(Float(2).squareRoot()))
    let expected = (near * (2 + 12) + far * (1 + 3 + 21)) / (2 * near + 3 * far)
    #expect(abs(full[9 + 2] - expected) < 1e-3)
    #expect(abs(full[54 + 9 + 2] - expected - 1000) < 1e-2)
    // Further in than the filling reaches, there is nothing to fill from.
    #expect(vacated.contains(2 * 9 + 1))
  }

  @Test("A cell does not show what went another way")
  func foreign() {
    // The first track brings column 1 to column 6; the second takes column 2 away, downwards. Where
    // the first would bring column 2 as well, there is nothing.
    let values = carried([((6, 6), (26, 6)), ((10, 6), (10, 22))], reach: 1.5).values
    #expect(abs(values[9 + 6] - 10) < 1)
    #expect(values[9 + 7] == 0)
  }
}
