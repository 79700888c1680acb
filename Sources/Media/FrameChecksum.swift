import CLibAV
public import Frames

/// Keeps no pictures, only their MD5 sums: for tests and for timing without an encoder.
public final class FrameChecksum: FrameSink, @unchecked Sendable {
  /// The MD5 of each frame's bytes as `RawWriter` would write them, in hexadecimal.
  public private(set) var digests: [String] = []

  /// Makes an empty list.
  public init() {}

  /// Adds the frame's sum.
  public func write(_ frame: RGBFrame) throws { digests.append(Self.md5(frame.pixels)) }

  /// Nothing is held back.
  public func flush() throws {}

  /// Nothing is left to do.
  public func finish() throws {}

  /// Nothing is kept.
  @discardableResult public func abandon() -> String? { nil }

  /// The MD5 of some bytes, in hexadecimal.
  public static func md5(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 16)
    av_md5_sum(&digest, bytes, bytes.count)
    let nibbles = Array("0123456789abcdef")
    return String(digest.flatMap { [nibbles[Int($0 >> 4)], nibbles[Int($0 & 15)]] })
  }
}
