public import Foundation

extension TrackDocument {
  /// Reads a track document, JSON or NPZ (told apart by their first bytes).
  ///
  /// - Parameters:
  ///   - data: the whole file.
  ///   - name: the file as the user named it, for messages.
  ///   - options: canvas and frame rate for an NPZ file that lacks them.
  /// - Returns: the document, and warnings that each name their place.
  /// - Throws: ``TrackError`` that names file, line, track (index and id), field and frame.
  public static func parse(
    _ data: Data, name: String, options: TrackFileOptions = TrackFileOptions()
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    try checkSize(of: data, name: name)
    if data.starts(with: ZipArchive.magic) {
      return try TrackNPZ.decode(data, name: name, options: options)
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONReader.parse(data, allowNonFinite: true)
    } catch {
      let place = JSONReader.place(of: error.offset, in: data)
      throw TrackError(
        file: name, line: place.line, column: place.column, reason: "not JSON: \(error.reason)")
    }
    var reader = TrackDocumentReader(file: name, data: data)
    let document = try reader.document(root)
    return (document, reader.warnings)
  }
}

/// Refuses a file that is empty or larger than its kind may be.
func checkSize(of data: Data, name: String) throws(TrackError) {
  if data.isEmpty { throw TrackError(file: name, reason: "the file is empty") }
  let isArray = data.starts(with: ZipArchive.magic) || data.first == NpyArray.magic[0]
  let limit = isArray ? TrackLimits.bytes : TrackLimits.textBytes
  if data.count > limit {
    throw TrackError(file: name, reason: "expected at most \(limit) bytes, found \(data.count)")
  }
}

/// Turns parsed JSON into a document. Holds what messages need: the file, for lines and columns.
private struct TrackDocumentReader {
  let file: String
  let data: Data
  private var notes: [String] = []
  /// Unknown fields by kind of object and name: first place and how often.
  private var unknown: [String: (place: String, count: Int)] = [:]
  private var pointCount = 0

  init(file: String, data: Data) {
    self.file = file
    self.data = data
  }

  var warnings: [String] {
    notes
      + unknown.sorted { $0.key < $1.key }.map { field, found in
        let name = field.split(separator: ".").last ?? ""
        return "\(found.place): unknown field \"\(name)\" is ignored"
          + (found.count > 1 ? " (\(found.count) times in all)" : "")
          + "; names that start with x- are kept"
      }
  }

  // MARK: The document

  mutating func document(_ root: JSONValue) throws(TrackError) -> TrackDocument {
    guard case .object(let members) = root.kind else {
      throw fail(root, "", "expected an object, found \(root.summary)")
    }
    guard let format = root["format"] else {
      throw fail(root, "format", "is missing; expected \"\(TrackDocument.format)\"")
    }
    guard format.string == TrackDocument.format else {
      throw fail(
        format, "format", "expected \"\(TrackDocument.format)\", found \(format.summary)")
    }
    let version = try required(root, "version", "")
    guard version.number == Double(TrackDocument.version) else {
      throw fail(
        version, "version",
        "this program reads version \(TrackDocument.version), the file has \(version.summary)")
    }
    noteUnknown(
      members, "document",
      known: [
        "format", "version", "width", "height", "coordinates", "pixel_origin", "fps",
        "frame_count", "tracks", "camera", "source",
      ])
    let width = try integer(try required(root, "width", ""), "width", 1...TrackLimits.dimension)
    let height = try integer(try required(root, "height", ""), "height", 1...TrackLimits.dimension)
    let unit = try choice(root["coordinates"], "coordinates", CoordinateUnit.pixel)
    let origin = try choice(root["pixel_origin"], "pixel_origin", PixelOrigin.corner)
    if unit == .normalized, origin == .center, let node = root["pixel_origin"] {
      throw fail(
        node, "pixel_origin", "\"center\" has no meaning with normalized coordinates (0 to 1)")
    }
    let fps = try frameRate(try required(root, "fps", ""))
    var frameCount: Int?
    if let node = root["frame_count"], node.kind != .null {
      frameCount = try integer(node, "frame_count", 1...TrackLimits.frames)
    }
    for field in ["camera", "source"] {
      if let node = root[field], node.kind != .null { try finite(node, field) }
    }
    var document = TrackDocument(
      width: width, height: height, coordinates: unit, pixelOrigin: origin, fps: fps,
      frameCount: frameCount, tracks: [], camera: root["camera"].flatMap(nonNull),
      source: root["source"].flatMap(nonNull), extensions: try extensions(members, ""))
    document.tracks = try tracks(try required(root, "tracks", ""), document)
    if document.camera != nil {
      notes.append("camera: kept, but it moves nothing until it is expanded into tracks")
    }
    return document
  }

