import CKernels

// The only file (with Pool.swift) that calls CKernels: check the shapes, then one call. A wrong
// shape here is a mistake of ours, never of a user's file, hence the preconditions.

extension Pool {
  // MARK: Linear

  /// y [M, N] meets activation(x [M, K] Wᵀ + b) as `write` says.
  package func linear(
    _ layer: LinearLayer, _ x: Matrix, into y: Matrix, activation: Activation = .none,
    write: Write = .store
  ) {
    precondition(
      x.columns == layer.inputs && y.columns == layer.outputs && x.rows == y.rows,
      """
      linear [\(layer.outputs), \(layer.inputs)]: \
      [\(x.rows), \(x.columns)] -> [\(y.rows), \(y.columns)]
      """)
    guard x.rows > 0 else { return }
    var mode = MSWriteStore
    var gate: UnsafePointer<Float>?
    var rowsPerGate = 1
    switch write {
    case .store: break
    case .add: mode = MSWriteAdd
    case .gatedAdd(let gates, let rows):
      precondition(
        gates.columns == y.columns && gates.isContiguous && rows * gates.rows >= y.rows,
        "linear: gates [\(gates.rows), \(gates.columns)] by \(rows) for \(y.rows) rows")
      mode = MSWriteGatedAdd
      gate = UnsafePointer(gates.base)
      rowsPerGate = rows
    }
    guard let weights = layer.handle else { preconditionFailure("linear: layer has no weights") }
    ms_linear(
      handle, weights, x.base, Int64(x.stride), y.base, Int64(y.stride), Int64(x.rows),
      activation.code, mode, gate, Int64(rowsPerGate))
  }

  /// y = y * x, value by value.
  package func multiply(_ x: Matrix, into y: Matrix) {
    precondition(sameContiguousShape(x, y), "multiply: \(describe(x)) by \(describe(y))")
    ms_multiply(handle, x.base, y.base, Int64(y.rows * y.columns))
  }

  // MARK: Norms

  /// y = LN(x) * (1 + scale) + shift; scale and shift [D] hold for all rows.
  package func layerNorm(
    _ x: Matrix, into y: Matrix, epsilon: Float, scale: Matrix, shift: Matrix
  ) {
    precondition(sameContiguousShape(x, y), "layerNorm: \(describe(x)) -> \(describe(y))")
    precondition(
      scale.columns == x.columns && shift.columns == x.columns && scale.rows == 1
        && shift.rows == 1, "layerNorm: scale \(describe(scale)), shift \(describe(shift))")
    ms_layer_norm(
      handle, x.base, y.base, Int64(x.rows), Int64(x.columns), epsilon, nil, nil, scale.base,
      shift.base, Int64(max(x.rows, 1)))
  }

  /// y = LN(x) * weight + bias, both [D].
  package func layerNorm(
    _ x: Matrix, into y: Matrix, epsilon: Float, weight: Tensor, bias: Tensor
  ) {
    precondition(sameContiguousShape(x, y), "layerNorm: \(describe(x)) -> \(describe(y))")
    precondition(weight.count == x.columns && bias.count == x.columns)
    ms_layer_norm(
      handle, x.base, y.base, Int64(x.rows), Int64(x.columns), epsilon, weight.pointer,
      bias.pointer, nil, nil, Int64(max(x.rows, 1)))
  }

  /// y = x / sqrt(mean(x²) + epsilon) * weight [D]; y may be x.
  package func rmsNorm(_ x: Matrix, into y: Matrix, weight: Tensor, epsilon: Float) {
    precondition(
      x.rows == y.rows && x.columns == y.columns && weight.count == x.columns,
      "rmsNorm: \(describe(x)) -> \(describe(y)), weight \(weight.shape)")
    ms_rms_norm(
      handle, x.base, Int64(x.stride), weight.pointer, y.base, Int64(y.stride), Int64(x.rows),
      Int64(x.columns), epsilon)
  }

  // MARK: Attention

  /// Rotates the interleaved pairs of every head of x [M, H*E] by angles given as
  /// cosine and sine [M, E/2]; y may be x.
  package func rope(_ x: Matrix, cosine: Matrix, sine: Matrix, heads: Int, into y: Matrix) {
    let width = x.columns / heads
    precondition(
      x.rows == y.rows && x.columns == y.columns && width * heads == x.columns
        && cosine.columns * 2 == width && sine.columns == cosine.columns
        && cosine.rows == x.rows && sine.rows == x.rows && cosine.isContiguous
        && sine.isContiguous,
      "rope: \(describe(x)) -> \(describe(y)), angles \(describe(cosine))")
    ms_rope(
      handle, x.base, Int64(x.stride), cosine.base, sine.base, y.base, Int64(y.stride),
      Int64(x.rows), Int64(heads), Int64(width))
  }

