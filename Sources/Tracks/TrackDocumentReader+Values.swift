import Foundation

/// Single values of a document, each checked, each refusal with its place.
extension TrackDocumentReader {
  func list(_ node: JSONValue, _ place: String) throws(TrackError) -> [JSONValue] {
    guard let items = node.array, !items.isEmpty, items.count <= TrackLimits.frames else {
      throw fail(
        node, place, "expected a list of 1 to \(TrackLimits.frames) items, found \(node.summary)")
    }
    return items
  }

  /// The quick way for the many: a pair of numbers in range, or nil for anything else.
  func plainPosition(_ node: JSONValue) -> TrackPosition? {
    guard case .array(let pair) = node.kind, pair.count == 2,
      case .number(let x) = pair[0].kind, case .number(let y) = pair[1].kind,
      abs(x) <= TrackLimits.coordinate, abs(y) <= TrackLimits.coordinate
    else { return nil }
    return TrackPosition(x: x, y: y)
  }

  func position(
    _ node: JSONValue, _ place: String, orNull: Bool = false
  ) throws(TrackError) -> TrackPosition {
    guard let pair = node.array, pair.count == 2 else {
      throw fail(
        node, place, "expected [x, y]\(orNull ? " or null" : ""), found \(node.summary)")
    }
    return TrackPosition(
      x: try coordinate(pair[0], "\(place), x"), y: try coordinate(pair[1], "\(place), y"))
  }

  func coordinate(_ node: JSONValue, _ place: String) throws(TrackError) -> Double {
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

  func integer(
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

  func text(_ node: JSONValue?, _ place: String) throws(TrackError) -> String? {
    guard let node, node.kind != .null else { return nil }
    guard let text = node.string, text.count <= TrackLimits.text else {
      throw fail(
        node, place, "expected at most \(TrackLimits.text) characters, found \(node.summary)")
    }
    return text
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ node: JSONValue?, _ place: String, _ preset: Choice
  ) throws(TrackError) -> Choice {
    guard let node else { return preset }
    if let text = node.string, let value = Choice(rawValue: text) { return value }
    let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    throw fail(node, place, "expected one of \(names), found \(node.summary)")
  }

  func required(
    _ node: JSONValue, _ field: String, _ place: String
  ) throws(TrackError) -> JSONValue {
    if let value = node[field] { return value }
    throw fail(node, place.isEmpty ? field : "\(place), \(field)", "is missing")
  }

  func nonNull(_ node: JSONValue) -> JSONValue? { node.kind == .null ? nil : node }

  func finite(_ node: JSONValue, _ place: String) throws(TrackError) {
    if let bad = node.firstNonFinite {
      throw fail(bad, place, "expected finite numbers, found \(bad.summary)")
    }
  }

  func extensions(
    _ members: [JSONMember], _ place: String
  ) throws(TrackError) -> [JSONMember] {
    let kept = members.filter { $0.name.hasPrefix("x-") }
    for member in kept {
      try finite(member.value, place.isEmpty ? member.name : "\(place), \(member.name)")
    }
    return kept
  }

  mutating func noteUnknown(
    _ members: [JSONMember], _ kind: String, place: String = "", known: Set<String>
  ) {
    for member in members
    where !known.contains(member.name) && !member.name.hasPrefix("x-") {
      let first =
        place.isEmpty ? "line \(JSONReader.place(of: member.value.offset, in: data).line)" : place
      unknown["\(kind).\(member.name)", default: (first, 0)].count += 1
    }
  }

  func fail(_ node: JSONValue, _ place: String, _ reason: String) -> TrackError {
    let (line, column) = JSONReader.place(of: node.offset, in: data)
    return TrackError(file: file, line: line, column: column, place: place, reason: reason)
  }
}
