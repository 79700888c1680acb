import MotionStream

extension MemoryEstimate {
  /// Bytes beside the weights.
  var run: Int { cache + decoder + workspace }
  /// All bytes.
  var total: Int { weights + run }
}
