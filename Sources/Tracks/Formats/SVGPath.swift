import Foundation

/// What is wrong in path data, and at which character.
struct SVGPathError: Error {
  var offset: Int
  var reason: String
}

/// SVG path data (SVG 1.1, section 8.3), turned into a line of short straight pieces.
enum SVGPath {
  /// Pieces per curve. A curve across a 4K picture then errs by about a pixel's hundredth.
  private static let pieces = 256

  /// The line through one subpath; a second one is refused, because a point cannot jump.
  static func flatten(_ data: String) throws(SVGPathError) -> [TrackPosition] {
    var scanner = Scanner(bytes: Array(data.utf8))
    var pen = Pen()
    var command: UInt8 = 0
    while let next = try scanner.command(after: command) {
      if pen.line.isEmpty, next | 0x20 != UInt8(ascii: "m") {
        throw SVGPathError(offset: scanner.position, reason: "a path must start with M")
      }
      if !pen.line.isEmpty, next | 0x20 == UInt8(ascii: "m") {
        throw SVGPathError(
          offset: scanner.position, reason: "a second subpath (M) would make the point jump")
      }
      try pen.draw(next, &scanner)
      // After a move, further pairs are lines.
      command =
        next == UInt8(ascii: "M")
        ? UInt8(ascii: "L") : next == UInt8(ascii: "m") ? UInt8(ascii: "l") : next
      if pen.line.count > 10_000_000 {
        throw SVGPathError(offset: scanner.position, reason: "the path is too long")
      }
    }
    if pen.line.isEmpty { throw SVGPathError(offset: 0, reason: "the path is empty") }
    return pen.line
  }

  // MARK: Drawing

  private struct Pen {
    var line: [TrackPosition] = []
    var here = TrackPosition(x: 0, y: 0)
    /// Control point of the curve before, for S and T.
    var control: (kind: UInt8, at: TrackPosition)?

    mutating func draw(_ letter: UInt8, _ scanner: inout Scanner) throws(SVGPathError) {
      let kind = letter & ~0x20  // upper case
      let base = letter == kind ? TrackPosition(x: 0, y: 0) : here
      func point() throws(SVGPathError) -> TrackPosition {
        TrackPosition(x: base.x + (try scanner.number()), y: base.y + (try scanner.number()))
      }
      let start = here
      var bend: TrackPosition?
      switch kind {
      case UInt8(ascii: "M"):
        here = try point()
        line = [here]
      case UInt8(ascii: "L"): move(to: try point())
      case UInt8(ascii: "H"): move(to: TrackPosition(x: base.x + (try scanner.number()), y: here.y))
      case UInt8(ascii: "V"): move(to: TrackPosition(x: here.x, y: base.y + (try scanner.number())))
      case UInt8(ascii: "Z"): move(to: line[0])
      case UInt8(ascii: "C"), UInt8(ascii: "S"):
        let first = kind == UInt8(ascii: "C") ? try point() : mirrored(UInt8(ascii: "C"))
        let second = try point()
        let end = try point()
        bend = second
        curve { u in
          let v = 1 - u
          return Self.sum([
            (v * v * v, start), (3 * v * v * u, first), (3 * v * u * u, second), (u * u * u, end),
          ])
        }
        here = end
        control = (UInt8(ascii: "C"), second)
      case UInt8(ascii: "Q"), UInt8(ascii: "T"):
        let middle = kind == UInt8(ascii: "Q") ? try point() : mirrored(UInt8(ascii: "Q"))
        let end = try point()
        bend = middle
        curve { u in
          let v = 1 - u
          return Self.sum([(v * v, start), (2 * v * u, middle), (u * u, end)])
        }
        here = end
        control = (UInt8(ascii: "Q"), middle)
      case UInt8(ascii: "A"):
        let radii = (try scanner.number(), try scanner.number())
        let tilt = try scanner.number() * .pi / 180
        let flags = (try scanner.flag(), try scanner.flag())
        arc(to: try point(), radii, tilt, large: flags.0, sweep: flags.1)
      default:
        throw SVGPathError(
          offset: scanner.position,
          reason: "unknown command \"\(Character(UnicodeScalar(letter)))\"")
      }
      if bend == nil { control = nil }
    }

    private mutating func move(to end: TrackPosition) {
      here = end
      line.append(end)
    }

