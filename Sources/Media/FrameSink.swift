public import Frames

/// Where frames go: a video file, a pipe, a folder of pictures, or a checksum.
///
/// A run is `write` for each frame in order, `flush` after each chunk, and then exactly one of
/// `finish` and `abandon`. All frames have the size given when the sink was made. Calls may come
/// from any thread but must not overlap. After any of them has thrown, only `abandon` may follow.
public protocol FrameSink: AnyObject, Sendable {
  /// Takes the next frame. Throws `MediaError`: `.inputOutput`, or `.closedPipe`.
  func write(_ frame: RGBFrame) throws

  /// Hands everything written so far to the operating system, so that what is on disk plays up to
  /// here even if the process is killed before `finish`.
  func flush() throws

  /// Completes the output: last bytes, trailer, `fsync`, rename to the final name.
  func finish() throws

  /// Ends the output without completing it: nothing appears under the final name.
  ///
  /// - Returns: the path where the part that can be played was kept; `nil` when there is none.
  @discardableResult func abandon() -> String?
}
