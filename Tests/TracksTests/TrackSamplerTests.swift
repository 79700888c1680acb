import Foundation
import Frames
import Testing
import Tracks

@Suite struct TrackSamplerTests {
  private func keyframes(_ second: String, after: String = "drop") throws -> TrackDocument {
    try parse(
      documentText(
        "{\"id\": 0, \"after\": \"\(after)\", \"keyframes\": [{\"frame\": 0, \"x\": 0, \"y\": 0}, "
          + "{\"frame\": 16, \"x\": 16, \"y\": 32, \(second)}]}"))
  }

  @Test func samplesAt24FPSKeepTheirDurationAt16FPS() throws {
    let points = (0..<121).map { "[\($0), 5]" }.joined(separator: ", ")
    let document = try parse(
      documentText(
        "{\"id\": 0, \"points\": [\(points)]}", head: "\"width\": 160, \"height\": 96, \"fps\": 24")
    )
    #expect(document.lastFrame(fps: 16) == 80)
    #expect(document.lastFrame(fps: 24) == 120)
    #expect(document.lastFrame(fps: 48) == 240)
    for frame in 0...80 {
      #expect(isClose(position(document, at: frame)?.x, Double(frame) * 1.5), "frame \(frame)")
    }
    #expect(position(document, at: 81) == nil)
    #expect(isClose(position(document, at: 1, fps: 48)?.x, 0.5))
  }

  @Test func anExactRatioOfRatesHitsEverySample() throws {
    let points = (0..<1001).map { "[\($0), 5]" }.joined(separator: ", ")
    let document = try parse(
      documentText(
        "{\"id\": 0, \"points\": [\(points)]}",
        head: "\"width\": 2000, \"height\": 96, \"fps\": \"30000/1001\""))
    for frame in [0, 1, 999, 1000] {
      #expect(position(document, at: frame, fps: 30_000.0 / 1_001)?.x == Float(frame))
    }
  }

  @Test(arguments: [
    ("linear", 4.0), ("ease_in", 1.0), ("ease_out", 7.0), ("ease_in_out", 2.0), ("hold", 0.0),
    ("spline", 4.0),
  ])
  func easingShapesTheMovementThatArrives(_ ease: String, _ expected: Double) throws {
    let document = try keyframes("\"ease\": \"\(ease)\"")
    let quarter = try #require(position(document, at: 4))
    #expect(isClose(quarter.x, expected), "\(quarter)")
    #expect(isClose(quarter.y, 2 * expected), "\(quarter)")
    #expect(isClose(position(document, at: 16)?.x, 16))
    #expect(isClose(position(document, at: 0)?.x, 0))
  }

  @Test func aSplinePassesItsKeyframesAndItsSlopeIsThatOfTheNeighbours() throws {
    let places = [(0, 0.0, 0.0), (8, 40, 40), (16, 80, 0), (24, 120, 40)]
    let list = places.map {
      "{\"frame\": \($0.0), \"x\": \($0.1), \"y\": \($0.2), \"ease\": \"spline\"}"
    }.joined(separator: ", ")
    let document = try parse(documentText("{\"id\": 0, \"keyframes\": [\(list)]}"))
    for (frame, x, y) in places {
      #expect(isClose(position(document, at: frame)?.x, x))
      #expect(isClose(position(document, at: frame)?.y, y))
    }
    // Half way from (40, 40) to (80, 0): Catmull-Rom is (-p0 + 9 p1 + 9 p2 - p3) / 16.
    #expect(isClose(position(document, at: 12)?.x, 60))
    #expect(isClose(position(document, at: 12)?.y, (0 + 360 + 0 - 40) / 16.0))
  }

