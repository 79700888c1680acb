import Foundation

/// SVG `path` elements as tracks: each is walked once at even speed for the given duration.
///
/// The canvas is the `viewBox`, else `width` and `height` in pixels. Transforms are refused, not
/// ignored; a drawing program can flatten them. Coordinates keep the corner origin SVG has.
enum SVGFormat {
  static func read(
    _ request: ImportRequest
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    guard let text = String(validating: request.data, as: UTF8.self) else {
      throw request.fail(reason: "expected UTF-8 text, found invalid bytes")
    }
    let elements = try XMLTags.scan(text, file: request.name)
    guard let svg = elements.first(where: { $0.name == "svg" }) else {
      throw request.fail(reason: "there is no <svg> element")
    }
    if let moved = elements.first(where: { $0.attributes["transform"] != nil }) {
      throw request.fail(
        line: moved.line, "<\(moved.name)>",
        reason: "has a transform, which is not applied; flatten it in the drawing program")
    }
    let canvas = try canvas(svg, request)
    let fps = try request.fps()
    let steps = max(1, Int((try request.duration() * fps.value).rounded()))
    var tracks: [Track] = []
    for element in elements where element.name == "path" {
      let place = "path \(tracks.count)" + (element.attributes["id"].map { " \"\($0)\"" } ?? "")
      guard let data = element.attributes["d"] else {
        throw request.fail(line: element.line, place, reason: "has no d attribute")
      }
      if (tracks.count + 1) * (steps + 1) > TrackLimits.points {
        throw request.fail(line: element.line, place, reason: "too many points in one file")
      }
      let line: [TrackPosition]
      do throws(SVGPathError) {
        line = try SVGPath.flatten(data)
      } catch {
        throw request.fail(
          line: element.line, "\(place), d, character \(error.offset + 1)", reason: error.reason)
      }
      let points = walk(line, steps: steps).map {
        TrackPosition(x: $0.x - canvas.x, y: $0.y - canvas.y)
      }
      tracks.append(
        Track(
          id: tracks.count, name: element.attributes["id"], motion: .points(points), after: .hold))
    }
    if tracks.isEmpty { throw request.fail(reason: "there is no <path> element") }
    let others = Set(elements.map(\.name)).intersection([
      "circle", "ellipse", "line", "polyline", "polygon", "rect", "use",
    ])
    let warnings = others.sorted().map { "<\($0)> is not a path; ignored" }
    let document = TrackDocument(
      width: canvas.width, height: canvas.height, fps: fps, frameCount: steps + 1, tracks: tracks)
    return (document, warnings)
  }

  private static func canvas(
    _ svg: XMLTags.Element, _ request: ImportRequest
  ) throws(TrackError) -> (x: Double, y: Double, width: Int, height: Int) {
    var box: [Double]
    if let text = svg.attributes["viewBox"] {
      box = text.split { " ,\t\n\r".contains($0) }.compactMap { Double($0) }
      guard box.count == 4 else {
        throw request.fail(
          line: svg.line, "viewBox", reason: "expected four numbers, found \"\(text)\"")
      }
    } else {
      func pixels(_ text: String?) -> Double? {
        text.flatMap { Double($0.hasSuffix("px") ? String($0.dropLast(2)) : $0) }
      }
      if let width = pixels(svg.attributes["width"]), let height = pixels(svg.attributes["height"])
      {
        box = [0, 0, width, height]
      } else {
        let size = try request.size()
        box = [0, 0, Double(size.width), Double(size.height)]
      }
    }
    let sizes = 1...Double(TrackLimits.dimension)
    guard box.allSatisfy(\.isFinite), sizes.contains(box[2]), sizes.contains(box[3]),
      box[2] == box[2].rounded(), box[3] == box[3].rounded()
    else {
      throw request.fail(
        line: svg.line, "viewBox",
        reason:
          "expected a whole size from 1 to \(TrackLimits.dimension), found \(box[2]) x \(box[3])")
    }
    return (box[0], box[1], Int(box[2]), Int(box[3]))
  }

