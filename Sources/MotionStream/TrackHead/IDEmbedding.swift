import Glibc

/// The sinusoidal embedding of tracks: of their ids (cosines of E/2 wavelengths, then sines), or of
/// the place where they were first visible (cosines and sines of x, then of y, E/4 wavelengths each).
/// Embeddings are kept, since a track comes back in every frame.
package struct IDEmbedding {
  private let dimension: Int
  private let rules: TrackRules
  private let frequencies: [Double]
  private var rows: [Int: Int] = [:]
  private var values: [Float] = []

  /// Ids that are kept before starting afresh, so that an endless session with ever new tracks
  /// stays in fixed memory.
  private static let capacity = 16_384

  /// Where each track was first visible, in latent cells; for rule `origin`.
  private let origins: [Int: (x: Double, y: Double)]

  package init(
    dimension: Int, rules: TrackRules, origins: [Int: (x: Double, y: Double)] = [:]
  ) {
    self.dimension = dimension
    self.rules = rules
    self.origins = origins
    let count = rules.ids == .origin ? dimension / 4 : dimension / 2
    frequencies = (0..<count).map { exp(-log(rules.base) * Double($0) / Double(count)) }
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
    values += embedding(of: embedded(id))
    return row
  }

  /// The embedding [E] of the numbers that stand for a track: under rule `origin`, a place (x, y) in
  /// latent cells.
  package func embedding(of numbers: [Double]) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(dimension)
    for number in numbers {
      // Double precision: an id near 100,000 leaves a float32 angle three good digits.
      let angles = frequencies.map { number * $0 }
      values += angles.map { Float(cos($0)) }
      values += angles.map { Float(sin($0)) }
    }
    return values
  }

  /// The numbers that stand for track `id` in the embedding.
  private func embedded(_ id: Int) -> [Double] {
    switch rules.ids {
    case .file: return [Double(id)]
    case .scattered:
      let count = rules.maximumID
      let wrapped = (id % count + count) % count
      return [Double((wrapped * 61_813 + 12_345) % count)]
    case .origin:
      let origin = origins[id] ?? (x: 0, y: 0)
      return [origin.x, origin.y]
    }
  }
}
