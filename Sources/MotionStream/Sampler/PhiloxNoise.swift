import Glibc

/// Counter-based Gaussian noise: a seed gives the same numbers in any order, on any machine.
///
/// Philox4x32-10 (Salmon et al. 2011). Key: the seed's low and high words. Counter: (block, latent
/// frame, step, stream), where `block` counts groups of four values of one latent frame's
/// [C, H, W]. Step 0 is the initial noise, step k what is added before denoising step k.
package struct PhiloxNoise: Sendable, Equatable {
  private let key: (UInt32, UInt32)

  /// Noise of a seed.
  package init(seed: UInt64) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  }

  /// Two generators of one seed give the same noise.
  package static func == (a: PhiloxNoise, b: PhiloxNoise) -> Bool { a.key == b.key }

  /// Ten rounds over a counter.
  package func words(
    _ counter: (UInt32, UInt32, UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    for _ in 0..<10 {
      let p0 = c0.multipliedFullWidth(by: 0xD251_1F53)
      let p1 = c2.multipliedFullWidth(by: 0xCD9E_8D57)
      (c0, c1, c2, c3) = (p1.high ^ c1 ^ k0, p1.low, p0.high ^ c3 ^ k1, p0.low)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }

  /// Fills one latent frame, any shape of contiguous rows, in order.
  package func fill(
    _ latents: Matrix, frame: Int, step: Int, stream: UInt32 = 0, pool: Pool
  ) {
    precondition(latents.isContiguous, "noise into rows that are apart")
    let blocks = (latents.rows * latents.columns + 3) / 4
    let run = 512
    pool.run((blocks + run - 1) / run) { part in
      fill(
        latents, blocks: part * run..<min((part + 1) * run, blocks), frame: frame, step: step,
        stream: stream)
    }
  }

  private func fill(
    _ latents: Matrix, blocks: Range<Int>, frame: Int, step: Int, stream: UInt32
  ) {
    let count = latents.rows * latents.columns
    for block in blocks {
      let words = words(
        (
          UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: frame),
          UInt32(truncatingIfNeeded: step), stream
        ))
      let (n0, n1) = PhiloxNoise.normalPair(words.0, words.1)
      let (n2, n3) = PhiloxNoise.normalPair(words.2, words.3)
      let target = latents.base + block * 4
      target[0] = n0
      if block * 4 + 1 < count { target[1] = n1 }
      if block * 4 + 2 < count { target[2] = n2 }
      if block * 4 + 3 < count { target[3] = n3 }
    }
  }

  /// Box-Muller on two words, which become numbers strictly between 0 and 1.
  private static func normalPair(_ a: UInt32, _ b: UInt32) -> (Float, Float) {
    let radius = (-2 * log((Double(a) + 0.5) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * (Double(b) + 0.5) * 0x1p-32
    return (Float(radius * cos(angle)), Float(radius * sin(angle)))
  }
}
