import Foundation
import Motion
import Testing
import Tracks

private let width = 320
private let height = 200
private let lens = Intrinsics(focal: 300, width: width, height: height)

/// The path of one point under a named move of 5 frames.
private func path(
  _ preset: CameraPreset, _ amount: Double, from place: TrackPosition, depth: DepthMap? = nil
) throws -> [TrackPosition] {
  let scene = CameraTracks(width: width, height: height, depth: depth)
  let views = preset.views(
    amount: amount, ease: .linear, frames: 5, intrinsics: lens, pivot: scene.pivot)
  let tracks = scene.tracks([place], views: views).tracks
  guard case .points(let points) = try #require(tracks.first).motion else { return [] }
  return points.compactMap { $0 }
}

/// A map with one depth on the left half and another on the right.
private func halves(_ left: Double, _ right: Double) -> DepthMap {
  let values = (0..<width * height).map { $0 % width < width / 2 ? left : right }
  return DepthMap(width: width, height: height, values: values)
}

private func near(_ a: TrackPosition, _ x: Double, _ y: Double) -> Bool {
  abs(a.x - x) < 1e-9 && abs(a.y - y) < 1e-9
}

@Suite struct CameraTests {
  @Test func panningRightMovesTheAxisPointLeftByTheTangent() throws {
    let points = try path(.panRight, 12, from: TrackPosition(x: 160, y: 100))
    for (frame, point) in points.enumerated() {
      let shift: Double = 300 * tan(Double(frame) * 3 * .pi / 180)
      #expect(near(point, 160 - shift, 100))
    }
    let left = try path(.panLeft, 12, from: TrackPosition(x: 160, y: 100))
    let shift: Double = 300 * tan(12 * .pi / 180)
    #expect(near(left[4], 160 + shift, 100))
  }

  @Test func panningAddsToThePointsOwnAngle() throws {
    let start = atan(100.0 / 300)
    let points = try path(.panRight, 8, from: TrackPosition(x: 260, y: 100))
    let x: Double = 160 + 300 * tan(start - 8 * .pi / 180)
    #expect(near(points[4], x, 100))
  }

  @Test func tiltingUpMovesThePictureDown() throws {
    let points = try path(.tiltUp, 6, from: TrackPosition(x: 160, y: 100))
    let shift: Double = 300 * tan(6 * .pi / 180)
    #expect(near(points[4], 160, 100 + shift))
    let down = try path(.tiltDown, 6, from: TrackPosition(x: 160, y: 100))
    #expect(near(down[4], 160, 100 - shift))
  }

  @Test func zoomingScalesAboutTheMiddleWhateverTheDepth() throws {
    for depth in [nil, halves(2, 9)] {
      let points = try path(.zoomIn, 1.44, from: TrackPosition(x: 260, y: 60), depth: depth)
      #expect(near(points[2], 280, 52))
      #expect(near(points[4], 304, 42.4))
      let out = try path(.zoomOut, 1.44, from: TrackPosition(x: 260, y: 60), depth: depth)
      let (x, y): (Double, Double) = (100 / 1.44, 40 / 1.44)
      #expect(near(out[4], 160 + x, 100 - y))
    }
  }

  @Test func rollingTurnsThePictureTheOtherWay() throws {
    let points = try path(.roll, 90, from: TrackPosition(x: 200, y: 100))
    #expect(near(points[4], 160, 60))
  }

  @Test func dollyingGrowsNearThingsMore() throws {
    // The pivot is the median depth, 8; half of it is 4 forward.
    let map = halves(8, 6)
    let far = try path(.dolly, 0.5, from: TrackPosition(x: 100, y: 70), depth: map)
    let close = try path(.dolly, 0.5, from: TrackPosition(x: 220, y: 70), depth: map)
    // Offsets from the middle grow by 8 / 4 and by 6 / 2.
    #expect(near(far[4], 40, 40))
    #expect(near(close[4], 340, 10))
  }

  @Test func orbitingKeepsThePivotInTheMiddle() throws {
    let points = try path(.orbit, 40, from: TrackPosition(x: 160, y: 100), depth: halves(5, 5))
    for point in points { #expect(near(point, 160, 100)) }
    // A nearer point moves left when the camera goes right.
    let close = try path(
      .orbit, 10, from: TrackPosition(x: 100, y: 100),
      depth: halves(3, 5))
    #expect(close[4].x != close[0].x)
  }

  @Test func aNearSurfaceHidesAFarOne() throws {
    // Left half near, right half far; moving left (orbit to the left) carries the near edge over.
    let scene = CameraTracks(width: width, height: height, depth: halves(2, 8))
    let moved = Pose(
      right: [1, 0, 0], down: [0, 1, 0], forward: [0, 0, 1], translation: [0.4, 0, 0])
    let views = [Pose.identity, moved].map { CameraView(pose: $0, intrinsics: lens) }
    let places = [190.0, 300, 40].map { TrackPosition(x: $0, y: 100) }
    let tracks = scene.tracks(places, views: views).tracks
    // The edge at 160 moves by 300 * 0.4 / 2 = 60 to 220; the far point at 190 by 15 to 205.
    #expect(tracks[0].visibility.isVisible(at: 0))
    #expect(!tracks[0].visibility.isVisible(at: 1))
    #expect(tracks[1].visibility.isVisible(at: 1))
    #expect(tracks[2].visibility.isVisible(at: 1))
  }

  @Test func pointsBehindTheCameraAreNull() throws {
    let points = try path(.dolly, 1.5, from: TrackPosition(x: 100, y: 70))
    #expect(points.count == 3)  // 0, 0.375 and 0.75 of the way; 1.125 is past the plane
  }

  @Test func pointsWithoutDepthAreLeftOutAndCounted() {
    let scene = CameraTracks(width: width, height: height, depth: halves(0, 3))
    let view = CameraView(pose: .identity, intrinsics: lens)
    let places = [TrackPosition(x: 10, y: 10), TrackPosition(x: 300, y: 10)]
    let (tracks, without) = scene.tracks(places, views: [view])
    #expect(without == 1)
    #expect(tracks.map(\.id) == [1])
  }
}
