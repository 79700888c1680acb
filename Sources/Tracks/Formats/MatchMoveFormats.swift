import Foundation

/// Text files of match-move programs. All but SynthEyes count y upwards from the bottom edge; all
/// put (0, 0) in a corner.
enum MatchMoveFormats {
  /// Nuke tracker ASCII: one track, `frame x y` between spaces, commas or colons; `#`, `;` and `/`
  /// start comments.
  static func readNuke(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let text = try TextLines(request)
    let first = try request.firstFrame()
    let height = Double(try request.size().height)
    var table = FrameTable(file: request.name)
    for line in text.lines {
      let cells = line.text.prefix { !"#;/".contains($0) }.split { " \t,:".contains($0) }
      if cells.isEmpty { continue }
      guard cells.count == 3 else {
        throw text.fail(line, "expected frame, x and y, found \(cells.count) cells")
      }
      let position = TrackPosition(
        x: try text.number(cells[1], "x", line), y: height - (try text.number(cells[2], "y", line)))
      try table.add(
        "1", frame: try text.whole(cells[0], "frame", line) - first, position, line: line.number)
    }
    return try request.document(try table.tracks(), fps: try request.fps())
  }

  /// 3DEqualizer 4: the number of points; per point its name, colour and number of frames, then
  /// `frame x y`, frames from 1.
  static func readThreeDE(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let text = try TextLines(request)
    let height = Double(try request.size().height)
    var table = FrameTable(file: request.name)
    var rest = text.lines[...]
    func next(_ what: String) throws(TrackError) -> TextLines.Line {
      guard let line = rest.popFirst() else {
        throw text.fail(text.lines.last, "expected \(what) after this line, found the end")
      }
      return line
    }
    func count(_ what: String) throws(TrackError) -> Int {
      let line = try next(what)
      let words = line.words
      guard words.count == 1 else { throw text.fail(line, "expected \(what)") }
      let value = try text.whole(words[0], what, line)
      guard value >= 0 else { throw text.fail(line, "\(what): \(value) is negative") }
      return value
    }
    for _ in 0..<(try count("the number of points")) {
      let header = try next("a point's name")
      let name = header.words.joined(separator: " ")
      _ = try count("the point's colour")
      for _ in 0..<(try count("the point's number of frames")) {
        let line = try next("frame x y")
        let words = line.words
        guard words.count == 3 else {
          throw text.fail(line, "expected frame x y, found \(words.count) words")
        }
        let position = TrackPosition(
          x: try text.number(words[1], "x", line),
          y: height - (try text.number(words[2], "y", line)))
        try table.add(
          name, frame: try text.whole(words[0], "frame", line) - 1, position, line: line.number)
      }
    }
    if let line = rest.first { throw text.fail(line, "expected the end after the last point") }
    return try request.document(try table.tracks(), fps: try request.fps())
  }

  /// Shake: `TrackName` and a name, a line of column names, then `frame x y correlation`, frames
  /// from 1.
  static func readShake(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let text = try TextLines(request)
    let height = Double(try request.size().height)
    var table = FrameTable(file: request.name)
    var name: String?
    for line in text.lines {
      let words = line.words
      if words[0] == "TrackName" {
        guard words.count >= 2 else { throw text.fail(line, "expected a name after TrackName") }
        name = words.dropFirst().joined(separator: " ")
      } else if words[0] == "Frame" {
        guard words.starts(with: ["Frame", "X", "Y"]) else {
          throw text.fail(line, "expected the columns Frame X Y Correlation")
        }
      } else {
        guard let name else { throw text.fail(line, "expected TrackName before the first row") }
        guard words.count == 4 else {
          throw text.fail(line, "expected frame x y correlation, found \(words.count) words")
        }
        let position = TrackPosition(
          x: try text.number(words[1], "x", line),
          y: height - (try text.number(words[2], "y", line)))
        _ = try text.number(words[3], "correlation", line)
        try table.add(
          name, frame: try text.whole(words[0], "frame", line) - 1, position, line: line.number)
      }
    }
    return try request.document(try table.tracks(), fps: try request.fps())
  }

  /// SynthEyes 2-D paths: `name frame u v outcome`. Of the outcome's bits, 4 says that u and v are
  /// usable (else the point is unspecified) and 32 that it is out of sight (hidden).
  static func readSynthEyes(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let text = try TextLines(request)
    let (width, height) = try request.size()
    var table = FrameTable(file: request.name)
    for line in text.lines {
      let words = line.words
      guard words.count == 5 else {
        throw text.fail(line, "expected name frame u v outcome, found \(words.count) words")
      }
      let frame = try text.whole(words[1], "frame", line)
      let u = try text.number(words[2], "u", line)
      let v = try text.number(words[3], "v", line)
      let outcome = try text.whole(words[4], "outcome", line)
      guard outcome & 4 != 0 else { continue }
      let position = TrackPosition(
        x: (u + 1) / 2 * Double(width), y: (v + 1) / 2 * Double(height))
      try table.add(
        String(words[0]), frame: frame, position, visible: outcome & 32 == 0, line: line.number)
    }
    return try request.document(try table.tracks(), fps: try request.fps())
  }
}
