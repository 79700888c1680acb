import Foundation
import Frames
import Testing
import Tracks

@Suite struct TrackEncodingTests {
  static let everything = documentText(
    """
    {"id": 3, "name": "a \\"b\\"\\n\\u0001é", "group": "g", "color": "#ff0000", "start_frame": 4,
     "points": [[0.1, -2.5], null, [1e-7, 30000]], "visible": [1, 0, 1], "after": "loop", "x-n": null},
    {"id": 1, "keyframes": [{"frame": 0, "x": 1, "y": 2}, {"time": 1.25, "x": 3, "y": 4, "ease": "spline"}],
     "after": "hold", "visible": [[1, 500], [0, 3]]},
    {"id": 0, "static": [96.5, 40.25]}
    """,
    head: """
      "width": 832, "height": 480, "fps": "30000/1001", "frame_count": 81, "pixel_origin": "center",
      "camera": {"preset": "pan"}, "source": {"tool": "t", "filters": [true, null, 1.5]}, "x-more": {"a": []}
      """)

  @Test func readingWhatWasWrittenGivesAnEqualDocument() throws {
    let document = try parse(Self.everything)
    let text = document.encode()
    let again = try TrackDocument.parse(text, name: "t").document
    #expect(again == document)
    #expect(again.encode() == text)
  }

  @Test func aDifferentDocumentIsNotEqual() throws {
    let document = try parse(Self.everything)
    let other = try parse(Self.everything.replacingOccurrences(of: "-2.5", with: "-2.25"))
    #expect(document != other)
  }

  @Test func theSchemaIsJSONAndNamesEveryFieldThatIsWritten() throws {
    let schema = try #require(
      try JSONSerialization.jsonObject(with: Data(TrackSchema.json.utf8)) as? [String: Any])
    let properties = try #require(schema["properties"] as? [String: Any])
    let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
    let track = try #require(definitions["track"]?["properties"] as? [String: Any])
    let keyframe = try #require(definitions["keyframe"]?["properties"] as? [String: Any])
    #expect(
      Set(properties.keys) == [
        "format", "version", "width", "height", "coordinates", "pixel_origin", "fps",
        "frame_count", "tracks", "camera", "source",
      ])
    #expect(
      Set(track.keys) == [
        "id", "name", "group", "color", "start_frame", "points", "keyframes", "static", "visible",
        "after",
      ])
    #expect(Set(keyframe.keys) == ["frame", "time", "x", "y", "ease"])
    let ease = try #require(keyframe["ease"] as? [String: Any])
    #expect(ease["enum"] as? [String] == Easing.allCases.map(\.rawValue))
    let after = try #require(track["after"] as? [String: Any])
    #expect(after["enum"] as? [String] == AfterEnd.allCases.map(\.rawValue))
  }

  @Test(arguments: ["slide", "arc", "circle-loop", "two-cross", "camera-pan"])
  func theExamplesReadWithoutWarnings(_ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Models/examples/\(name).json")
    let (document, warnings) = try TrackDocument.parse(try Data(contentsOf: file), name: name)
    #expect(warnings.isEmpty)
    #expect(document.width == 320 && document.height == 192)
    #expect(document.lastFrame(fps: 16) == (name == "circle-loop" ? nil : 80))
    let sampler = TrackSampler(document, fps: 16, fit: ImageFit.crop, output: (160, 96))
    for frame in [0, 40, 80] { #expect(sampler.sample(at: frame).count == document.tracks.count) }
  }

  @Test func aCircleOfSplinesIsRoundAndHasNoSeam() throws {
    let keyframes = (0...8).map { eighth in
      let angle = Double(eighth) * .pi / 4
      let (x, y) = (80 + 24 * sin(angle), 48 - 24 * cos(angle))
      return #"{"time": \#(0.75 * Double(eighth)), "x": \#(eighth == 8 ? 80 : x), "#
        + #""y": \#(eighth == 8 ? 24 : y), "ease": "spline"}"#
    }
    let list = keyframes.joined(separator: ",")
    let document = try parse(
      documentText(#"{"id": 0, "after": "loop", "keyframes": [\#(list)]}"#))
    let points = (0..<200).compactMap { position(document, at: $0) }
    #expect(points.count == 200)
    let steps = zip(points, points.dropFirst()).map {
      hypot(Double($1.x - $0.x), Double($1.y - $0.y))
    }
    for (point, step) in zip(points, steps) {
      #expect(abs(hypot(Double(point.x) - 80, Double(point.y) - 48) - 24) < 0.3, "\(point)")
      // With a keyframe every 45 degrees the slope there is sin(45°) / (π/4) = 0.90 of the mean.
      #expect(abs(step / (2 * .pi * 24 / 96) - 1) < 0.1, "\(point)")
    }
    // Frame 96 is the seam; frame 48 is the same keyframe on the other side of the circle.
    #expect(abs(steps[95] - steps[47]) < 1e-3 && abs(steps[96] - steps[48]) < 1e-3)
  }
}