  private func frameRate(_ node: JSONValue) throws(TrackError) -> FrameRate {
    let wanted =
      "expected a number from \(TrackLimits.fps.lowerBound) to \(plain(TrackLimits.fps.upperBound))"
      + " or a ratio such as \"30000/1001\""
    switch node.kind {
    case .number(let value) where TrackLimits.fps.contains(value): return .number(value)
    case .string(let text):
      if text.contains("/"), let rate = FrameRate(text) { return rate }
      throw fail(node, "fps", "\(wanted), found \(node.summary)")
    default: throw fail(node, "fps", "\(wanted), found \(node.summary)")
    }
  }

  private mutating func tracks(
    _ node: JSONValue, _ document: TrackDocument
  ) throws(TrackError) -> [Track] {
    guard let items = node.array else {
      throw fail(node, "tracks", "expected a list, found \(node.summary)")
    }
    if items.isEmpty {
      throw fail(
        node, "tracks",
        document.camera == nil
          ? "expected at least one track, found an empty list"
          : "the file has a camera but no tracks; expand the camera into tracks first")
    }
    if items.count > TrackLimits.tracks {
      throw fail(
        node, "tracks", "expected at most \(TrackLimits.tracks) tracks, found \(items.count)")
    }
    var firstUse: [Int: Int] = [:]
    var tracks: [Track] = []
    tracks.reserveCapacity(items.count)
    for (index, item) in items.enumerated() {
      let track = try track(item, index, document)
      if let first = firstUse.updateValue(index, forKey: track.id) {
        throw fail(
          item["id"] ?? item, "tracks[\(index)], id",
          "\(track.id) is already the id of tracks[\(first)]; ids must differ")
      }
      tracks.append(track)
    }
    return tracks
  }

  // MARK: One track

  private mutating func track(
    _ node: JSONValue, _ index: Int, _ document: TrackDocument
  ) throws(TrackError) -> Track {
    var place = "tracks[\(index)]"
    guard case .object(let members) = node.kind else {
      throw fail(node, place, "expected an object, found \(node.summary)")
    }
    let id = try integer(
      try required(node, "id", place), "\(place), id", 0...TrackLimits.id)
    place += " (id \(id))"
    noteUnknown(
      members, "track", place: place,
      known: [
        "id", "name", "group", "color", "start_frame", "points", "visible", "keyframes",
        "static", "after",
      ])
    var track = Track(
      id: id, name: try text(node["name"], "\(place), name"),
      group: try text(node["group"], "\(place), group"),
      color: try text(node["color"], "\(place), color"), motion: .points([]),
      extensions: try extensions(members, place))
    if let start = node["start_frame"] {
      track.startFrame = try integer(start, "\(place), start_frame", 0...TrackLimits.frames)
    }
    track.after = try choice(node["after"], "\(place), after", AfterEnd.drop)
    let kinds = ["points", "keyframes", "static"].filter { node[$0] != nil }
    guard kinds.count == 1 else {
      throw fail(
        node, place,
        "expected exactly one of points, keyframes and static, found "
          + (kinds.isEmpty ? "none" : kinds.joined(separator: " and ")))
    }
    var frames: Int?
    if let list = node["points"] {
      let points = try points(list, place, track.startFrame)
      frames = points.count
      track.motion = .points(points)
      if track.after == .hold, points.last.map({ $0 == nil }) == true {
        notes.append("\(place), after: \"hold\" keeps nothing, because the last point is null")
      }
    } else if let list = node["keyframes"] {
      let keyframes = try keyframes(list, place, document.fps.value)
      track.motion = .keyframes(keyframes)
      if let last = keyframes.last?.frame(fps: document.fps.value) {
        frames = Int(last.rounded(.down)) + 1
      }
      if keyframes.count == 1, track.after == .drop {
        notes.append("\(place), keyframes: one keyframe with \"drop\" lasts a single frame")
      }
    } else if let node = node["static"] {
      track.motion = .pinned(try position(node, "\(place), static"))
    }
    if let node = node["visible"] {
      track.visibility = try visibility(node, "\(place), visible")
      if case .points(let points) = track.motion, track.visibility.count != points.count {
        throw fail(
          node, "\(place), visible",
          "expected \(points.count) frames, as many as points, found \(track.visibility.count)")
      }
    }
    if let count = document.frameCount, let frames, track.startFrame + frames > count {
      notes.append(
        "\(place): ends at frame \(track.startFrame + frames - 1), past frame_count \(count)")
    }
    return track
  }