  /// `steps` + 1 places at even distances along a line of short pieces.
  private static func walk(_ line: [TrackPosition], steps: Int) -> [TrackPosition] {
    var lengths = [0.0]
    for (start, end) in zip(line, line.dropFirst()) {
      lengths.append((lengths.last ?? 0) + hypot(end.x - start.x, end.y - start.y))
    }
    let total = lengths.last ?? 0
    var piece = 0
    return (0...steps).map { step in
      let wanted = total * Double(step) / Double(steps)
      while piece + 2 < line.count, lengths[piece + 1] < wanted { piece += 1 }
      if line.count < 2 || total == 0 { return line[0] }
      let span = lengths[piece + 1] - lengths[piece]
      let share = span > 0 ? min(1, (wanted - lengths[piece]) / span) : 0
      return line[piece].moved(share, towards: line[piece + 1])
    }
  }
}

/// Start tags of an XML text with their attributes; comments and declarations are skipped. Enough
/// to find paths, not a general XML parser.
enum XMLTags {
  struct Element {
    var name: String
    var attributes: [String: String]
    var line: Int
  }

  static func scan(_ text: String, file: String) throws(TrackError) -> [Element] {
    var elements: [Element] = []
    let bytes = Array(text.utf8)
    var position = 0
    func fail(_ reason: String) -> TrackError {
      let (line, column) = JSONReader.place(of: position, in: Data(bytes))
      return TrackError(file: file, line: line, column: column, reason: reason)
    }
    func skip(past end: String, from start: Int) throws(TrackError) {
      let mark = Array(end.utf8)
      var here = start
      while here + mark.count <= bytes.count {
        if bytes[here..<here + mark.count].elementsEqual(mark) {
          position = here + mark.count
          return
        }
        here += 1
      }
      throw fail("expected \"\(end)\" before the end of the file")
    }
    func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    func word() -> String {
      let start = position
      while position < bytes.count, !isSpace(bytes[position]), !"=/>".utf8.contains(bytes[position])
      { position += 1 }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }
    func skipSpace() { while position < bytes.count, isSpace(bytes[position]) { position += 1 } }
    var line = 1
    var counted = 0
    while let open = bytes[position...].firstIndex(of: UInt8(ascii: "<")) {
      position = open
      let head = String(decoding: bytes[open..<min(open + 9, bytes.count)], as: UTF8.self)
      if head.hasPrefix("<!--") {
        try skip(past: "-->", from: open + 4)
      } else if head.hasPrefix("<![CDATA[") {
        try skip(past: "]]>", from: open + 9)
      } else if head.hasPrefix("<?") || head.hasPrefix("<!") || head.hasPrefix("</") {
        try skip(past: ">", from: open + 2)
      } else {
        line += bytes[counted..<open].count { $0 == 10 }
        counted = open
        position += 1
        let qualified = word()
        var element = Element(
          name: qualified.split(separator: ":").last.map(String.init) ?? "", attributes: [:],
          line: line)
        if element.name.isEmpty { throw fail("expected an element name after \"<\"") }
        while true {
          skipSpace()
          guard position < bytes.count else { throw fail("the element is not closed") }
          if bytes[position] == UInt8(ascii: ">") { break }
          if bytes[position] == UInt8(ascii: "/") {
            position += 1
            continue
          }
          let name = word()
          skipSpace()
          guard !name.isEmpty, position < bytes.count, bytes[position] == UInt8(ascii: "=") else {
            throw fail("expected an attribute, name=\"value\"")
          }
          position += 1
          skipSpace()
          guard position < bytes.count, bytes[position] == 34 || bytes[position] == 39,
            let end = bytes[(position + 1)...].firstIndex(of: bytes[position])
          else { throw fail("expected the attribute \(name) in quotes") }
          let value = String(decoding: bytes[position + 1..<end], as: UTF8.self)
          if element.attributes.updateValue(value, forKey: name) != nil {
            throw fail("the attribute \(name) appears twice")
          }
          position = end + 1
        }
        elements.append(element)
      }
    }
    return elements
  }
}
