public import Frames

/// Writes YUV4MPEG2: a one-line text header, then `FRAME` and three planes for each picture.
///
/// The header has no field for the matrix. Readers fall back on BT.601 for pictures below HD size
/// (ffmpeg does at any size), so that is the default here: `ffmpeg -i clip.y4m` shows the right
/// colours as it stands. With `matrix: .bt709` the reader must be told, as in
/// `ffmpeg -colorspace bt709 -i clip.y4m`. Samples are limited range and full-size chroma
/// (4:4:4), so each channel of a colour comes back within 2 levels.
public final class Y4MWriter: FrameSink, @unchecked Sendable {
  /// The luma and chroma weights.
  public enum Matrix: Sendable {
    /// ITU-R BT.601, which readers assume.
    case bt601
    /// ITU-R BT.709, which readers must be told.
    case bt709
  }

  private static let frameHeader = Array("FRAME\n".utf8)

  private let output: FileOutput
  private let matrix: YUVMatrix
  private let width: Int
  private let height: Int
  private var packet: [UInt8]
  private var framesWritten = 0

  /// Opens the output and writes the header. Throws `MediaError`.
  public init(
    _ target: OutputTarget, width: Int, height: Int, frameRate: FrameRate, matrix: Matrix = .bt601
  ) throws {
    try OutputSettings.checkSize(width: width, height: height)
    output = try FileOutput(target)
    self.matrix = matrix == .bt709 ? .bt709 : .bt601
    (self.width, self.height) = (width, height)
    packet = Self.frameHeader + [UInt8](repeating: 0, count: width * height * 3)
    let rate = "\(frameRate.numerator):\(frameRate.denominator)"
    let header =
      "YUV4MPEG2 W\(width) H\(height) F\(rate) Ip A1:1 C444 XYSCSS=444 XCOLORRANGE=LIMITED\n"
    do {
      try Array(header.utf8).withUnsafeBytes(output.write)
    } catch {
      _ = output.discard(keep: false)
      throw error
    }
  }

  deinit { abandon() }

  /// Converts and writes one picture at once.
  public func write(_ frame: RGBFrame) throws {
    precondition(frame.width == width && frame.height == height, "frame of another size")
    let count = width * height
    packet.withUnsafeMutableBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      let planes = (0..<3).map { plane in
        YUVMatrix.Plane(start: base + Self.frameHeader.count + plane * count, stride: width)
      }
      matrix.convert444(frame, planes[0], planes[1], planes[2])
    }
    try packet.withUnsafeBytes(output.write)
    framesWritten += 1
  }

  /// Nothing is held back between frames.
  public func flush() throws {}

  /// Syncs and renames.
  public func finish() throws { try output.commit() }

  /// Keeps a part of one frame or more.
  @discardableResult public func abandon() -> String? { output.discard(keep: framesWritten > 0) }
}