  private mutating func points(
    _ node: JSONValue, _ place: String, _ start: Int
  ) throws(TrackError) -> [TrackPosition?] {
    let items = try list(node, "\(place), points")
    pointCount += items.count
    if pointCount > TrackLimits.points {
      throw fail(node, "\(place), points", "more than \(TrackLimits.points) points in one file")
    }
    var points: [TrackPosition?] = []
    points.reserveCapacity(items.count)
    for (index, item) in items.enumerated() {
      if case .null = item.kind {
        points.append(nil)
      } else if let point = plainPosition(item) {
        points.append(point)
      } else {
        points.append(
          try position(item, "\(place), points[\(index)] (frame \(start + index))", orNull: true))
      }
    }
    if points.allSatisfy({ $0 == nil }) {
      notes.append("\(place), points: every point is null, so the track says nothing")
    }
    return points
  }

  private mutating func keyframes(
    _ node: JSONValue, _ place: String, _ fps: Double
  ) throws(TrackError) -> [Keyframe] {
    var keyframes: [Keyframe] = []
    for (index, item) in try list(node, "\(place), keyframes").enumerated() {
      let place = "\(place), keyframes[\(index)]"
      guard case .object(let members) = item.kind else {
        throw fail(item, place, "expected an object, found \(item.summary)")
      }
      noteUnknown(
        members, "keyframe", place: place, known: ["frame", "time", "x", "y", "ease"])
      let moment: Keyframe.Moment
      switch (item["frame"], item["time"]) {
      case (let frame?, nil):
        moment = .frame(try integer(frame, "\(place), frame", 0...TrackLimits.frames))
      case (nil, let time?):
        let limit = Double(TrackLimits.frames) / fps
        guard let seconds = time.number, (0...limit).contains(seconds) else {
          throw fail(
            time, "\(place), time",
            "expected seconds from 0 to \(plain(limit)), found \(time.summary)")
        }
        moment = .seconds(seconds)
      default:
        throw fail(item, place, "expected exactly one of frame and time")
      }
      let x = try coordinate(try required(item, "x", place), "\(place), x")
      let y = try coordinate(try required(item, "y", place), "\(place), y")
      let ease = try choice(item["ease"], "\(place), ease", Easing.linear)
      let keyframe = Keyframe(moment, TrackPosition(x: x, y: y), ease: ease)
      if let last = keyframes.last, keyframe.frame(fps: fps) <= last.frame(fps: fps) {
        throw fail(
          item, place,
          "keyframes must rise in time: frame \(plain(keyframe.frame(fps: fps)))"
            + " follows frame \(plain(last.frame(fps: fps)))")
      }
      if index == 0, ease != .linear {
        notes.append(
          "\(place), ease: has no effect; it shapes the movement that arrives at a keyframe")
      }
      keyframes.append(keyframe)
    }
    return keyframes
  }

  private func visibility(_ node: JSONValue, _ place: String) throws(TrackError) -> Visibility {
    let items = try list(node, place)
    let asRuns = items.first?.array != nil
    var total = 0
    var runs: [(visible: Bool, count: Int)] = []
    for (index, item) in items.enumerated() {
      let place = "\(place)[\(index)]"
      if asRuns {
        guard let pair = item.array, pair.count == 2 else {
          throw fail(
            item, place, "expected a run [0 or 1, number of frames], found \(item.summary)")
        }
        let visible = try integer(pair[0], place, 0...1) == 1
        let count = try integer(pair[1], place, 1...TrackLimits.frames)
        runs.append((visible, count))
        total += count
      } else {
        guard item.number == 0 || item.number == 1 else {
          throw fail(item, place, "expected 0 or 1, found \(item.summary)")
        }
        runs.append((item.number == 1, 1))
        total += 1
      }
      if total > TrackLimits.frames {
        throw fail(item, place, "more than \(TrackLimits.frames) frames")
      }
    }
    return Visibility(runs: runs)
  }

  // MARK: Values

