import Foundation

/// The coordinate string of KJNodes' spline editor and of the ComfyUI nodes that take it:
/// `[{"x": 1, "y": 2}, …]` for one spline, a list of those for several; some versions put each
/// spline in a string of its own, and some write single quotes.
enum SplineFormat {
  static func read(
    _ request: ImportRequest
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    var warnings: [String] = []
    var data = request.data
    if !data.contains(UInt8(ascii: "\"")), data.contains(UInt8(ascii: "'")) {
      data = Data(data.map { $0 == UInt8(ascii: "'") ? UInt8(ascii: "\"") : $0 })
      warnings.append("single quotes are read as double quotes")
    }
    let root = try json(data, request, "")
    guard let items = root.array, !items.isEmpty else {
      throw request.fail(reason: "expected a list of splines, found \(root.summary)")
    }
    var splines: [(place: String, points: [JSONValue])] = []
    if case .object = items[0].kind {
      splines = [("spline 0", items)]
    } else {
      for (index, item) in items.enumerated() {
        let place = "spline \(index)"
        var item = item
        if let text = item.string {
          item = try json(
            Data(text.replacingOccurrences(of: "'", with: "\"").utf8), request, place)
        }
        guard let points = item.array, !points.isEmpty else {
          throw request.fail(
            place, reason: "expected a list of {x, y}, found \(item.summary)")
        }
        splines.append((place, points))
      }
    }
    var tracks: [Track] = []
    for (id, spline) in splines.enumerated() {
      var points: [TrackPosition?] = []
      for (index, item) in spline.points.enumerated() {
        guard let x = item["x"]?.number, let y = item["y"]?.number else {
          throw request.fail(
            "\(spline.place), point \(index)", reason: "expected {x, y}, found \(item.summary)")
        }
        points.append(TrackPosition(x: x, y: y))
      }
      tracks.append(Track(id: id, motion: .points(points)))
    }
    return (try request.document(tracks, fps: try request.fps()), warnings)
  }

  /// One spline as a list, several as a list of lists.
  static func write(
    _ document: TrackDocument, frames: Int?, name: String
  ) throws(TrackError) -> Data {
    let dense = try DenseTracks(document, frames: frames, name: name)
    var lists: [String] = []
    for (column, id) in dense.ids.enumerated() {
      var points: [String] = []
      var gap: Int?
      for frame in 0..<dense.frames {
        let cell = frame * dense.ids.count + column
        guard dense.specified[cell] else {
          gap = gap ?? frame
          continue
        }
        if let gap {
          throw TrackError(
            file: name, place: "track \(id), frame \(gap)",
            reason: "is unspecified, which a spline cannot say except at its end")
        }
        let (x, y) = (dense.coordinates[cell * 2], dense.coordinates[cell * 2 + 1])
        points.append("{\"x\": \(plain(x)), \"y\": \(plain(y))}")
      }
      lists.append("[\(points.joined(separator: ", "))]")
    }
    let text = lists.count == 1 ? lists[0] : "[\(lists.joined(separator: ",\n "))]"
    return Data((text + "\n").utf8)
  }

  private static func json(
    _ data: Data, _ request: ImportRequest, _ place: String
  ) throws(TrackError) -> JSONValue {
    do throws(JSONError) {
      return try JSONReader.parse(data)
    } catch {
      let (line, column) = JSONReader.place(of: error.offset, in: data)
      throw TrackError(
        file: request.name, line: line, column: column, place: place,
        reason: "not JSON: \(error.reason)")
    }
  }
}
