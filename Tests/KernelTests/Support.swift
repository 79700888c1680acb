import CKernels
import Testing

/// SplitMix64: the same numbers in every run.
struct Random {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// `count` values in -size ..< size.
  mutating func floats(_ count: Int, size: Float = 1) -> [Float] {
    (0..<count).map { _ in (Float(next() >> 40) / Float(1 << 23) - 1) * size }
  }

  static func seeded(_ seed: UInt64, _ count: Int, size: Float = 1) -> [Float] {
    var random = Random(seed)
    return random.floats(count, size: size)
  }

  /// `count` values of each size, and a zero.
  static func seeded(_ seed: UInt64, _ count: Int, sizes: [Float]) -> [Float] {
    var random = Random(seed)
    var values: [Float] = [0]
    for size in sizes { values += random.floats(count, size: size) }
    return values
  }
}

/// A pool freed with its last use.
final class Pool {
  let handle: OpaquePointer

  init(threads: Int32) throws {
    handle = try #require(ms_pool_create(threads))
  }

  deinit { ms_pool_destroy(handle) }
}

/// The code paths this machine can run; "wide" is the AVX-512 source on any machine.
let paths: [String] = ["baseline", "avx2", "avx512", "wide"].filter { path in
  defer { ms_force_kernel_path(nil) }
  return ms_force_kernel_path(path)
}

/// Runs `kernel` on one path with pools of 1, 2 and 3 threads, expects the same bytes from each, and
/// returns them. `kernel` gets the pool and must return everything it wrote.
func onEveryPool(
  path: String, sourceLocation: SourceLocation = #_sourceLocation,
  kernel: (OpaquePointer) throws -> [Float]
) throws -> [Float] {
  #expect(ms_force_kernel_path(path), sourceLocation: sourceLocation)
  defer { ms_force_kernel_path(nil) }
  let results = try [Int32(1), 2, 3].map { threads in
    let pool = try Pool(threads: threads)
    return try kernel(pool.handle)
  }
  for threads in 1..<results.count {
    let same = results[0].map(\.bitPattern) == results[threads].map(\.bitPattern)
    #expect(same, "\(threads + 1) threads give other bytes", sourceLocation: sourceLocation)
  }
  return results[0]
}

/// Expects |actual - expected| <= absolute + relative |expected| everywhere, and no NaN.
func expectClose(
  _ actual: [Float], _ expected: [Double], absolute: Double, relative: Double = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(actual.count) values instead of \(expected.count)", sourceLocation: sourceLocation)
    return
  }
  var worst = -1
  var worstExcess = 0.0
  for index in actual.indices {
    let difference = abs(Double(actual[index]) - expected[index])
    let excess = difference - (absolute + relative * abs(expected[index]))
    if !(excess <= worstExcess) {
      worst = index
      worstExcess = excess.isNaN ? .infinity : excess
    }
  }
  if worst >= 0 {
    Issue.record(
      "[\(worst)] of \(actual.count): \(actual[worst]) instead of \(expected[worst])",
      sourceLocation: sourceLocation)
  }
}
