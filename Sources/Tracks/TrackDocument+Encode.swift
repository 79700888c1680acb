public import Foundation

extension TrackDocument {
  /// The document as canonical JSON: fields in the schema's order, one track per line, defaults
  /// left out, numbers in the shortest form that reads back the same.
  ///
  /// Parsing the result gives an equal document.
  public func encode() -> Data {
    let lines = tracks.map { "  " + $0.json }.joined(separator: ",\n")
    return Data((jsonBeforeTracks + lines + jsonAfterTracks).utf8)
  }

  /// The document's JSON up to its first track.
  var jsonBeforeTracks: String {
    var fields = [
      ("format", quoted(Self.format)), ("version", "\(Self.version)"), ("width", "\(width)"),
      ("height", "\(height)"),
    ]
    if coordinates != .pixel { fields.append(("coordinates", quoted(coordinates.rawValue))) }
    if pixelOrigin != .corner { fields.append(("pixel_origin", quoted(pixelOrigin.rawValue))) }
    switch fps {
    case .number(let value): fields.append(("fps", plain(value)))
    case .ratio: fields.append(("fps", quoted(fps.description)))
    }
    if let frameCount { fields.append(("frame_count", "\(frameCount)")) }
    return "{\n" + fields.map { " \(quoted($0.0)): \($0.1),\n" }.joined() + " \"tracks\": [\n"
  }

  /// The document's JSON after its last track.
  var jsonAfterTracks: String {
    var fields: [(String, String)] = []
    if let camera { fields.append(("camera", camera.json)) }
    if let source { fields.append(("source", source.json)) }
    fields += extensions.map { ($0.name, $0.value.json) }
    return "\n ]" + fields.map { ",\n \(quoted($0.0)): \($0.1)" }.joined() + "\n}\n"
  }
}

extension Track {
  fileprivate var json: String {
    var text = "{\"id\": \(id)"
    if let name { text += ", \"name\": \(quoted(name))" }
    if let group { text += ", \"group\": \(quoted(group))" }
    if let color { text += ", \"color\": \(quoted(color))" }
    if startFrame != 0 { text += ", \"start_frame\": \(startFrame)" }
    switch motion {
    case .points(let points):
      let items = points.map { $0.map(\.json) ?? "null" }
      text += ", \"points\": [\(items.joined(separator: ", "))]"
    case .keyframes(let keyframes):
      text += ", \"keyframes\": [\(keyframes.map(\.json).joined(separator: ", "))]"
    case .pinned(let position): text += ", \"static\": \(position.json)"
    }
    if visibility.count > 0 { text += ", \"visible\": \(visibility.json)" }
    if after != .drop { text += ", \"after\": \(quoted(after.rawValue))" }
    for member in extensions { text += ", \(quoted(member.name)): \(member.value.json)" }
    return text + "}"
  }
}

extension TrackPosition {
  var json: String { "[\(plain(x)), \(plain(y))]" }
}

extension Keyframe {
  fileprivate var json: String {
    let when =
      switch moment {
      case .frame(let frame): "\"frame\": \(frame)"
      case .seconds(let seconds): "\"time\": \(plain(seconds))"
      }
    let shape = ease == .linear ? "" : ", \"ease\": \(quoted(ease.rawValue))"
    return "{\(when), \"x\": \(plain(position.x)), \"y\": \(plain(position.y))\(shape)}"
  }
}

extension Visibility {
  /// Whether flags make the shorter text.
  static func isShorterAsFlags(runs: Int, frames: Int) -> Bool { runs * 4 > frames }

  /// Runs, or flags where those are shorter.
  fileprivate var json: String {
    if Self.isShorterAsFlags(runs: runs.count, frames: count) {
      let flags = runs.flatMap { repeatElement($0.visible ? "1" : "0", count: $0.count) }
      return "[\(flags.joined(separator: ", "))]"
    }
    return "[\(runs.map { "[\($0.visible ? 1 : 0), \($0.count)]" }.joined(separator: ", "))]"
  }
}

extension JSONValue {
  /// The value as JSON on one line. Numbers must be finite.
  package var json: String {
    switch kind {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .number(let value): return plain(value)
    case .string(let text): return quoted(text)
    case .array(let items): return "[\(items.map(\.json).joined(separator: ", "))]"
    case .object(let members):
      let fields = members.map { "\(quoted($0.name)): \($0.value.json)" }
      return "{\(fields.joined(separator: ", "))}"
    }
  }
}

/// A JSON string literal.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case "\0"..."\u{1F}":
      let code = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - code.count) + code
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
