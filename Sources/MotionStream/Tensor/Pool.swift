import CKernels

/// The threads that kernels run on. One kernel at a time; results do not depend on the number.
package final class Pool: Sendable {
  // The C pool serialises its callers, so sharing the handle is safe.
  nonisolated(unsafe) let handle: OpaquePointer

  /// Starts `threads` >= 1 workers, the caller included.
  package init(threads: Int) throws(ModelError) {
    guard (1...1024).contains(threads) else {
      throw ModelError(.usage, "threads: expected 1 to 1024, found \(threads)")
    }
    guard let handle = ms_pool_create(Int32(threads)) else {
      throw ModelError(.outOfMemory, "cannot start \(threads) threads")
    }
    self.handle = handle
  }

  deinit { ms_pool_destroy(handle) }

  /// Number of workers, the caller included.
  package var threads: Int { Int(ms_pool_threads(handle)) }

  /// Calls `body` with 0 ..< count, spread over the workers, and waits for all.
  package func run(_ count: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var body = body
      withUnsafeMutablePointer(to: &body) { pointer in
        ms_pool_run(
          handle, Int64(count),
          { context, index in
            context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(index))
          }, pointer)
      }
    }
  }

  /// Does three things side by side and waits for all. If several fail, the first one's error is
  /// thrown.
  func together<A, B, C>(
    _ first: () throws(ModelError) -> A, _ second: () throws(ModelError) -> B,
    _ third: () throws(ModelError) -> C
  ) throws(ModelError) -> (A, B, C) {
    var results: (Result<A, ModelError>?, Result<B, ModelError>?, Result<C, ModelError>?)
    run(3) { index in
      switch index {
      case 0: results.0 = Result(catching: first)
      case 1: results.1 = Result(catching: second)
      default: results.2 = Result(catching: third)
      }
    }
    guard case (let a?, let b?, let c?) = results else { preconditionFailure("run left one out") }
    return (try a.get(), try b.get(), try c.get())
  }

  /// The instruction set that the kernels chose on this machine.
  package static var kernelPath: String { String(cString: ms_kernel_path()) }
}

/// A function applied to each value of a layer's result.
package enum Activation: Sendable {
  case none, geluTanh, silu, relu

  var code: MSActivation {
    switch self {
    case .none: MSActivationNone
    case .geluTanh: MSActivationGELUTanh
    case .silu: MSActivationSiLU
    case .relu: MSActivationReLU
    }
  }
}

/// How a linear layer's result meets what is already there.
package enum Write {
  /// y = r
  case store
  /// y += r
  case add
  /// y += gate * r; one gate row [N] for every `rowsPerGate` rows.
  case gatedAdd(Matrix, rowsPerGate: Int)
}

/// y = x Wᵀ + b with the weight packed for this machine. Immutable.
package final class LinearLayer: Sendable {
  /// Width of the input rows.
  package let inputs: Int
  /// Width of the output rows.
  package let outputs: Int
  nonisolated(unsafe) let handle: OpaquePointer?

  /// Packs `weight` [outputs, inputs] and `bias` [outputs].
  package init(
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?, outputs: Int, inputs: Int
  ) throws(ModelError) {
    guard let handle = ms_linear_prepare(weight, bias, Int64(outputs), Int64(inputs)) else {
      throw ModelError(.outOfMemory, "cannot hold a \(outputs)x\(inputs) weight")
    }
    self.handle = handle
    self.outputs = outputs
    self.inputs = inputs
  }

  /// A layer without weights, for taking inventory of a model; must not be run.
  init(unpreparedOutputs outputs: Int, inputs: Int) {
    handle = nil
    self.outputs = outputs
    self.inputs = inputs
  }

  deinit { if let handle { ms_linear_free(handle) } }
}

/// A 1x1 or 3x3 convolution over [H, W, C] with the weight packed for this machine. Immutable.
package final class ConvLayer: Sendable {
  /// Input channels.
  package let inputs: Int
  /// Output channels.
  package let outputs: Int
  /// 1 or 3; the picture is padded by half of it.
  package let kernel: Int
  /// 1 or 2.
  package let stride: Int
  /// Whether the picture is doubled by nearest neighbour before the convolution.
  package let doubles: Bool
  nonisolated(unsafe) let handle: OpaquePointer?

  /// Packs `weight` [outputs, inputs, kernel, kernel] and `bias` [outputs].
  package init(
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?, outputs: Int, inputs: Int,
    kernel: Int, stride: Int
  ) throws(ModelError) {
    precondition((kernel == 1 || kernel == 3) && (stride == 1 || stride == 2))
    let handle = ms_conv_prepare(
      weight, bias, Int64(outputs), Int64(inputs), Int64(kernel), Int64(stride))
    guard let handle else {
      throw ModelError(.outOfMemory, "cannot hold a \(outputs)x\(inputs)x\(kernel) convolution")
    }
    self.handle = handle
    self.outputs = outputs
    self.inputs = inputs
    self.kernel = kernel
    self.stride = stride
    doubles = false
  }

  /// Packs `weight` [outputs, inputs, 3, 3] for pictures that are doubled first.
  package init(
    doublingWeight weight: UnsafePointer<Float>, outputs: Int, inputs: Int
  ) throws(ModelError) {
    let handle = ms_conv_prepare_doubled(weight, nil, Int64(outputs), Int64(inputs))
    guard let handle else {
      throw ModelError(.outOfMemory, "cannot hold a doubling \(outputs)x\(inputs) convolution")
    }
    self.handle = handle
    self.outputs = outputs
    self.inputs = inputs
    kernel = 3
    stride = 1
    doubles = true
  }

  /// A layer without weights, for taking inventory of a model; must not be run.
  init(
    unpreparedOutputs outputs: Int, inputs: Int, kernel: Int, stride: Int, doubles: Bool = false
  ) {
    handle = nil
    self.outputs = outputs
    self.inputs = inputs
    self.kernel = kernel
    self.stride = stride
    self.doubles = doubles
  }

  /// Values held for the weights beyond those that came: packing rounds channels up, and some
  /// kernels are kept in a faster and larger form.
  var addedCount: Int {
    guard let handle else { return 0 }
    return Int(ms_conv_floats(handle)) - inputs * outputs * kernel * kernel
  }

  deinit { if let handle { ms_conv_free(handle) } }
}
