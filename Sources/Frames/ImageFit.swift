/// How a picture (and the tracks drawn on it) is brought to the output size.
public enum ImageFit: String, CaseIterable, Sendable {
  /// Scale to cover the output, cut what hangs over, centred.
  case crop
  /// Scale to fit inside the output, fill the border with black, centred.
  case pad
  /// Scale each axis on its own.
  case stretch

  /// The map from source to output pixels, corner origin: `x' = x * scaleX + offsetX`.
  public func transform(
    from source: (width: Double, height: Double), to output: (width: Int, height: Int)
  ) -> FitTransform {
    let sx = Double(output.width) / source.width
    let sy = Double(output.height) / source.height
    switch self {
    case .stretch: return FitTransform(scaleX: sx, scaleY: sy, offsetX: 0, offsetY: 0)
    case .crop, .pad:
      let s = self == .crop ? max(sx, sy) : min(sx, sy)
      return FitTransform(
        scaleX: s, scaleY: s,
        offsetX: (Double(output.width) - source.width * s) / 2,
        offsetY: (Double(output.height) - source.height * s) / 2)
    }
  }
}

/// An axis-aligned scale and shift between two canvases, in pixels, corner origin.
public struct FitTransform: Sendable, Equatable {
  /// Output pixels per source pixel, across.
  public var scaleX: Double
  /// Output pixels per source pixel, down.
  public var scaleY: Double
  /// Output pixels added after scaling, across.
  public var offsetX: Double
  /// Output pixels added after scaling, down.
  public var offsetY: Double

  /// Makes a transform from its four numbers.
  public init(scaleX: Double, scaleY: Double, offsetX: Double, offsetY: Double) {
    self.scaleX = scaleX
    self.scaleY = scaleY
    self.offsetX = offsetX
    self.offsetY = offsetY
  }

  /// Maps a source point to the output canvas.
  public func apply(x: Double, y: Double) -> (x: Double, y: Double) {
    (x * scaleX + offsetX, y * scaleY + offsetY)
  }
}
