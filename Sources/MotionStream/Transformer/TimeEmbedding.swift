import Glibc

/// A timestep as the shifts, scales and gates of every block (adaLN).
package struct TimeEmbedding: Sendable {
  let frequencyWidth, width: Int
  let first, second, projection: LinearLayer

  /// Reads `time_embedder` and `time_proj` of the condition embedder.
  package init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    frequencyWidth = configuration.frequencyWidth
    width = configuration.width
    let embedder = weights.scoped("time_embedder")
    first = try embedder.linear("linear_1", outputs: width, inputs: frequencyWidth)
    second = try embedder.linear("linear_2", outputs: width, inputs: width)
    projection = try weights.linear("time_proj", outputs: 6 * width, inputs: width)
  }

  /// The embedding [1, D] and its projection [6, D] of a timestep in 0...1000.
  package func callAsFunction(
    _ timestep: Double, pool: Pool
  ) -> (embedding: Tensor, projection: Tensor) {
    let sinusoid = Tensor(
      [1, frequencyWidth], values: TimeEmbedding.sinusoid(timestep, width: frequencyWidth))
    let hidden = Tensor(1, width)
    let embedding = Tensor(1, width)
    pool.linear(first, sinusoid.matrix, into: hidden.matrix, activation: .silu)
    pool.linear(second, hidden.matrix, into: embedding.matrix)
    pool.activate(embedding.matrix, .silu, into: hidden.matrix)
    let projected = Tensor(1, 6 * width)
    pool.linear(projection, hidden.matrix, into: projected.matrix)
    return (embedding, projected)
  }

  /// Cosines, then sines, of t * 10000^(-i / half); formed in double precision, as upstream does,
  /// because a float32 angle near 1000 is off by 3e-5.
  package static func sinusoid(_ timestep: Double, width: Int) -> [Float] {
    let half = width / 2
    let angles = (0..<half).map { timestep * pow(10000, -Double($0) / Double(half)) }
    return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
  }
}

/// What one timestep does to every block and to the head; computed once per step list, not per pass.
package final class Modulation: Sendable {
  /// Rows of a block in `blocks`.
  package enum Row: Int { case shift1, scale1, gate1, shift2, scale2, gate2 }

  private let blocks: Tensor  // [layers * 6, D]
  private let head: Tensor  // [2, D]: shift, scale

  /// Adds the time embedding to the tables of `blocks` [6, D] each and `head` [2, D].
  init(time: (embedding: Tensor, projection: Tensor), tables: [Tensor], head table: Tensor) {
    let width = time.embedding.count
    blocks = Tensor(tables.count * 6, width)
    head = Tensor(2, width)
    for (layer, table) in tables.enumerated() {
      for i in 0..<6 * width {
        blocks.pointer[layer * 6 * width + i] = table.pointer[i] + time.projection.pointer[i]
      }
    }
    for i in 0..<2 * width {
      head.pointer[i] = table.pointer[i] + time.embedding.pointer[i % width]
    }
  }

  /// One row [1, D] of a block's six.
  func block(_ layer: Int, _ row: Row) -> Matrix {
    let index = layer * 6 + row.rawValue
    return blocks.rows(index..<index + 1)
  }

  /// The head's shift [1, D].
  var headShift: Matrix { head.rows(0..<1) }
  /// The head's scale [1, D].
  var headScale: Matrix { head.rows(1..<2) }
}
