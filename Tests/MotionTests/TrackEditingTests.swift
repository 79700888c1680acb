import Foundation
import Frames
import Motion
import Testing
import Tracks

private func line(_ id: Int, _ xs: [Double?], y: Double = 50) -> Track {
  Track(id: id, motion: .points(xs.map { $0.map { TrackPosition(x: $0, y: y) } }))
}

private func document(_ tracks: [Track], fps: Double = 16) -> TrackDocument {
  TrackDocument(width: 160, height: 96, fps: .number(fps), tracks: tracks)
}

@Suite struct TrackEditingTests {
  @Test func resamplingKeepsTime() throws {
    let slow = document([line(3, (0...120).map { Double($0) })], fps: 24)
    let result = try slow.resampled(fps: .number(16), frames: nil, name: "t")
    #expect(result.frameCount == 81)
    guard case .points(let points) = result.tracks[0].motion else { return }
    #expect(points.count == 81)
    #expect(points[80]?.x == 120)
    #expect(points[1]?.x == 1.5)
    #expect(result.tracks[0].id == 3)
  }

  @Test func resamplingKeepsHolesAndHidesWhatIsOffTheCanvas() throws {
    let result = try document([line(0, [10, nil, 30, 200])])
      .resampled(fps: .number(16), frames: 6, name: "t")
    guard case .points(let points) = result.tracks[0].motion else { return }
    #expect(points.map { $0?.x } == [10, nil, 30, 200, nil, nil])
    #expect(result.tracks[0].visibility.isVisible(at: 2))
    #expect(!result.tracks[0].visibility.isVisible(at: 3))
    try result.validate(name: "t")
  }

  @Test func endlessTracksNeedALength() {
    let endless = document([Track(id: 0, motion: .pinned(TrackPosition(x: 1, y: 1)))])
    #expect(throws: TrackError.self) {
      try endless.resampled(fps: .number(16), frames: nil, name: "t")
    }
  }

  @Test func aGridStandsInTheMiddlesOfItsCells() throws {
    let grid = try #require(PointGrid("4x2"))
    let still = grid.stillDocument(width: 160, height: 96, fps: .number(16), frames: nil)
    #expect(still.tracks.count == 8)
    #expect(still.tracks[5].motion == .pinned(TrackPosition(x: 60, y: 72)))
    #expect(PointGrid("4") == nil && PointGrid("0x2") == nil && PointGrid("99999x99999") == nil)
  }

  @Test func lintFindsWhatIsTooFastAndNothingElse() {
    let good = line(0, (0..<20).map { Double($0) * 7 })
    let fast = line(1, [10, 20, 33, 43])  // 13 pixels are over 7.5 % of 160
    let findings = document([good, fast]).lint(LintLimits())
    #expect(findings.map(\.track) == [1])
    #expect(findings[0].frame == 2)
    #expect(
      "\(findings[0])"
        == "track 1, frame 2: moves 8.1 % of the width in one frame; expected at most 7.5 %")
  }

  @Test func lintFindsJumpsPointsOffTheCanvasAndCounts() {
    var limits = LintLimits()
    limits.most = 1
    let zigzag = line(0, [50, 60, 50, 60, 50])
    let outside = line(1, [150, 158, 166])
    let reasons = document([zigzag, outside]).lint(limits).map(\.description)
    #expect(reasons.count == 3)
    #expect(reasons[0].contains("2 tracks; expected 1 or fewer"))
    #expect(reasons[1].contains("track 0, frame 2: changes its step by 12.5 %"))
    #expect(reasons[2].contains("track 1, frame 2: is off the canvas in 1 of 3 frames"))
    limits.fewest = 5
    limits.most = 9
    #expect(document([zigzag]).lint(limits)[0].description.contains("expected 5 or more"))
  }

  @Test func hiddenStepsAreNotHeldAgainstATrack() {
    var track = line(0, [10, 12, 100, 102])
    track.visibility = Visibility([true, true, false, true])
    #expect(document([track]).lint(LintLimits()).isEmpty)
  }

  @Test func smoothingBringsAZigzagWithinTheLimits() throws {
    let zigzag = line(0, [50, 66, 50, 66, 50, 66, 50])
    let limits = LintLimits()
    #expect(!document([zigzag]).lint(limits).isEmpty)
    let mended = try document([zigzag]).smoothed(limits, name: "t")
    #expect(mended.lint(limits).isEmpty)
    guard case .points(let points) = mended.tracks[0].motion else { return }
    #expect(points.first??.x == 50 && points.last??.x == 50)
  }

  @Test func drawingPutsColourWhereVisiblePointsAre() {
    var drawing = TrackDrawing(tail: 4, radius: 2)
    var frame = RGBFrame(width: 40, height: 30, pixels: [UInt8](repeating: 0, count: 3600))
    drawing.draw(
      [
        TrackPoint(id: 0, x: 10, y: 10, visible: true),
        TrackPoint(id: 1, x: 30, y: 20, visible: false),
        TrackPoint(id: 2, x: -500, y: 1e6, visible: true),
      ], on: &frame)
    func brightness(_ x: Int, _ y: Int) -> Int {
      (0..<3).reduce(0) { $0 + Int(frame.pixels[(y * 40 + x) * 3 + $1]) }
    }
    #expect(brightness(10, 10) > 200)
    #expect(brightness(30, 20) == 0)
    #expect(brightness(20, 25) == 0)
    drawing.draw([TrackPoint(id: 0, x: 20, y: 10, visible: true)], on: &frame)
    #expect(brightness(15, 10) > 100)  // the tail between
  }
}
