import Glibc

/// Text embeddings to the transformer's width: linear, GELU (tanh), linear.
package struct TextEmbedding: Sendable {
  let first, second: LinearLayer

  init(_ configuration: TransformerConfiguration, weights: Weights) throws(ModelError) {
    let width = configuration.width
    first = try weights.linear("linear_1", outputs: width, inputs: configuration.textWidth)
    second = try weights.linear("linear_2", outputs: width, inputs: width)
  }

  /// text [M, text width], zero-padded -> [M, D].
  func callAsFunction(_ text: Matrix, pool: Pool) -> Tensor {
    let hidden = Tensor(text.rows, first.outputs)
    let result = Tensor(text.rows, second.outputs)
    pool.linear(first, text, into: hidden.matrix, activation: .geluTanh)
    pool.linear(second, hidden.matrix, into: result.matrix)
    return result
  }
}

/// Tokens of an image encoder to the transformer's width: norm, linear, GELU, linear, norm.
package struct ImageEmbedding: Sendable {
  private struct Norm: Sendable {
    let weight, bias: Tensor

    init(_ name: String, width: Int, weights: Weights) throws(ModelError) {
      weight = try weights.tensor("\(name).weight", width)
      bias = try weights.tensor("\(name).bias", width)
    }
  }

  /// These norms keep PyTorch's default, whatever the model's own epsilon is.
  private static let epsilon: Float = 1e-5
  private let before, after: Norm
  private let first, second: LinearLayer

  init(inputs: Int, outputs: Int, weights: Weights) throws(ModelError) {
    before = try Norm("norm1", width: inputs, weights: weights)
    first = try weights.linear("ff.net.0.proj", outputs: inputs, inputs: inputs)
    second = try weights.linear("ff.net.2", outputs: outputs, inputs: inputs)
    after = try Norm("norm2", width: outputs, weights: weights)
  }

  /// tokens [I, image width] -> [I, D].
  func callAsFunction(_ tokens: Matrix, pool: Pool) -> Tensor {
    let normed = Tensor(tokens.rows, tokens.columns)
    let hidden = Tensor(tokens.rows, tokens.columns)
    pool.layerNorm(
      tokens, into: normed.matrix, epsilon: ImageEmbedding.epsilon, weight: before.weight,
      bias: before.bias)
    pool.linear(first, normed.matrix, into: hidden.matrix)
    // The exact GELU; once per picture, so not worth a kernel.
    for i in 0..<hidden.count {
      let x = hidden.pointer[i]
      hidden.pointer[i] = 0.5 * x * (1 + erff(x * Float(0.5).squareRoot()))
    }
    let result = Tensor(tokens.rows, second.outputs)
    let projected = Tensor(tokens.rows, second.outputs)
    pool.linear(second, hidden.matrix, into: projected.matrix)
    pool.layerNorm(
      projected.matrix, into: result.matrix, epsilon: ImageEmbedding.epsilon, weight: after.weight,
      bias: after.bias)
    return result
  }
}

/// The keys and values of a prompt (and of image tokens) in every block; immutable.
package final class PromptContext: Sendable {
  let text: [CrossAttention.KeysAndValues]
  let image: [CrossAttention.KeysAndValues]?

  init(text: [CrossAttention.KeysAndValues], image: [CrossAttention.KeysAndValues]?) {
    self.text = text
    self.image = image
  }

  /// The memory held, in bytes.
  package var byteCount: Int {
    (text + (image ?? [])).reduce(0) { $0 + $1.keys.byteCount + $1.values.byteCount }
  }

  /// The most rows that a query attends to.
  var rows: Int { max(text.first?.keys.shape[0] ?? 0, image?.first?.keys.shape[0] ?? 0) }
}
