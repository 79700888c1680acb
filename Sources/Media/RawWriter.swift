public import Frames

/// Writes nothing but pixels: rows top to bottom, red, green and blue byte of each pixel, full
/// range, frame after frame.
public final class RawWriter: FrameSink, @unchecked Sendable {
  /// What ffmpeg must be told before `-i` to read these bytes.
  public let ffmpegInputFlags: String

  private let output: FileOutput
  private let width: Int
  private let height: Int
  private var framesWritten = 0

  /// Opens the output. Throws `MediaError`.
  public init(_ target: OutputTarget, width: Int, height: Int, frameRate: FrameRate) throws {
    try OutputSettings.checkSize(width: width, height: height)
    output = try FileOutput(target)
    (self.width, self.height) = (width, height)
    ffmpegInputFlags = Self.ffmpegInputFlags(width: width, height: height, frameRate: frameRate)
  }

  deinit { abandon() }

  /// The flags for any raw output of this size and rate.
  public static func ffmpegInputFlags(width: Int, height: Int, frameRate: FrameRate) -> String {
    "-f rawvideo -pix_fmt rgb24 -s \(width)x\(height) -r \(frameRate)"
  }

  /// Writes the bytes at once.
  public func write(_ frame: RGBFrame) throws {
    precondition(frame.width == width && frame.height == height, "frame of another size")
    try frame.pixels.withUnsafeBytes(output.write)
    framesWritten += 1
  }

  /// Nothing is held back between frames.
  public func flush() throws {}

  /// Syncs and renames.
  public func finish() throws { try output.commit() }

  /// Keeps a part of one frame or more.
  @discardableResult public func abandon() -> String? { output.discard(keep: framesWritten > 0) }
}
