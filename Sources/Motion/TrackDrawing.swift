public import Frames
public import Tracks

/// Draws tracks over pictures: a dot where each visible point is and a tail of where it was.
///
/// Call `draw` for every frame in order.
public struct TrackDrawing {
  /// Frames that a tail lasts.
  public var tail: Int
  /// Radius of a dot in pixels.
  public var radius: Double
  private var tails: [Int: [SIMD2<Double>]] = [:]

  /// - Parameters:
  ///   - tail: frames that a tail lasts; 0 draws none.
  ///   - radius: of a dot, in pixels.
  public init(tail: Int, radius: Double) {
    (self.tail, self.radius) = (tail, radius)
  }

  /// Draws the points of the next frame over a picture.
  public mutating func draw(_ points: [TrackPoint], on frame: inout RGBFrame) {
    for point in points {
      guard point.visible else {
        tails[point.id] = nil
        continue
      }
      let place = SIMD2(Double(point.x), Double(point.y))
      let color = Self.color(of: point.id)
      var past = tails[point.id] ?? []
      past.append(place)
      if past.count > tail + 1 { past.removeFirst(past.count - tail - 1) }
      tails[point.id] = past
      for (from, to) in zip(past, past.dropFirst()) {
        Self.line(from, to, color, on: &frame)
      }
      Self.disc(place, radius, color, on: &frame)
    }
  }

  /// A colour that differs well from those of the ids nearby: hues a golden angle apart.
  static func color(of id: Int) -> SIMD3<Double> {
    let hue = (Double(id) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1) * 6
    let ramp = { (offset: Double) in
      let distance = abs((hue + offset).truncatingRemainder(dividingBy: 6) - 3)
      return min(max(distance - 1, 0), 1) * 255
    }
    return [ramp(0), ramp(4), ramp(2)]
  }

  private static func line(
    _ from: SIMD2<Double>, _ to: SIMD2<Double>, _ color: SIMD3<Double>, on frame: inout RGBFrame
  ) {
    let way = to - from
    let length = (way * way).sum().squareRoot()
    // A step this long is a cut, and drawing it would take for ever.
    guard length > 0, length < Double(2 * (frame.width + frame.height)) else { return }
    let steps = Int(length.rounded(.up))
    for index in 0...steps {
      disc(from + way * (Double(index) / Double(steps)), 0.6, color, on: &frame)
    }
  }

  /// A filled circle with a soft edge one pixel wide.
  private static func disc(
    _ center: SIMD2<Double>, _ radius: Double, _ color: SIMD3<Double>, on frame: inout RGBFrame
  ) {
    let reach = radius + 1
    guard center.x > -reach, center.y > -reach, center.x < Double(frame.width) + reach,
      center.y < Double(frame.height) + reach
    else { return }
    let rows = max(Int(center.y - reach), 0)..<max(min(Int(center.y + reach) + 1, frame.height), 0)
    let columns =
      max(Int(center.x - reach), 0)..<max(min(Int(center.x + reach) + 1, frame.width), 0)
    for y in rows {
      for x in columns {
        let offset = SIMD2(Double(x) + 0.5, Double(y) + 0.5) - center
        let cover = min(max(radius + 0.5 - (offset * offset).sum().squareRoot(), 0), 1)
        if cover == 0 { continue }
        let index = (y * frame.width + x) * 3
        for channel in 0..<3 {
          let under = Double(frame.pixels[index + channel])
          frame.pixels[index + channel] = UInt8(
            (under + (color[channel] - under) * cover).rounded())
        }
      }
    }
  }
}
