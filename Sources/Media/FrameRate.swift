/// Frames per second as an exact fraction.
public struct FrameRate: Sendable, Hashable, CustomStringConvertible {
  /// Frames in `denominator` seconds, 1 or more.
  public let numerator: Int
  /// Seconds in which `numerator` frames pass, 1 or more.
  public let denominator: Int

  /// The rates accepted, in frames per second.
  public static let allowed = 0.1...1000.0

  /// Makes a rate in lowest terms; `nil` outside `allowed` or when a term is not positive or is
  /// over a million.
  public init?(_ numerator: Int, _ denominator: Int = 1) {
    let terms = 1...1_000_000
    guard terms.contains(numerator), terms.contains(denominator),
      Self.allowed.contains(Double(numerator) / Double(denominator))
    else { return nil }
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    self.numerator = numerator / a
    self.denominator = denominator / a
  }

  /// Reads `16`, `12.5` or `30000/1001`; the usual short forms of the NTSC rates (`23.976`,
  /// `23.98`, `29.97`, `59.94`) mean the exact fractions over 1001. `nil` for anything else.
  public init?(_ text: String) {
    let ntsc = ["23.976": 24, "23.98": 24, "29.97": 30, "59.94": 60]
    if let whole = ntsc[text] {
      self.init(whole * 1000, 1001)
      return
    }
    let digits = { (part: Substring) in part.allSatisfy { $0.isASCII && $0.isNumber } }
    let fraction = text.split(separator: "/", omittingEmptySubsequences: false)
    if fraction.count == 2, digits(fraction[0]), digits(fraction[1]),
      let numerator = Int(fraction[0]), let denominator = Int(fraction[1])
    {
      self.init(numerator, denominator)
      return
    }
    let decimal = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(decimal.count), decimal.allSatisfy(digits), let whole = Int(decimal[0])
    else { return nil }
    guard decimal.count == 2 else {
      self.init(whole)
      return
    }
    guard (1...3).contains(decimal[1].count), let thousandths = Int(decimal[1]), whole <= 1000
    else { return nil }
    var scale = 1
    for _ in decimal[1] { scale *= 10 }
    self.init(whole * scale + thousandths, scale)
  }

  /// Frames per second, rounded to a `Double`.
  public var framesPerSecond: Double { Double(numerator) / Double(denominator) }

  /// When frame `index` is shown, in seconds.
  public func seconds(ofFrame index: Int) -> Double {
    Double(index) * Double(denominator) / Double(numerator)
  }

  /// `16` or `30000/1001`, as ffmpeg reads it.
  public var description: String {
    denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
  }
}
