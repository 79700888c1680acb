/// SHA-256 (FIPS 180-4), so that a sidecar's hashes can be checked with `sha256sum`.
package struct SHA256 {
  private var state = initial
  /// Bytes that do not fill a block yet.
  private var rest: [UInt8] = []
  private var count = 0

  /// The digest of `bytes` as 64 lower-case hexadecimal digits.
  package static func hex(of bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.add(bytes[...])
    return hash.hex()
  }

  /// Goes on with more bytes.
  mutating func add(_ bytes: ArraySlice<UInt8>) {
    count += bytes.count
    let all = rest.isEmpty ? bytes : (rest + bytes)[...]
    let whole = all.startIndex + all.count / 64 * 64
    for start in stride(from: all.startIndex, to: whole, by: 64) {
      Self.compress(all[start..<start + 64], into: &state)
    }
    rest = Array(all[whole...])
  }

  /// The digest of all bytes as 64 lower-case hexadecimal digits.
  consuming func hex() -> String {
    let bits = UInt64(count) * 8
    let padding = [UInt8](repeating: 0, count: (119 - count % 64) % 64)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
    add(([0x80] + padding + length)[...])
    return state.map(Self.hexWord).joined()
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
