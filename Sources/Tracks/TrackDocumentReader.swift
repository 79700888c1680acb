import Foundation

/// Turns parsed JSON into a document. Holds what messages need: the file, for lines and columns.
struct TrackDocumentReader {
  let file: String
  let data: Data
  private var notes: [String] = []
  /// Unknown fields by kind of object and name: first place and how often.
  var unknown: [String: (place: String, count: Int)] = [:]
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
}