  private func list(_ node: JSONValue, _ place: String) throws(TrackError) -> [JSONValue] {
    guard let items = node.array, !items.isEmpty, items.count <= TrackLimits.frames else {
      throw fail(
        node, place, "expected a list of 1 to \(TrackLimits.frames) items, found \(node.summary)")
    }
    return items
  }

  /// The quick way for the many: a pair of numbers in range, or nil for anything else.
  private func plainPosition(_ node: JSONValue) -> TrackPosition? {
    guard case .array(let pair) = node.kind, pair.count == 2,
      case .number(let x) = pair[0].kind, case .number(let y) = pair[1].kind,
      abs(x) <= TrackLimits.coordinate, abs(y) <= TrackLimits.coordinate
    else { return nil }
    return TrackPosition(x: x, y: y)
  }

  private func position(
    _ node: JSONValue, _ place: String, orNull: Bool = false
  ) throws(TrackError) -> TrackPosition {
    guard let pair = node.array, pair.count == 2 else {
      throw fail(
        node, place, "expected [x, y]\(orNull ? " or null" : ""), found \(node.summary)")
    }
    return TrackPosition(
      x: try coordinate(pair[0], "\(place), x"), y: try coordinate(pair[1], "\(place), y"))
  }

  private func coordinate(_ node: JSONValue, _ place: String) throws(TrackError) -> Double {
    guard let value = node.number else {
      throw fail(node, place, "expected a number, found \(node.summary)")
    }
    guard value.isFinite else {
      throw fail(node, place, "expected a finite number, found \(node.summary)")
    }
    guard abs(value) <= TrackLimits.coordinate else {
      throw fail(
        node, place,
        "expected at most \(plain(TrackLimits.coordinate)) in size, found \(node.summary)")
    }
    return value
  }

  private func integer(
    _ node: JSONValue, _ place: String, _ range: ClosedRange<Int>
  ) throws(TrackError) -> Int {
    guard let value = node.number, value == value.rounded(),
      value >= Double(range.lowerBound), value <= Double(range.upperBound)
    else {
      throw fail(
        node, place,
        "expected a whole number from \(range.lowerBound) to \(range.upperBound), "
          + "found \(node.summary)")
    }
    return Int(value)
  }

  private func text(_ node: JSONValue?, _ place: String) throws(TrackError) -> String? {
    guard let node, node.kind != .null else { return nil }
    guard let text = node.string, text.count <= TrackLimits.text else {
      throw fail(
        node, place, "expected at most \(TrackLimits.text) characters, found \(node.summary)")
    }
    return text
  }

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ node: JSONValue?, _ place: String, _ preset: Choice
  ) throws(TrackError) -> Choice {
    guard let node else { return preset }
    if let text = node.string, let value = Choice(rawValue: text) { return value }
    let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    throw fail(node, place, "expected one of \(names), found \(node.summary)")
  }

  private func required(
    _ node: JSONValue, _ field: String, _ place: String
  ) throws(TrackError) -> JSONValue {
    if let value = node[field] { return value }
    throw fail(node, place.isEmpty ? field : "\(place), \(field)", "is missing")
  }

  private func nonNull(_ node: JSONValue) -> JSONValue? { node.kind == .null ? nil : node }

  private func finite(_ node: JSONValue, _ place: String) throws(TrackError) {
    if let bad = node.firstNonFinite {
      throw fail(bad, place, "expected finite numbers, found \(bad.summary)")
    }
  }

  private func extensions(
    _ members: [JSONMember], _ place: String
  ) throws(TrackError) -> [JSONMember] {
    let kept = members.filter { $0.name.hasPrefix("x-") }
    for member in kept {
      try finite(member.value, place.isEmpty ? member.name : "\(place), \(member.name)")
    }
    return kept
  }

  private mutating func noteUnknown(
    _ members: [JSONMember], _ kind: String, place: String = "", known: Set<String>
  ) {
    for member in members
    where !known.contains(member.name) && !member.name.hasPrefix("x-") {
      let first =
        place.isEmpty ? "line \(JSONReader.place(of: member.value.offset, in: data).line)" : place
      unknown["\(kind).\(member.name)", default: (first, 0)].count += 1
    }
  }

  private func fail(_ node: JSONValue, _ place: String, _ reason: String) -> TrackError {
    let (line, column) = JSONReader.place(of: node.offset, in: data)
    return TrackError(file: file, line: line, column: column, place: place, reason: reason)
  }
}