  /// o [Q, H*E] = softmax(scale q kᵀ + bias) v per head; bias is [H, Q, KV].
  package func attention(
    q: Matrix, k: Matrix, v: Matrix, heads: Int, scale: Float, bias: Tensor? = nil, into o: Matrix,
    scratch: Tensor
  ) {
    let width = q.columns / heads
    precondition(
      width * heads == q.columns && k.columns == q.columns && v.columns == q.columns
        && o.columns == q.columns && k.rows == v.rows && o.rows == q.rows && k.rows > 0,
      "attention: q \(describe(q)), k \(describe(k)), v \(describe(v)), o \(describe(o))")
    precondition(bias == nil || bias?.count == heads * q.rows * k.rows, "attention: bias shape")
    precondition(
      scratch.count >= attentionScratch(queries: q.rows, keys: k.rows, heads: heads, width: width),
      "attention: \(scratch.count) floats of scratch for \(q.rows) queries, \(k.rows) keys")
    ms_attention(
      handle, q.base, Int64(q.stride), k.base, Int64(k.stride), v.base, Int64(v.stride), o.base,
      Int64(o.stride), Int64(q.rows), Int64(k.rows), Int64(heads), Int64(width), scale,
      bias.map { UnsafePointer($0.pointer) }, scratch.pointer)
  }

  /// Floats of scratch that `attention` needs for at most these sizes.
  package func attentionScratch(queries: Int, keys: Int, heads: Int, width: Int) -> Int {
    Int(
      ms_attention_scratch(handle, Int64(queries), Int64(keys), Int64(heads), Int64(width)))
  }

  // MARK: Convolution

  /// y [H/s, W/s, out] = activation(conv(x joined with `second` on channels) + residual); y is
  /// [2H, 2W, out] when the layer doubles.
  package func convolution(
    _ layer: ConvLayer, _ x: Matrix, second: Matrix? = nil, height: Int, width: Int,
    residual: Matrix? = nil, activation: Activation = .none, into y: Matrix, scratch: Tensor
  ) {
    let outHeight = layer.doubles ? 2 * height : (height + layer.stride - 1) / layer.stride
    let outWidth = layer.doubles ? 2 * width : (width + layer.stride - 1) / layer.stride
    precondition(
      x.rows == height * width && x.isContiguous
        && x.columns + (second?.columns ?? 0) == layer.inputs,
      "convolution of \(layer.inputs) channels, \(height)x\(width): \(describe(x))")
    precondition(second.map { $0.rows == x.rows && $0.isContiguous } ?? true)
    precondition(
      y.rows == outHeight * outWidth && y.columns == layer.outputs && y.isContiguous,
      "convolution to \(layer.outputs) channels, \(outHeight)x\(outWidth): \(describe(y))")
    precondition(residual.map { sameContiguousShape($0, y) } ?? true)
    precondition(scratch.count >= convolutionScratch(layer, height: height, width: width))
    guard let handle = layer.handle else {
      preconditionFailure("convolution: layer has no weights")
    }
    ms_conv2d(
      self.handle, handle, x.base, Int64(x.columns), second?.base, Int64(height), Int64(width),
      residual?.base, activation.code, y.base, scratch.pointer)
  }

  /// Floats of scratch that `convolution` needs for this picture size.
  package func convolutionScratch(_ layer: ConvLayer, height: Int, width: Int) -> Int {
    guard let handle = layer.handle else { return 0 }
    return Int(ms_conv_scratch(self.handle, handle, Int64(height), Int64(width)))
  }

  // MARK: Value by value

  /// y = a x + b y.
  package func axpby(_ a: Float, _ x: Matrix, _ b: Float, into y: Matrix) {
    precondition(sameContiguousShape(x, y), "axpby: \(describe(x)) and \(describe(y))")
    ms_axpby(handle, a, x.base, b, y.base, Int64(y.rows * y.columns))
  }

  /// y = limit * tanh(x / limit); y may be x.
  package func softClamp(_ x: Matrix, limit: Float, into y: Matrix) {
    precondition(sameContiguousShape(x, y), "softClamp: \(describe(x)) -> \(describe(y))")
    ms_soft_clamp(handle, x.base, limit, y.base, Int64(y.rows * y.columns))
  }

  /// y = activation(x); y may be x.
  package func activate(_ x: Matrix, _ activation: Activation, into y: Matrix) {
    precondition(sameContiguousShape(x, y), "activate: \(describe(x)) -> \(describe(y))")
    ms_activate(handle, x.base, y.base, Int64(y.rows * y.columns), activation.code)
  }

  /// Bytes round(255 x) of a picture x [H, W, 3 p²] in pixel-shuffle order; clamps to [0, 1].
  package func pixels(_ x: Matrix, height: Int, width: Int, patch: Int) -> [UInt8] {
    precondition(
      x.rows == height * width && x.columns == 3 * patch * patch && x.isContiguous,
      "pixels: \(describe(x)) for \(height)x\(width), patch \(patch)")
    return [UInt8](unsafeUninitializedCapacity: x.rows * x.columns) { bytes, count in
      guard let base = bytes.baseAddress else { return }
      ms_pixels(handle, x.base, Int64(height), Int64(width), Int64(patch), base)
      count = x.rows * x.columns
    }
  }
}

/// Widens half-precision floats to float32; `source` needs no alignment.
func widen(bfloat16 source: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>, count: Int)
{
  ms_widen_bf16(source, target, Int64(count))
}

/// Widens half-precision floats to float32; `source` needs no alignment.
func widen(float16 source: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>, count: Int) {
  ms_widen_f16(source, target, Int64(count))
}

private func sameContiguousShape(_ x: Matrix, _ y: Matrix) -> Bool {
  x.rows == y.rows && x.columns == y.columns && x.isContiguous && y.isContiguous
}

private func describe(_ x: Matrix) -> String {
  x.stride == x.columns ? "[\(x.rows), \(x.columns)]" : "[\(x.rows), \(x.columns)/\(x.stride)]"
}
