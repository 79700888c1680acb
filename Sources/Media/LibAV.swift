import CLibAV

/// What every use of libav shares: quiet logging and one way from return codes to errors.
enum LibAV {
  /// libav prints to standard error unless told not to; a library must not. Touched before use.
  static let quiet: Void = av_log_set_level(AV_LOG_QUIET)

  static func text(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: Int(AV_ERROR_MAX_STRING_SIZE))
    av_strerror(code, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Returns a code that is not negative; otherwise throws with what was being done.
  @discardableResult static func check(
    _ code: Int32, _ kind: MediaError.Kind, _ doing: @autoclosure () -> String
  ) throws -> Int32 {
    guard code < 0 else { return code }
    throw MediaError(kind, "\(doing()): \(text(code))")
  }

  /// Unwraps what libav allocated.
  static func allocated<T>(_ pointer: T?) throws -> T {
    guard let pointer else {
      throw MediaError(.unavailable, "libav has no memory for another object")
    }
    return pointer
  }
}
