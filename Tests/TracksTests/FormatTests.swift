import Foundation
import Frames
import Testing
import Tracks

private func sample(_ name: String) throws -> Data {
  try Data(
    contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Samples/\(name)"))
}

private let options = ImportOptions(
  size: (width: 160, height: 96), fps: .number(16), firstFrame: 1, duration: 1)

func read(
  _ format: TrackFormat, _ text: String, _ options: ImportOptions = options
) throws -> TrackDocument {
  try format.read(Data(text.utf8), name: "f", options: options).document
}

/// Position of a track in the document's canvas pixels, corner origin.
private func place(_ document: TrackDocument, _ id: Int, _ frame: Int) -> [Float]? {
  position(document, at: frame, fps: document.fps.value, id: id).map { [$0.x, $0.y] }
}

@Suite struct FormatTests {
  @Test(arguments: [
    (TrackFormat.json, 16.0), (.npz, 16), (.cotracker, 16), (.wanMove, 16), (.ati, 24),
    (.spline, 16), (.csv, 16),
  ])
  func whatIsWrittenReadsBackAtTheSamePlaces(_ format: TrackFormat, _ fps: Double) throws {
    let full = format != .spline
    let text = documentText(
      """
      {"id": 0, "points": [[1.5, 2.25], [3, 4], [5, 6.5]]},
      {"id": 1, "keyframes": [{"frame": 0, "x": 10, "y": 20}, {"frame": 2, "x": 30, "y": 40}],
       "visible": \(full ? "[1, 0, 1]" : "[1, 1, 1]")},
      {"id": 2, "points": [[8, 8], [9, 9]\(full ? ", null" : "")]}, {"id": 3, "static": [0.5, 95]}
      """, head: "\"width\": 160, \"height\": 96, \"fps\": \(plainText(fps))")
    let document = try parse(text)
    let written = try format.write(document, frames: 3, name: "f")
    var options = ImportOptions(size: (width: 160, height: 96), fps: .number(fps))
    options.visibility = written.visibility.map { (data: $0, name: "v") }
    let again = try format.read(written.file, name: "f", options: options).document
    let (before, after) = (
      TrackSampler(document, fps: fps, fit: ImageFit.crop, output: (160, 96)),
      TrackSampler(again, fps: fps, fit: ImageFit.crop, output: (160, 96))
    )
    for frame in 0..<3 {
      // Array formats cannot tell hidden from unspecified, so only visible points must agree.
      #expect(
        before.sample(at: frame).filter(\.visible) == after.sample(at: frame).filter(\.visible),
        "frame \(frame)")
    }
    #expect(before.sample(at: 1).contains { !$0.visible } == full)
  }

  private func plainText(_ value: Double) -> String { "\(Int(value))" }

  @Test func anEndlessDocumentNeedsANumberOfFrames() throws {
    let document = try parse(documentText("{\"id\": 0, \"static\": [1, 2]}"))
    #expect(throws: TrackError.self) { try TrackFormat.csv.write(document, name: "f") }
    #expect(throws: TrackError.self) {
      try TrackFormat.ati.write(document, frames: 2, name: "f")  // 16 fps, not 24
    }
    #expect(throws: TrackError.self) { try TrackFormat.nuke.write(document, frames: 2, name: "f") }
  }

  @Test func aGapCannotBeWrittenAsASpline() throws {
    let document = try parse(documentText("{\"id\": 4, \"points\": [[1, 2], null, [1, 2]]}"))
    #expect {
      try TrackFormat.spline.write(document, name: "f")
    } throws: { "\($0)".contains("track 4, frame 1") }
  }

  @Test func whatNumPyWroteIsReadWithItsHalfPixel() throws {
    let data = try sample("numpy.npz")  // float16, Fortran order, deflated, leading 1
    let document = try TrackFormat.cotracker.read(data, name: "f", options: options).document
    #expect(document.tracks.count == 2 && document.frameCount == 5)
    #expect(place(document, 0, 3) == [6.5, 3.5])
    #expect(place(document, 1, 4) == [8, 8])
    #expect(position(document, at: 2, id: 1)?.visible == false)
    #expect(position(document, at: 3, id: 1)?.visible == true)
  }

  @Test func whatPyTorchWroteForATIIsRead() throws {
    let document = try TrackFormat.ati.read(
      try sample("ati.pth"), name: "f", options: options
    ).document
    #expect(document.lastFrame(fps: 16) == 80)
    #expect(place(document, 0, 120) == [120, 40])
    #expect(position(document, at: 80, id: 0)?.x == 120)
    #expect(position(document, at: 30, fps: 24, id: 1)?.visible == false)
    #expect(place(document, 1, 59) == [100, 20])
    #expect(place(document, 1, 60) == nil)
  }

  @Test func splinesComeInFourShapes() throws {
    for (text, count) in [
      ("[{\"x\": 1, \"y\": 2}, {\"x\": 3, \"y\": 4}]", 1),
      ("[[{\"x\": 1, \"y\": 2}, {\"x\": 3, \"y\": 4}], [{\"x\": 5, \"y\": 6}]]", 2),
      ("[\"[{'x': 1, 'y': 2}, {'x': 3, 'y': 4}]\", \"[{'x': 5, 'y': 6}]\"]", 2),
      ("[{'x': 1, 'y': 2}, {'x': 3, 'y': 4}]", 1),
    ] {
      let document = try read(.spline, text)
      #expect(document.tracks.count == count, "\(text)")
      #expect(place(document, 0, 1) == [3, 4], "\(text)")
    }
  }

  @Test func csvRowsMayComeInAnyOrder() throws {
    let document = try read(
      .csv, "frame, track, x, y, visible\r\n2,7,3,4,0\r\n0,7,1,2,1\r\n5,9,8,8,1\r\n")
    #expect(document.tracks.map(\.id) == [7, 9])
    #expect(place(document, 7, 0) == [1, 2])
    #expect(place(document, 7, 1) == nil)
    #expect(position(document, at: 2, id: 7)?.visible == false)
    #expect(place(document, 9, 4) == nil)
  }

  @Test func svgPathsAreWalkedAtEvenSpeed() throws {
    let document = try read(
      .svg,
      """
      <?xml version="1.0"?><!-- <path d="M0 0"/> -->
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="10 0 160 96">
       <path id="corner" d="M20,10h20 v20"/>
       <path d="M 10 48 a 40 40 0 0 1 80,0"/><path d="m30 30c0 0 16 0 16 0s16 0 16 0q8,0 8 0t8 0Z"/>
      </svg>
      """)
    #expect(document.width == 160 && document.height == 96 && document.frameCount == 17)
    #expect(document.tracks[0].name == "corner")
    #expect(place(document, 0, 0) == [10, 10])
    #expect(place(document, 0, 4) == [20, 10])
    #expect(place(document, 0, 12) == [30, 20])
    #expect(place(document, 0, 99) == [30, 30])
    // A half circle over the middle (40, 48), clockwise on the screen.
    for frame in 0...16 {
      let angle = Double.pi * (1 + Double(frame) / 16)
      let point = try #require(place(document, 1, frame))
      #expect(isClose(point[0], 40 + 40 * cos(angle), within: 0.01), "\(frame)")
      #expect(isClose(point[1], 48 + 40 * sin(angle), within: 0.01), "\(frame)")
    }
    #expect(place(document, 2, 16) == [20, 30])  // Z closes to the start
    #expect(isClose(place(document, 2, 8)?[0], 68, within: 0.01))  // 30 + 16 + 16 + 8 + 8 - 10
  }

  @Test func afterEffectsTextSaysItsRateAndSize() throws {
    let text = """
      Adobe After Effects 8.0 Keyframe Data

      \tUnits Per Second\t25
      \tSource Width\t720
      \tSource Height\t576
      \tSource Pixel Aspect Ratio\t1
      \tComp Pixel Aspect Ratio\t1

      Motion Trackers\tTracker #1\tFeature Center #2
      \tFrame\tX pixels\tY pixels\t
      \t0\t100\t50\t
      \t10\t200\t70\t

      Transform\tScale
      \tFrame\tX percent\tY percent\t
      \t0\t100\t100\t

      End of Keyframe Data
      """
    let (document, warnings) = try TrackFormat.afterEffects.read(Data(text.utf8), name: "f")
    #expect(document.width == 720 && document.height == 576 && document.fps == .number(25))
    #expect(document.tracks.map(\.name) == ["Motion Trackers Tracker #1 Feature Center #2"])
    #expect(place(document, 0, 5) == [150, 60])
    #expect(place(document, 0, 50) == [200, 70])
    #expect(warnings.contains { $0.contains("Transform Scale") })
  }

  @Test func matchMoveProgramsCountUpwardsFromTheBottom() throws {
    let nuke = try read(.nuke, "# tracker\n1 10 20\n2, 12, 22 ; note\n4: 16: 26\n")
    #expect(place(nuke, 0, 0) == [10, 76])
    #expect(place(nuke, 0, 1) == [12, 74])
    #expect(place(nuke, 0, 2) == nil)
    #expect(place(nuke, 0, 3) == [16, 70])
    let threeDE = try read(.threeDE, "2\nleft eye\n0\n2\n1 10 20\n2 11 21\nB\n4\n1\n5 1.5 2.5\n")
    #expect(threeDE.tracks.map(\.name) == ["left eye", "B"])
    #expect(place(threeDE, 0, 1) == [11, 75])
    #expect(place(threeDE, 1, 4) == [1.5, 93.5])
    let shake = try read(
      .shake,
      "TrackName a b\n   Frame             X             Y   Correlation\n"
        + "   1.00   10.000   20.000   1.000\n\nTrackName c\n  Frame X Y Correlation\n"
        + "   2.00   1.000   2.000   0.500\n")
    #expect(shake.tracks.map(\.name) == ["a b", "c"])
    #expect(place(shake, 0, 0) == [10, 76])
    #expect(place(shake, 1, 1) == [1, 94])
    let synthEyes = try read(
      .synthEyes, "T1 0 -1.0 -1.0 30\nT1 1 0 0.5 7\nT1 2 0.5 0 39\nT1 3 0.5 0 3\n")
    #expect(place(synthEyes, 0, 0) == [0, 0])
    #expect(place(synthEyes, 0, 1) == [80, 72])
    #expect(position(synthEyes, at: 2)?.visible == false)
    #expect(place(synthEyes, 0, 3) == nil)
  }

  @Test(arguments: [
    (TrackFormat.spline, "[{\"x\": 1, \"y\": 2}]", "--track-fps"),
    (.csv, "frame,track,x,y\n0,0,1,2\n", "--track-fps"), (.nuke, "1 2 3", "--track-first-frame"),
    (.svg, "<svg viewBox='0 0 9 9'><path d='M0 0h1'/></svg>", "--track-fps"),
    (.threeDE, "1\na\n0\n1\n1 2 3\n", "--track-size"), (.synthEyes, "a 0 0 0 7\n", "--track-size"),
    (.shake, "TrackName a\n1 2 3 4\n", "--track-size"),
  ])
  func whatAFileDoesNotSayIsAskedFor(_ format: TrackFormat, _ text: String, _ flag: String) {
    do throws(TrackError) {
      _ = try format.read(Data(text.utf8), name: "f")
      Issue.record("accepted")
    } catch {
      #expect(error.reason.contains(flag), "\(error)")
    }
  }
}