    private mutating func curve(_ place: (Double) -> TrackPosition) {
      for step in 1...pieces { line.append(place(Double(step) / Double(pieces))) }
    }

    private func mirrored(_ kind: UInt8) -> TrackPosition {
      guard let control, control.kind == kind else { return here }
      return TrackPosition(x: 2 * here.x - control.at.x, y: 2 * here.y - control.at.y)
    }

    /// End points to centre, after SVG 1.1, appendix F.6.
    private mutating func arc(
      to end: TrackPosition, _ radii: (Double, Double), _ tilt: Double, large: Bool, sweep: Bool
    ) {
      var (rx, ry) = (abs(radii.0), abs(radii.1))
      if rx == 0 || ry == 0 || here == end { return move(to: end) }
      let (c, s) = (cos(tilt), sin(tilt))
      let (dx, dy) = ((here.x - end.x) / 2, (here.y - end.y) / 2)
      let (x1, y1) = (c * dx + s * dy, -s * dx + c * dy)
      let spread = x1 * x1 / (rx * rx) + y1 * y1 / (ry * ry)
      if spread > 1 {
        rx *= spread.squareRoot()
        ry *= spread.squareRoot()
      }
      let (a, b) = (rx * rx * y1 * y1, ry * ry * x1 * x1)
      var factor = max(0, (rx * rx * ry * ry - a - b) / (a + b)).squareRoot()
      if large == sweep { factor = -factor }
      let (cx, cy) = (factor * rx * y1 / ry, -factor * ry * x1 / rx)
      let centre = TrackPosition(
        x: c * cx - s * cy + (here.x + end.x) / 2, y: s * cx + c * cy + (here.y + end.y) / 2)
      let first = atan2((y1 - cy) / ry, (x1 - cx) / rx)
      var turn = atan2((-y1 - cy) / ry, (-x1 - cx) / rx) - first
      if sweep, turn < 0 { turn += 2 * .pi }
      if !sweep, turn > 0 { turn -= 2 * .pi }
      curve { u in
        let (x, y) = (rx * cos(first + u * turn), ry * sin(first + u * turn))
        return TrackPosition(x: centre.x + c * x - s * y, y: centre.y + s * x + c * y)
      }
      here = end
    }

    private static func sum(_ terms: [(Double, TrackPosition)]) -> TrackPosition {
      TrackPosition(
        x: terms.reduce(0) { $0 + $1.0 * $1.1.x }, y: terms.reduce(0) { $0 + $1.0 * $1.1.y })
    }
  }

  // MARK: Reading

  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    /// The next command letter; `last` again if a number follows instead; nil at the end.
    mutating func command(after last: UInt8) throws(SVGPathError) -> UInt8? {
      skip()
      guard position < bytes.count else { return nil }
      let byte = bytes[position]
      if UnicodeScalar(byte).properties.isAlphabetic, byte < 0x80 {
        position += 1
        return byte
      }
      guard last != 0, last | 0x20 != UInt8(ascii: "z") else {
        throw SVGPathError(offset: position, reason: "expected a command letter")
      }
      return last
    }

    mutating func number() throws(SVGPathError) -> Double {
      skip()
      let start = position
      func take(_ set: String) -> Bool {
        guard position < bytes.count, set.utf8.contains(bytes[position]) else { return false }
        position += 1
        return true
      }
      _ = take("+-")
      while take("0123456789") {}
      if take(".") { while take("0123456789") {} }
      if take("eE") {
        _ = take("+-")
        while take("0123456789") {}
      }
      guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)),
        value.isFinite, abs(value) <= TrackLimits.coordinate
      else {
        throw SVGPathError(
          offset: start,
          reason: start < bytes.count ? "expected a number" : "expected a number, found the end")
      }
      return value
    }

    /// Arc flags may be written without a space between.
    mutating func flag() throws(SVGPathError) -> Bool {
      skip()
      guard position < bytes.count, bytes[position] == 0x30 || bytes[position] == 0x31 else {
        throw SVGPathError(offset: position, reason: "expected an arc flag, 0 or 1")
      }
      defer { position += 1 }
      return bytes[position] == 0x31
    }

    private mutating func skip() {
      while position < bytes.count, " ,\t\n\r\u{C}".utf8.contains(bytes[position]) { position += 1 }
    }
  }
}
