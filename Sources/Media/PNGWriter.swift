public import Frames

/// Writes one picture as a PNG file, which appears complete or not at all.
public enum PNGWriter {
  /// Writes `frame` as 8-bit sRGB. Throws `MediaError`.
  public static func write(_ frame: RGBFrame, to path: String, overwrite: Bool) throws {
    try write(frame, to: .file(path, overwrite: overwrite))
  }

  /// Writes `frame` as 8-bit sRGB to a file or an open descriptor. Throws `MediaError`.
  public static func write(_ frame: RGBFrame, to target: OutputTarget) throws {
    var buffer: [UInt8] = []
    try write(frame, to: target, buffer: &buffer, fast: false)
  }

  static func write(
    _ frame: RGBFrame, to target: OutputTarget, buffer: inout [UInt8], fast: Bool
  ) throws {
    let output = try FileOutput(target)
    do {
      let size = try PNG.encode(frame, into: &buffer, fast: fast)
      try buffer.withUnsafeBytes { try output.write(UnsafeRawBufferPointer(rebasing: $0[..<size])) }
      try output.commit()
    } catch {
      _ = output.discard(keep: false)
      throw error
    }
  }
}
