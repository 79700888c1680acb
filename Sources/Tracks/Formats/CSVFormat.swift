import Foundation

/// `frame,track,x,y[,visible]`, one row per point, with that header. Frames count from 0, the
/// track is its id, visible is 0 or 1; a frame without a row is unspecified.
enum CSVFormat {
  static func read(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let text = try TextLines(request)
    func cells(_ line: TextLines.Line) -> [Substring] {
      line.text.split(separator: ",", omittingEmptySubsequences: false).map { cell in
        let head = cell.drop { $0 == " " || $0 == "\t" }
        return head.prefix(head.count - head.reversed().prefix { $0 == " " || $0 == "\t" }.count)
      }
    }
    let wanted = ["frame", "track", "x", "y"]
    guard let first = text.lines.first,
      [wanted, wanted + ["visible"]].contains(cells(first).map { $0.lowercased() })
    else {
      throw text.fail(
        text.lines.first, "expected the header frame,track,x,y or frame,track,x,y,visible")
    }
    let columns = cells(first).count
    var table = FrameTable(file: request.name)
    for line in text.lines.dropFirst() {
      let row = cells(line)
      guard row.count == columns else {
        throw text.fail(line, "expected \(columns) cells as in the header, found \(row.count)")
      }
      let track = try text.whole(row[1], "track", line)
      guard track >= 0 else { throw text.fail(line, "track \(track) is negative") }
      let position = TrackPosition(
        x: try text.number(row[2], "x", line), y: try text.number(row[3], "y", line))
      let flag = columns == 5 ? try text.whole(row[4], "visible", line) : 1
      guard flag == 0 || flag == 1 else {
        throw text.fail(line, "visible: expected 0 or 1, found \(flag)")
      }
      try table.add(
        "\(track)", frame: try text.whole(row[0], "frame", line), position, visible: flag == 1,
        line: line.number)
    }
    return try request.document(
      try table.tracks(namesAreIDs: true), fps: try request.fps())
  }

  static func write(
    _ document: TrackDocument, frames: Int?, name: String
  ) throws(TrackError) -> Data {
    let dense = try DenseTracks(document, frames: frames, name: name)
    var text = "frame,track,x,y,visible\n"
    for frame in 0..<dense.frames {
      for (column, id) in dense.ids.enumerated() {
        let cell = frame * dense.ids.count + column
        guard dense.specified[cell] else { continue }
        let (x, y) = (dense.coordinates[cell * 2], dense.coordinates[cell * 2 + 1])
        text += "\(frame),\(id),\(plain(x)),\(plain(y)),\(dense.visible[cell] ? 1 : 0)\n"
      }
    }
    return Data(text.utf8)
  }
}
