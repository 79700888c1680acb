import Foundation
import Testing
import Tracks

/// A broken file of another program and what its message must contain.
struct MalformedFile: CustomTestStringConvertible, Sendable {
  var format: TrackFormat
  var data: Data
  var says: String
  var testDescription: String { "\(format.rawValue): \(says)" }

  init(_ format: TrackFormat, _ text: String, _ says: String) {
    self.init(format, Data(text.utf8), says)
  }

  init(_ format: TrackFormat, _ data: Data, _ says: String) {
    self.format = format
    self.data = data
    self.says = says
  }
}

private func after(_ rows: String, header: String = "\tSource Height\t96\n") -> String {
  "Adobe After Effects 8.0 Keyframe Data\n\tUnits Per Second\t25\n\tSource Width\t160\n\(header)"
    + "\tSource Pixel Aspect Ratio\t1\nTransform\tPosition\n\tFrame\tX pixels\tY pixels\n\(rows)"
}

private func svg(_ path: String) -> String {
  "<svg viewBox=\"0 0 160 96\">\n<path d=\"\(path)\"/></svg>"
}

@Suite struct MalformedFormatTests {
  static let files: [MalformedFile] = [
    MalformedFile(.spline, "{}", "expected a list of splines"),
    MalformedFile(.spline, "[]", "found an empty list"),
    MalformedFile(.spline, "[{\"x\": 1, \"y\": 2}, {\"x\": 1}]", "spline 0, point 1"),
    MalformedFile(.spline, "[[{\"x\": 1, \"y\": 2}], 3]", "spline 1: expected a list of {x, y}"),
    MalformedFile(.spline, "[\"[{'x': 1\"]", "spline 0: not JSON"),
    MalformedFile(.spline, "[{\"x\": 1e9, \"y\": 2}]", "points[0] (frame 0), x"),
    MalformedFile(.spline, "[{\"x\": NaN, \"y\": 2}]", "f:1:8: not JSON"),
    MalformedFile(.csv, "x,y\n1,2\n", "expected the header frame,track,x,y"),
    MalformedFile(.csv, "frame,track,x,y\n", "there is no track"),
    MalformedFile(
      .csv, "frame,track,x,y\n0,0,1\n", "f:2: expected 4 cells as in the header, found 3"),
    MalformedFile(.csv, "frame,track,x,y\n0,0,a,1\n", "f:2: x: expected a number, found \"a\""),
    MalformedFile(.csv, "frame,track,x,y\n0,0,nan,1\n", "f:2: x: expected a number, found \"nan\""),
    MalformedFile(.csv, "frame,track,x,y\n0,-1,1,1\n", "track -1 is negative"),
    MalformedFile(.csv, "frame,track,x,y\n-1,0,1,1\n", "f:2: track 0: frame -1"),
    MalformedFile(.csv, "frame,track,x,y\n0.5,0,1,1\n", "frame: expected a whole number"),
    MalformedFile(
      .csv, "frame,track,x,y\n0,0,1,1\n0,0,1,1\n",
      "f:3: track 0, frame 0: was already given in line 2"),
    MalformedFile(
      .csv, "frame,track,x,y,visible\n0,0,1,1,2\n", "visible: expected 0 or 1, found 2"),
    MalformedFile(.csv, Data([0x66, 0xFF, 0xFE]), "expected UTF-8"),
    MalformedFile(.svg, "hello", "there is no <svg>"),
    MalformedFile(.svg, "<svg viewBox='0 0 160 96'></svg>", "there is no <path>"),
    MalformedFile(.svg, "<svg viewBox='0 0 160'><path d='M0 0'/></svg>", "expected four numbers"),
    MalformedFile(.svg, "<svg viewBox='0 0 9.5 9'><path d='M0 0'/></svg>", "expected a whole size"),
    MalformedFile(
      .svg, "<svg><g transform='scale(2)'><path d='M0 0'/></g></svg>", "has a transform"),
    MalformedFile(.svg, "<svg><path id='a'/></svg>", "path 0 \"a\": has no d attribute"),
    MalformedFile(.svg, "<svg><path d='M0 0'", "the element is not closed"),
    MalformedFile(.svg, "<svg a=1>", "expected the attribute a in quotes"),
    MalformedFile(.svg, "<svg><!-- ", "expected \"-->\""),
    MalformedFile(.svg, svg(""), "the path is empty"),
    MalformedFile(.svg, svg("L 1 1"), "must start with M"),
    MalformedFile(
      .svg, svg("M 1 1 L 2"), "f:2: path 0, d, character 10: expected a number, found the end"),
    MalformedFile(.svg, svg("M 1 1 M 2 2"), "a second subpath"),
    MalformedFile(.svg, svg("M 1 1 X 2 2"), "unknown command \"X\""),
    MalformedFile(.svg, svg("M 1 1 Z 2 2"), "expected a command letter"),
    MalformedFile(.svg, svg("M 1 1 A 2 2 0 2 0 5 5"), "expected an arc flag"),
    MalformedFile(.svg, svg("M 1 1e99"), "expected a number"),
    MalformedFile(.afterEffects, "Frame X Y", "f:1: expected \"Adobe After Effects"),
    MalformedFile(.afterEffects, after("\t1\t1\t2\n"), "\"End of Keyframe Data\" is missing"),
    MalformedFile(.afterEffects, after("End of Keyframe Data"), "there are no positions"),
    MalformedFile(.afterEffects, after("\t0\t1\nEnd of Keyframe Data"), "expected frame, x and y"),
    MalformedFile(
      .afterEffects, after("\t5\t1\t2\n\t5\t1\t2\nEnd of Keyframe Data"), "frame 5 does not follow"),
    MalformedFile(
      .afterEffects, after("\t0\t1\t2\nEnd of Keyframe Data"),
      "frame 0 lies before the first frame 1"),
    MalformedFile(
      .afterEffects, after("\t1\t1\t2\nEnd of Keyframe Data", header: ""),
      "\"Source Height\" is missing"),
    MalformedFile(
      .afterEffects, after("\t1\t1\t2\nEnd of Keyframe Data", header: "\tSource Height\t0\n"),
      "160.0 x 0.0"),
    MalformedFile(.nuke, "# nothing\n", "there is no track"),
    MalformedFile(.nuke, "1 2\n", "f:1: expected frame, x and y, found 2 cells"),
    MalformedFile(.nuke, "1 2 3\n1 2 3\n", "f:2: track 1, frame 0: was already given in line 1"),
    MalformedFile(.nuke, "0 2 3\n", "frame -1 (counted from 0)"),
    MalformedFile(.nuke, "1 2 inf\n", "y: expected a number"),
    MalformedFile(.nuke, "1.5 2 3\n", "frame: expected a whole number"),
    MalformedFile(.threeDE, "x\n", "the number of points: expected a number"),
    MalformedFile(.threeDE, "-1\n", "the number of points: -1 is negative"),
    MalformedFile(.threeDE, "1\na\n0\n2\n1 2 3\n", "f:5: expected frame x y after this line"),
    MalformedFile(.threeDE, "1\na\n0\n1\n1 2\n", "f:5: expected frame x y, found 2 words"),
    MalformedFile(.threeDE, "0\n", "there is no track"),
    MalformedFile(.threeDE, "1\na\n0\n1\n1 2 3\nb\n", "f:6: expected the end"),
    MalformedFile(.threeDE, "1\na\n0\n1\n0 2 3\n", "frame -1"),
    MalformedFile(.shake, "1 2 3 4\n", "f:1: expected TrackName"),
    MalformedFile(.shake, "TrackName\n", "expected a name after TrackName"),
    MalformedFile(.shake, "TrackName a\nFrame Y X\n", "expected the columns Frame X Y"),
    MalformedFile(.shake, "TrackName a\n1 2 3\n", "found 3 words"),
    MalformedFile(.shake, "TrackName a\n1 2 x 1\n", "f:2: y: expected a number"),
    MalformedFile(.shake, "TrackName a\n", "there is no track"),
    MalformedFile(.synthEyes, "a 0 0 0\n", "expected name frame u v outcome, found 4 words"),
    MalformedFile(.synthEyes, "a -1 0 0 7\n", "frame -1"),
    MalformedFile(.synthEyes, "a 0 u 0 7\n", "u: expected a number"),
    MalformedFile(.synthEyes, "a 0 0 0 x\n", "outcome: expected a number"),
    MalformedFile(.synthEyes, "a 0 0 0 3\n", "there is no track"),
    MalformedFile(.synthEyes, "a 0 0 0 7\na 0 0 0 7\n", "f:2: track a, frame 0"),
  ]

  @Test(arguments: files)
  func aBrokenFileIsRefusedWithItsPlace(_ file: MalformedFile) {
    let options = ImportOptions(
      size: (width: 160, height: 96), fps: .number(16), firstFrame: 1, duration: 1)
    do throws(TrackError) {
      _ = try file.format.read(file.data, name: "f", options: options)
      Issue.record("accepted: \(file.says)")
    } catch {
      #expect(error.description.contains(file.says), "\(error)")
    }
  }

  @Test func anEmptyFileIsRefusedInEveryFormat() {
    for format in TrackFormat.allCases {
      #expect(throws: TrackError.self) { try format.read(Data(), name: "f") }
    }
  }
}
