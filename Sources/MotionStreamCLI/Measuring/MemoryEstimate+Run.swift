import MotionStream

extension MemoryEstimate {
  /// Bytes that a stream needs beside the weights.
  var run: Int { cache + decoder + workspace }
}
