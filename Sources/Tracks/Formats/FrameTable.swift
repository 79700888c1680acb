import Foundation

/// Rows of (track, frame, position) in any order, as text formats have them.
struct FrameTable {
  private struct Cell {
    var position: TrackPosition
    var visible: Bool
    var line: Int
  }

  private var names: [String] = []
  private var rows: [String: [Int: Cell]] = [:]
  private let file: String

  init(file: String) {
    self.file = file
  }

  /// Adds a row; frames count from 0.
  mutating func add(
    _ name: String, frame: Int, _ position: TrackPosition, visible: Bool = true, line: Int
  ) throws(TrackError) {
    guard (0..<TrackLimits.frames).contains(frame) else {
      throw TrackError(
        file: file, line: line, place: "track \(name)",
        reason: "frame \(frame) (counted from 0) is outside 0 to \(TrackLimits.frames - 1)")
    }
    if rows[name] == nil { names.append(name) }
    let old = rows[name, default: [:]].updateValue(
      Cell(position: position, visible: visible, line: line), forKey: frame)
    if let old {
      throw TrackError(
        file: file, line: line, place: "track \(name), frame \(frame)",
        reason: "was already given in line \(old.line)")
    }
  }

  /// The tracks in order of appearance; frames without a row are unspecified.
  ///
  /// - Parameter ids: take the names as ids, instead of counting from 0 and keeping the names.
  func tracks(namesAreIDs: Bool = false) throws(TrackError) -> [Track] {
    if names.isEmpty { throw TrackError(file: file, reason: "there is no track in the file") }
    var total = 0
    var tracks: [Track] = []
    for (index, name) in names.enumerated() {
      guard let cells = rows[name], let first = cells.keys.min(), let last = cells.keys.max()
      else { continue }
      total += last - first + 1
      if total > TrackLimits.points {
        throw TrackError(file: file, reason: "more than \(TrackLimits.points) points in one file")
      }
      let frames = first...last
      let hidden = cells.values.contains { !$0.visible }
      tracks.append(
        Track(
          id: namesAreIDs ? Int(name) ?? index : index, name: namesAreIDs ? nil : name,
          startFrame: first, motion: .points(frames.map { cells[$0]?.position }),
          visibility: hidden ? Visibility(frames.map { cells[$0]?.visible ?? true }) : .always))
    }
    return tracks
  }
}

/// The lines of a text file, with numbers, and the checks that text formats share.
struct TextLines {
  /// One line that is not blank.
  struct Line {
    var number: Int
    var text: Substring
    /// The words between spaces and tabs.
    var words: [Substring] { text.split { $0 == " " || $0 == "\t" } }
  }

  let lines: [Line]
  private let file: String

  /// Splits UTF-8 text at LF, CR LF or CR.
  init(_ request: ImportRequest) throws(TrackError) {
    file = request.name
    guard let text = String(validating: request.data, as: UTF8.self) else {
      throw request.fail(reason: "expected UTF-8 text, found invalid bytes")
    }
    lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.enumerated().map {
      Line(number: $0 + 1, text: $1)
    }.filter { !$0.text.allSatisfy(\.isWhitespace) }
  }

  /// A finite decimal number.
  func number(_ text: Substring, _ what: String, _ line: Line) throws(TrackError) -> Double {
    let digits = Set("+-.eE0123456789")
    guard text.allSatisfy({ digits.contains($0) }), let value = Double(text), value.isFinite else {
      throw TrackError(
        file: file, line: line.number, place: what,
        reason: "expected a number, found \"\(text.prefix(40))\"")
    }
    return value
  }

  /// A whole number, also when written `12.00`.
  func whole(_ text: Substring, _ what: String, _ line: Line) throws(TrackError) -> Int {
    let value = try number(text, what, line)
    guard value == value.rounded(), abs(value) <= Double(TrackLimits.id) else {
      throw TrackError(
        file: file, line: line.number, place: what,
        reason: "expected a whole number, found \"\(text.prefix(40))\"")
    }
    return Int(value)
  }

  func fail(_ line: Line?, _ reason: String) -> TrackError {
    TrackError(file: file, line: line?.number, reason: reason)
  }
}
