/// SHA-256 (FIPS 180-4), so that a sidecar's hashes can be checked with `sha256sum`.
package struct SHA256 {
  /// The digest of `bytes` as 64 lower-case hexadecimal digits.
  package static func hex(of bytes: [UInt8]) -> String {
    var state = initial
    let whole = bytes.count / 64 * 64
    for start in stride(from: 0, to: whole, by: 64) {
      compress(bytes[start..<start + 64], into: &state)
    }
    var tail = Array(bytes[whole...]) + [0x80]
    while tail.count % 64 != 56 { tail.append(0) }
    let bits = UInt64(bytes.count) * 8
    for shift in stride(from: 56, through: 0, by: -8) {
      tail.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    for start in stride(from: 0, to: tail.count, by: 64) {
      compress(tail[start..<start + 64], into: &state)
    }
    return state.map(hexWord).joined()
  }

  private static func hexWord(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
    var w = [UInt32](repeating: 0, count: 64)
    for (offset, byte) in block.enumerated() {
      w[offset / 4] |= UInt32(byte) << UInt32(24 - offset % 4 * 8)
    }
    for t in 16..<64 {
      let s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3)
      let s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10)
      w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    }
    var s = state  // a b c d e f g h
    for t in 0..<64 {
      let sum1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)
      let choice = (s[4] & s[5]) ^ (~s[4] & s[6])
      let t1 = s[7] &+ sum1 &+ choice &+ constants[t] &+ w[t]
      let sum0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)
      let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
      s = [t1 &+ sum0 &+ majority, s[0], s[1], s[2], s[3] &+ t1, s[4], s[5], s[6]]
    }
    for i in 0..<8 { state[i] = state[i] &+ s[i] }
  }

  private static func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { (x >> n) | (x << (32 - n)) }

  // The first 32 bits of the fractional parts of the square roots of the first 8 primes and of the
  // cube roots of the first 64, computed from their definition.
  private static let initial: [UInt32] = primes.prefix(8).map { fraction(ofRoot: 2, of: $0) }
  private static let constants: [UInt32] = primes.map { fraction(ofRoot: 3, of: $0) }

  private static let primes: [UInt64] = {
    var found: [UInt64] = []
    var candidate: UInt64 = 2
    while found.count < 64 {
      if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
      candidate += 1
    }
    return found
  }()

  /// floor(n^(1/k) * 2^32) mod 2^32 by bisection: the largest x with x^k <= n * 2^(32k).
  private static func fraction(ofRoot k: Int, of n: UInt64) -> UInt32 {
    var low: UInt64 = 0
    var high: UInt64 = 1 << 37
    while high - low > 1 {
      let middle = (low + high) / 2
      if power(middle, k) <= shifted(n, by: k) { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  private static func power(_ x: UInt64, _ k: Int) -> UInt128 {
    (1...k).reduce(UInt128(1)) { value, _ in value * UInt128(x) }
  }

  private static func shifted(_ n: UInt64, by k: Int) -> UInt128 { UInt128(n) << UInt128(32 * k) }
}
