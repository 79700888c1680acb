/// One decoded picture: 8-bit sRGB, rows top to bottom, three bytes a pixel, no padding.
public struct RGBFrame: Sendable, Equatable {
  /// Width in pixels.
  public let width: Int
  /// Height in pixels.
  public let height: Int
  /// `height * width * 3` bytes, [H, W, 3].
  public var pixels: [UInt8]

  /// Makes a frame; `pixels.count` must be `width * height * 3`.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      pixels.count == width * height * 3,
      "RGBFrame: \(pixels.count) bytes for \(width)x\(height)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}
