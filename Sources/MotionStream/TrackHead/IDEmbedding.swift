import Glibc

/// The sinusoidal embedding of track ids: cosines of E/2 wavelengths, then sines. Embeddings are
/// kept, since a track comes back in every frame.
package struct IDEmbedding {
  private let dimension: Int
  private let rules: TrackRules
  private let frequencies: [Double]
  private var rows: [Int: Int] = [:]
  private var values: [Float] = []

  /// Ids that are kept before starting afresh, so that an endless session with ever new tracks
  /// stays in fixed memory.
  private static let capacity = 16_384

  package init(dimension: Int, rules: TrackRules) {
    self.dimension = dimension
    self.rules = rules
    let half = dimension / 2
    frequencies = (0..<half).map { exp(-log(rules.base) * Double($0) / Double(half)) }
  }

  /// Calls `body` with the embedding [E] of track `id`.
  @inline(__always)
  package mutating func withEmbedding(of id: Int, _ body: (UnsafePointer<Float>) -> Void) {
    let row = rows[id] ?? insert(id)
    values.withUnsafeBufferPointer { values in
      if let base = values.baseAddress { body(base + row * dimension) }
    }
  }

  private mutating func insert(_ id: Int) -> Int {
    if rows.count == Self.capacity {
      rows.removeAll(keepingCapacity: true)
      values.removeAll(keepingCapacity: true)
    }
    let row = rows.count
    rows[id] = row
    // Double precision: an id near 100,000 leaves a float32 angle three good digits.
    let angles = frequencies.map { Double(embedded(id)) * $0 }
    values += angles.map { Float(cos($0)) }
    values += angles.map { Float(sin($0)) }
    return row
  }

  /// The number that stands for `id` in the embedding.
  private func embedded(_ id: Int) -> Int {
    switch rules.ids {
    case .file: return id
    case .scattered:
      let count = rules.maximumID
      let wrapped = (id % count + count) % count
      return (wrapped * 61_813 + 12_345) % count
    }
  }
}
