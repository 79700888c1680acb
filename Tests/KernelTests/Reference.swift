import CKernels
import Glibc

/// What the kernels should compute, in double precision and without any cleverness.
enum Reference {
  static func activation(_ x: Double, _ activation: MSActivation) -> Double {
    switch activation {
    case MSActivationGELUTanh:
      return 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case MSActivationSiLU: return x / (1 + exp(-x))
    case MSActivationReLU: return max(x, 0)
    default: return x
    }
  }

  /// x [M, K] w^T + bias, w [N, K], bias [N].
  static func linear(
    x: [Float], ldx: Int, w: [Float], bias: [Float]?, m: Int, n: Int, k: Int
  ) -> [Double] {
    var y = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        var sum = bias.map { Double($0[j]) } ?? 0
        for l in 0..<k { sum += Double(x[i * ldx + l]) * Double(w[j * k + l]) }
        y[i * n + j] = sum
      }
    }
    return y
  }

  /// softmax(scale q k^T + bias) v per head; zeros where every score is -infinity.
  static func attention(
    q: [Float], k: [Float], v: [Float], queries: Int, keys: Int, heads: Int, width: Int,
    scale: Double, bias: [Float]?
  ) -> [Double] {
    let d = heads * width
    var o = [Double](repeating: 0, count: queries * d)
    for h in 0..<heads {
      for i in 0..<queries {
        var scores = (0..<keys).map { j in
          var sum = 0.0
          for e in 0..<width {
            sum += Double(q[i * d + h * width + e]) * Double(k[j * d + h * width + e])
          }
          return sum * scale + (bias.map { Double($0[(h * queries + i) * keys + j]) } ?? 0)
        }
        let top = scores.max() ?? -.infinity
        if top == -.infinity { continue }
        scores = scores.map { exp($0 - top) }
        let total = scores.reduce(0, +)
        for j in 0..<keys {
          for e in 0..<width {
            o[i * d + h * width + e] += scores[j] / total * Double(v[j * d + h * width + e])
          }
        }
      }
    }
    return o
  }

  /// NHWC convolution with padding kernel / 2; w [out, in, kernel, kernel].
  static func convolution(
    x: [Float], height: Int, width: Int, w: [Float], bias: [Float]?, out: Int, in inputs: Int,
    kernel: Int, stride: Int
  ) -> [Double] {
    let outHeight = (height + stride - 1) / stride
    let outWidth = (width + stride - 1) / stride
    var y = [Double](repeating: 0, count: outHeight * outWidth * out)
    for row in 0..<outHeight {
      for column in 0..<outWidth {
        for o in 0..<out {
          var sum = bias.map { Double($0[o]) } ?? 0
          for dy in 0..<kernel {
            for dx in 0..<kernel {
              let r = row * stride + dy - kernel / 2
              let c = column * stride + dx - kernel / 2
              guard (0..<height).contains(r), (0..<width).contains(c) else { continue }
              for i in 0..<inputs {
                sum +=
                  Double(x[(r * width + c) * inputs + i])
                  * Double(w[((o * inputs + i) * kernel + dy) * kernel + dx])
              }
            }
          }
          y[(row * outWidth + column) * out + o] = sum
        }
      }
    }
    return y
  }
}
