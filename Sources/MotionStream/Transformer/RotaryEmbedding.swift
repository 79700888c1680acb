import Glibc

/// Three-axis rotary position embedding: the angles of tokens in order (frame, row, column).
///
/// Head pairs are split between time, rows and columns; the remainder goes to time (Wan 2.1).
package struct RotaryEmbedding: Sendable {
  /// Pairs of a head.
  package let pairs: Int
  private let timeFrequencies: [Double]
  private let tokensPerFrame: Int
  // Angles of rows and columns, the same in every frame: [S, pairs - time pairs].
  private let spatialCosines: [Float]
  private let spatialSines: [Float]

  /// Channels of a head given to time, rows and columns.
  package static func axisWidths(headWidth: Int) -> (time: Int, rows: Int, columns: Int) {
    let spatial = 2 * (headWidth / 6)
    return (headWidth - 2 * spatial, spatial, spatial)
  }

  /// Frequencies 10000^(-2j / width) of an axis' pairs.
  package static func frequencies(axisWidth: Int) -> [Double] {
    (0..<axisWidth / 2).map { pow(10000, -Double(2 * $0) / Double(axisWidth)) }
  }

  /// Prepares the angles of rows and columns.
  package init(headWidth: Int, grid: LatentGrid) {
    let widths = RotaryEmbedding.axisWidths(headWidth: headWidth)
    pairs = headWidth / 2
    tokensPerFrame = grid.tokensPerFrame
    timeFrequencies = RotaryEmbedding.frequencies(axisWidth: widths.time)
    let rowFrequencies = RotaryEmbedding.frequencies(axisWidth: widths.rows)
    let columnFrequencies = RotaryEmbedding.frequencies(axisWidth: widths.columns)
    var angles: [Double] = []
    for row in 0..<grid.rows {
      for column in 0..<grid.columns {
        angles += rowFrequencies.map { Double(row) * $0 }
        angles += columnFrequencies.map { Double(column) * $0 }
      }
    }
    spatialCosines = angles.map { Float(cos($0)) }
    spatialSines = angles.map { Float(sin($0)) }
  }

  /// Writes cosine and sine [frames * S, pairs] for frames at the given temporal indexes. Angles
  /// are formed in double precision: a stream's frame index has no bound.
  package func write(positions: [Int], cosine: Matrix, sine: Matrix) {
    precondition(
      cosine.columns == pairs && cosine.rows >= positions.count * tokensPerFrame
        && sine.columns == pairs && sine.rows >= positions.count * tokensPerFrame,
      "RotaryEmbedding: \(positions.count) frames into \(cosine.rows) rows")
    let spatial = pairs - timeFrequencies.count
    for (frame, position) in positions.enumerated() {
      let first = frame * tokensPerFrame
      let c = cosine.base + first * cosine.stride
      let s = sine.base + first * sine.stride
      for (j, frequency) in timeFrequencies.enumerated() {
        let angle = Double(position) * frequency
        c[j] = Float(cos(angle))
        s[j] = Float(sin(angle))
      }
      for token in 0..<tokensPerFrame {
        let (cRow, sRow) = (c + token * cosine.stride, s + token * sine.stride)
        if token > 0 {
          cRow.update(from: c, count: timeFrequencies.count)
          sRow.update(from: s, count: timeFrequencies.count)
        }
        for j in 0..<spatial {
          cRow[timeFrequencies.count + j] = spatialCosines[token * spatial + j]
          sRow[timeFrequencies.count + j] = spatialSines[token * spatial + j]
        }
      }
    }
  }
}
