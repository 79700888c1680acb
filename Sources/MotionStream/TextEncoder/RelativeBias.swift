import Glibc

/// umT5's relative positions: distances between tokens share buckets, exact for near ones and
/// logarithmic for far ones; half of the buckets are for keys that come later.
package struct RelativePositionBuckets {
  private let perDirection: Int
  private let maximumDistance: Int

  /// `buckets` for both directions together; from `maximumDistance` on all share the last one.
  package init(buckets: Int, maximumDistance: Int) {
    perDirection = buckets / 2
    self.maximumDistance = maximumDistance
  }

  /// The bucket of key position minus query position.
  package func bucket(_ relative: Int) -> Int {
    let side = relative > 0 ? perDirection : 0
    let distance = abs(relative)
    let exact = perDirection / 2
    if distance < exact { return side + distance }
    // Float32 like the reference: at a border another precision could round to another bucket.
    let logarithm = logf(Float(distance) / Float(exact))
    let span = Float(log(Double(maximumDistance) / Double(exact)))
    let far = exact + Int(logarithm / span * Float(perDirection - exact))
    return side + min(far, perDirection - 1)
  }

  /// What to add to the attention scores of `length` tokens, [heads, length, length], from a
  /// block's table [buckets, heads].
  func bias(table: Tensor, heads: Int, length: Int) -> Tensor {
    let bias = Tensor(heads, length, length)
    for relative in (1 - length)..<length {
      let row = table.pointer + bucket(relative) * heads
      for head in 0..<heads {
        let scores = bias.pointer + head * length * length
        for query in max(0, -relative)..<min(length, length - relative) {
          scores[query * length + query + relative] = row[head]
        }
      }
    }
    return bias
  }
}