  @Test func timeInSecondsIsTheSameAsFramesAtTheDocumentsRate() throws {
    let byTime = try parse(
      documentText(
        "{\"id\": 0, \"keyframes\": [{\"time\": 0, \"x\": 0, \"y\": 0}, "
          + "{\"time\": 1, \"x\": 16, \"y\": 32}]}"))
    let byFrame = try keyframes("\"ease\": \"linear\"")
    for frame in 0...18 { #expect(position(byTime, at: frame) == position(byFrame, at: frame)) }
  }

  @Test func pastItsEndATrackDropsHoldsOrLoops() throws {
    let far = 16_000_003  // 3 frames into a period of 16
    #expect(position(try keyframes("\"ease\": \"linear\""), at: 17) == nil)
    #expect(position(try keyframes("\"ease\": \"linear\"", after: "hold"), at: far)?.x == 16)
    #expect(position(try keyframes("\"ease\": \"linear\"", after: "loop"), at: far)?.x == 3)
    func points(_ after: String) throws -> TrackDocument {
      try parse(
        documentText(
          "{\"id\": 0, \"points\": [[0, 0], [10, 0], [20, 0], [30, 0]], \"after\": \"\(after)\"}"))
    }
    #expect(position(try points("drop"), at: 4) == nil)
    #expect(position(try points("hold"), at: 4_000_001)?.x == 30)
    #expect(position(try points("loop"), at: 4_000_001)?.x == 10)
    // The last point flows into the first: half way from 30 to 0.
    #expect(position(try points("loop"), at: 7, fps: 32)?.x == 15)
  }

  @Test func aLoopOrOnlyPinsHaveNoLastFrame() throws {
    #expect(try keyframes("\"ease\": \"linear\"").lastFrame(fps: 16) == 16)
    #expect(try keyframes("\"ease\": \"linear\"", after: "hold").lastFrame(fps: 8) == 8)
    #expect(try keyframes("\"ease\": \"linear\"", after: "loop").lastFrame(fps: 16) == nil)
    #expect(try parse(documentText("{\"id\": 0, \"static\": [1, 2]}")).lastFrame(fps: 16) == nil)
    let counted = try parse(
      documentText(
        "{\"id\": 0, \"static\": [1, 2]}",
        head: "\"width\": 9, \"height\": 9, \"fps\": 24, \"frame_count\": 121"))
    #expect(counted.lastFrame(fps: 16) == 80)
  }

  @Test func nullIsAbsentAndHiddenIsPresentButNotVisible() throws {
    let document = try parse(
      documentText(
        "{\"id\": 0, \"start_frame\": 10, \"points\": [[3, 2], [5, 2], null, [9, 2]], "
          + "\"visible\": [1, 0, 1, 1]}"))
    #expect(position(document, at: 9) == nil)
    #expect(position(document, at: 10) == TrackPoint(id: 0, x: 3, y: 2, visible: true))
    #expect(position(document, at: 11) == TrackPoint(id: 0, x: 5, y: 2, visible: false))
    #expect(position(document, at: 12) == nil)
    #expect(position(document, at: 13)?.visible == true)
    // Between samples: visibility of the earlier one, and nothing on a stretch that touches null.
    #expect(position(document, at: 21, fps: 32) == TrackPoint(id: 0, x: 4, y: 2, visible: true))
    #expect(position(document, at: 23, fps: 32) == nil)
    #expect(position(document, at: 25, fps: 32) == nil)
  }

  @Test func runLengthsAndFlagsMeanTheSame() throws {
    let flags = try parse(
      documentText("{\"id\": 0, \"static\": [3, 2], \"visible\": [0, 0, 1, 0]}"))
    let runs = try parse(
      documentText("{\"id\": 0, \"static\": [3, 2], \"visible\": [[0, 1], [0, 1], [1, 1], [0, 1]]}")
    )
    #expect(flags == runs)
    #expect(
      (0..<6).map { position(runs, at: $0)?.visible } == [false, false, true, false, false, false])
  }

  @Test func theFitMovesPointsAsItMovesThePicture() throws {
    let document = try parse(
      documentText(
        "{\"id\": 0, \"static\": [50, 25]}, {\"id\": 1, \"static\": [2, 25]}",
        head: "\"width\": 100, \"height\": 50, \"fps\": 16"))
    func sample(_ fit: ImageFit) -> [TrackPoint] {
      TrackSampler(document, fps: 16, fit: fit, output: (100, 100)).sample(at: 0)
    }
    #expect(
      sample(.stretch) == [
        TrackPoint(id: 0, x: 50, y: 50, visible: true),
        TrackPoint(id: 1, x: 2, y: 50, visible: true),
      ])
    #expect(
      sample(.pad) == [
        TrackPoint(id: 0, x: 50, y: 50, visible: true),
        TrackPoint(id: 1, x: 2, y: 50, visible: true),
      ])
    #expect(
      sample(.crop) == [
        TrackPoint(id: 0, x: 50, y: 50, visible: true),
        TrackPoint(id: 1, x: -46, y: 50, visible: false),
      ])
    #expect(document.aspectDiffers(from: (100, 100)))
    #expect(document.aspectDiffers(from: (2000, 1011)))
    #expect(!document.aspectDiffers(from: (2000, 1009)))
  }

  @Test func unitsAndOriginsGiveTheSamePixels() throws {
    let head = "\"width\": 100, \"height\": 50, \"fps\": 16"
    let corner = try parse(documentText("{\"id\": 0, \"static\": [25.5, 10.5]}", head: head))
    let center = try parse(
      documentText(
        "{\"id\": 0, \"static\": [25, 10]}", head: head + ", \"pixel_origin\": \"center\""))
    let normalized = try parse(
      documentText(
        "{\"id\": 0, \"static\": [0.255, 0.21]}", head: head + ", \"coordinates\": \"normalized\""))
    for document in [corner, center, normalized] {
      let point = TrackSampler(document, fps: 16, fit: .stretch, output: (200, 100)).sample(at: 7)[
        0]
      #expect(isClose(point.x, 51) && isClose(point.y, 21), "\(point)")
    }
  }

  @Test("Five times as many tracks take about five times as long, not twenty-five")
  func thousandsOfTracksReadAndSampleQuickly() throws {
    let clock = ContinuousClock()
    let points = (0..<400).map { "[\(Float($0) / 7), \(Float($0) / 3)]" }.joined(separator: ", ")
    func time(_ tracks: Int) throws -> (reading: Duration, sampling: Duration) {
      let text = documentText(
        (0..<tracks).map { "{\"id\": \($0), \"points\": [\(points)]}" }.joined(separator: ",\n"))
      let data = Data(text.utf8)
      var document: TrackDocument?
      let reading = try clock.measure {
        document = try TrackDocument.parse(data, name: "t").document
      }
      let sampler = TrackSampler(
        try #require(document), fps: 24, fit: ImageFit.crop, output: (832, 480))
      var visible = 0
      let sampling = clock.measure {
        for frame in 0..<400 { visible += sampler.sample(at: frame).count }
      }
      #expect(visible == tracks * 400)
      return (reading, sampling)
    }
    let (few, many) = (try time(500), try time(2_500))
    #expect(many.reading / few.reading < 15, "\(few.reading), \(many.reading)")
    #expect(many.sampling / few.sampling < 15, "\(few.sampling), \(many.sampling)")
  }
}
