import Foundation
import Testing
import Tracks

/// A broken document and what its message must contain.
struct Malformed: CustomTestStringConvertible, Sendable {
  var what: String
  var text: String
  var says: [String]
  var testDescription: String { what }

  init(_ what: String, _ text: String, _ says: String...) {
    self.what = what
    self.text = text
    self.says = says
  }
}

private func track(_ fields: String) -> String { documentText("{\"id\": 7, \(fields)}") }

@Suite struct MalformedDocumentTests {
  static let documents: [Malformed] = [
    Malformed("empty file", "", "the file is empty"),
    Malformed("plain text", "frame x y", "t.json:1:1", "not JSON"),
    Malformed(
      "cut short", "{\"format\": \"motionstream-tracks\",\n \"version\"", "t.json:2:11",
      "end of the file"),
    Malformed("trailing comma", "{\"format\": 1,\n}", "t.json:2:1", "a name in double quotes"),
    Malformed("text after the end", "{} x", "t.json:1:4", "the end of the file"),
    Malformed("single quotes", "{'format': 1}", "t.json:1:2", "double quotes"),
    Malformed("repeated name", "{\"a\": 1,\n \"a\": 2}", "t.json:2:2", "appears twice"),
    Malformed("open string", "{\"a\": \"b", "t.json:1:7", "is not closed"),
    Malformed("leading zero", "{\"a\": 01}", "t.json:1:7", "must not start with 0"),
    Malformed("lone surrogate", "{\"a\": \"\\ud800\"}", "t.json:1:8", "surrogate"),
    Malformed(
      "deep nesting", String(repeating: "[", count: 100_000), "nested deeper than 64 levels"),
    Malformed("a list", "[]", "expected an object, found an empty list"),
    Malformed("no format", "{}", "format: is missing", "motionstream-tracks"),
    Malformed(
      "other format", "{\"format\": \"cotracker\"}", "format:", "found string \"cotracker\""),
    Malformed("no version", "{\"format\": \"motionstream-tracks\"}", "version: is missing"),
    Malformed(
      "unknown version", "{\"format\": \"motionstream-tracks\", \"version\": 2}", "version:",
      "reads version 1", "number 2"),
    Malformed(
      "no width", documentText("", head: "\"height\": 96, \"fps\": 16"), "width: is missing"),
    Malformed(
      "zero width", documentText("", head: "\"width\": 0, \"height\": 96, \"fps\": 16"),
      "width: expected a whole number from 1 to 65536, found number 0"),
    Malformed(
      "fractional height", documentText("", head: "\"width\": 9, \"height\": 9.5, \"fps\": 16"),
      "height:", "found number 9.5"),
    Malformed(
      "absurd width", documentText("", head: "\"width\": 1e300, \"height\": 9, \"fps\": 16"),
      "width:", "found number 1e+300"),
    Malformed("no fps", documentText("", head: "\"width\": 9, \"height\": 9"), "fps: is missing"),
    Malformed(
      "fps of zero", documentText("", head: "\"width\": 9, \"height\": 9, \"fps\": 0"), "fps:",
      "found number 0"),
    Malformed(
      "fps ratio by zero", documentText("", head: "\"width\": 9, \"height\": 9, \"fps\": \"30/0\""),
      "fps:", "found string \"30/0\""),
    Malformed(
      "negative frame count",
      documentText("", head: "\"width\": 9, \"height\": 9, \"fps\": 9, \"frame_count\": -1"),
      "frame_count:", "found number -1"),
    Malformed(
      "unknown unit",
      documentText(
        "", head: "\"width\": 9, \"height\": 9, \"fps\": 9, \"coordinates\": \"percent\""),
      "coordinates: expected one of \"pixel\", \"normalized\"", "percent"),
    Malformed(
      "centre of normalized",
      documentText(
        "",
        head: "\"width\": 9, \"height\": 9, \"fps\": 9, \"coordinates\": \"normalized\", "
          + "\"pixel_origin\": \"center\""), "pixel_origin:", "no meaning"),
    Malformed("no tracks", documentText(""), "tracks: expected at least one track"),
    Malformed(
      "camera without tracks",
      documentText("", head: "\"width\": 9, \"height\": 9, \"fps\": 9, \"camera\": {}"),
      "tracks:", "a camera but no tracks"),
    Malformed("a track that is a number", documentText("3"), "tracks[0]: expected an object"),
    Malformed("no id", documentText("{\"static\": [1, 2]}"), "tracks[0], id: is missing"),
    Malformed(
      "negative id", documentText("{\"id\": -1, \"static\": [1, 2]}"), "tracks[0], id:",
      "found number -1"),
    Malformed(
      "repeated id",
      documentText("{\"id\": 4, \"static\": [1, 2]},\n{\"id\": 4, \"static\": [1, 2]}"),
      "t.json:2:8", "tracks[1], id: 4 is already the id of tracks[0]"),
    Malformed(
      "no motion", track("\"name\": \"a\""), "tracks[0] (id 7): expected exactly one", "none"),
    Malformed(
      "two motions", track("\"static\": [1, 2], \"points\": [[1, 2]]"), "tracks[0] (id 7)",
      "found points and static"),
    Malformed("no points", track("\"points\": []"), "(id 7), points:", "found an empty list"),
    Malformed(
      "a point of three", track("\"start_frame\": 10, \"points\": [[1, 2], [1, 2, 3]]"),
      "tracks[0] (id 7), points[1] (frame 11): expected [x, y] or null, found a list of 3"),
    Malformed(
      "a point of text", track("\"points\": [[1, \"2\"]]"),
      "points[0] (frame 0), y: expected a number, found string \"2\""),
    Malformed(
      "NaN", track("\"points\": [[1, 2], null, [NaN, 2]]"),
      "tracks[0] (id 7), points[2] (frame 2), x: expected a finite number, found NaN"),
    Malformed(
      "infinity", track("\"points\": [[1, -Infinity]]"), "points[0] (frame 0), y:",
      "found -Infinity"),
    Malformed("overflow", track("\"points\": [[1e999, 1]]"), "points[0] (frame 0), x:", "Infinity"),
    Malformed(
      "huge coordinate", track("\"static\": [1, 2e6]"), "(id 7), static, y:", "1000000 in size"),
    Malformed("a pin of null", track("\"static\": null"), "static: expected [x, y], found null"),
    Malformed(
      "fewer flags than points", track("\"points\": [[1, 2], [1, 2]], \"visible\": [1]"),
      "(id 7), visible: expected 2 frames, as many as points, found 1"),
    Malformed(
      "a flag of two", track("\"static\": [1, 2], \"visible\": [1, 2]"),
      "visible[1]: expected 0 or 1, found number 2"),
    Malformed(
      "a flag of true", track("\"static\": [1, 2], \"visible\": [true]"), "visible[0]", "found true"
    ),
    Malformed(
      "a run of zero frames", track("\"static\": [1, 2], \"visible\": [[1, 0]]"), "visible[0]:",
      "found number 0"),
    Malformed(
      "runs and flags mixed", track("\"static\": [1, 2], \"visible\": [[1, 2], 0]"),
      "visible[1]: expected a run [0 or 1, number of frames], found number 0"),
    Malformed(
      "no keyframes", track("\"keyframes\": []"), "keyframes: expected a list", "an empty list"),
    Malformed(
      "keyframe without time", track("\"keyframes\": [{\"x\": 1, \"y\": 2}]"),
      "keyframes[0]: expected exactly one of frame and time"),
    Malformed(
      "keyframe without y", track("\"keyframes\": [{\"frame\": 0, \"x\": 1}]"),
      "keyframes[0], y: is missing"),
    Malformed(
      "keyframes out of order",
      track(
        "\"keyframes\": [{\"frame\": 9, \"x\": 1, \"y\": 2}, {\"time\": 0.5, \"x\": 1, \"y\": 2}]"),
      "keyframes[1]: keyframes must rise in time: frame 8 follows frame 9"),
    Malformed(
      "unknown ease",
      track("\"keyframes\": [{\"frame\": 0, \"x\": 1, \"y\": 2, \"ease\": \"bounce\"}]"),
      "keyframes[0], ease: expected one of \"linear\"", "bounce"),
    Malformed(
      "unknown ending", track("\"static\": [1, 2], \"after\": \"stop\""), "(id 7), after:",
      "\"drop\", \"hold\", \"loop\"", "stop"),
    Malformed(
      "name of a number", track("\"static\": [1, 2], \"name\": 3"), "(id 7), name:", "number 3"),
    Malformed(
      "negative start", track("\"static\": [1, 2], \"start_frame\": -4"), "(id 7), start_frame:",
      "found number -4"),
    Malformed(
      "NaN in an extension", track("\"static\": [1, 2], \"x-weight\": [NaN]"), "(id 7), x-weight:",
      "NaN"),
  ]

  @Test(arguments: documents)
  func aBrokenDocumentIsRefusedWithItsPlace(_ document: Malformed) {
    guard let error = failure(Data(document.text.utf8)) else {
      Issue.record("accepted: \(document.text.prefix(200))")
      return
    }
    for part in document.says {
      #expect(error.description.contains(part), "\(error)")
    }
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    let data = Data("{\"a\": \"".utf8) + Data([0xC3, 0x28]) + Data("\"}".utf8)
    #expect(failure(data)?.description.contains("t.json:1:7: not JSON: expected UTF-8") == true)
    let wide = Data([0xFF, 0xFE, 0x7B, 0])
    #expect(failure(wide)?.description.contains("found UTF-16") == true)
  }

  @Test func everyPrefixOfADocumentIsRefusedAndNoneCrashes() throws {
    let text = documentText(
      "{\"id\": 1, \"name\": \"é\\u00e9\", \"keyframes\": [{\"time\": 1.5e0, \"x\": -1, \"y\": 2}]}"
    )
    _ = try parse(text)
    let bytes = Data(text.utf8)
    for count in bytes.indices {
      #expect(failure(bytes.prefix(count)) != nil, "first \(count) bytes")
    }
  }

  @Test func unknownFieldsWarnOnceAndExtensionsDoNot() throws {
    let text = documentText(
      "{\"id\": 1, \"static\": [1, 2], \"speed\": 1, \"x-a\": 1}, "
        + "{\"id\": 2, \"static\": [1, 2], \"speed\": 1}")
    let (document, warnings) = try TrackDocument.parse(Data(text.utf8), name: "t")
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("tracks[0] (id 1): unknown field \"speed\"") == true)
    #expect(warnings.first?.contains("2 times in all") == true)
    #expect(document.tracks[0].extensions.map(\.name) == ["x-a"])
  }

  @Test func whatHasNoEffectWarns() throws {
    let text = documentText(
      "{\"id\": 1, \"points\": [[1, 2], null], \"after\": \"hold\"}, {\"id\": 2, \"keyframes\": "
        + "[{\"frame\": 0, \"x\": 1, \"y\": 1, \"ease\": \"spline\"}]}",
      head:
        "\"width\": 9, \"height\": 9, \"fps\": 9, \"frame_count\": 1, \"camera\": {\"preset\": \"pan\"}"
    )
    let warnings = try TrackDocument.parse(Data(text.utf8), name: "t").warnings.joined(
      separator: "\n")
    #expect(warnings.contains("tracks[0] (id 1), after: \"hold\" keeps nothing"))
    #expect(warnings.contains("tracks[0] (id 1): ends at frame 1, past frame_count 1"))
    #expect(warnings.contains("tracks[1] (id 2), keyframes[0], ease: has no effect"))
    #expect(warnings.contains("camera: kept"))
  }
}
