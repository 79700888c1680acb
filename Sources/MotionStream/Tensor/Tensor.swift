import Glibc

/// Contiguous row-major float32 values, aligned for the widest vector unit.
///
/// A reference: whoever holds one may write to it, and it is up to the owner (a layer's weights
/// after loading, a workspace inside one pipeline, a stream's state behind its copy-on-write
/// storage) that nobody reads at the same time. Views of its rows are `Matrix` values.
package final class Tensor: @unchecked Sendable {
  /// Sizes, slowest first.
  package let shape: [Int]
  /// Number of values.
  package let count: Int
  /// The first value.
  package let pointer: UnsafeMutablePointer<Float>

  /// Cache-line and AVX-512 alignment.
  private static let alignment = 64

  /// Makes a tensor of zeros.
  package init(_ shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "Tensor: negative size in \(shape)")
    self.shape = shape
    count = shape.reduce(1, *)
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: Tensor.alignment)
    memset(memory, 0, bytes)
    pointer = memory.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  /// Makes a tensor of zeros.
  package convenience init(_ shape: Int...) { self.init(shape) }

  /// Makes a tensor from values in row-major order.
  package convenience init(_ shape: [Int], values: [Float]) {
    self.init(shape)
    precondition(values.count == count, "Tensor: \(values.count) values for \(shape)")
    for (i, value) in values.enumerated() { pointer[i] = value }
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  /// The values in row-major order.
  package var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// The memory held, in bytes.
  package var byteCount: Int { count * MemoryLayout<Float>.stride }

  /// Another tensor with the same values.
  package func copy() -> Tensor {
    let other = Tensor(shape)
    other.pointer.update(from: pointer, count: count)
    return other
  }

  /// Overwrites this tensor with the values of one of equal count.
  package func assign(_ other: Tensor) {
    precondition(other.count == count, "Tensor: assign \(other.shape) to \(shape)")
    pointer.update(from: other.pointer, count: count)
  }

  /// Sets every value to zero.
  package func clear() { memset(pointer, 0, byteCount) }

  /// All values as rows of the last size.
  package var matrix: Matrix {
    let columns = shape.last ?? 1
    return Matrix(
      owner: self, base: pointer, rows: columns == 0 ? 0 : count / columns, columns: columns,
      stride: columns)
  }

  /// All values as `rows` rows.
  package func matrix(rows: Int) -> Matrix {
    precondition(rows > 0 && count % rows == 0, "Tensor: \(shape) as \(rows) rows")
    return Matrix(
      owner: self, base: pointer, rows: rows, columns: count / rows, stride: count / rows)
  }

  /// A run of the rows of `matrix`.
  package func rows(_ range: Range<Int>) -> Matrix { matrix.rows(range) }
}

/// Rows of equal width inside a tensor, `stride` values apart. Keeps its tensor alive.
package struct Matrix {
  /// The tensor looked at.
  package let owner: Tensor
  /// The first value of the first row.
  package let base: UnsafeMutablePointer<Float>
  /// Number of rows.
  package let rows: Int
  /// Values in a row.
  package let columns: Int
  /// Distance between rows, in values.
  package let stride: Int

  /// A run of the rows.
  package func rows(_ range: Range<Int>) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "Matrix: rows \(range) of \(rows)")
    return Matrix(
      owner: owner, base: base + range.lowerBound * stride, rows: range.count, columns: columns,
      stride: stride)
  }

  /// A run of the columns; rows stay as far apart as they are.
  package func columns(_ range: Range<Int>) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns, "Matrix: columns \(range) of \(columns)"
    )
    return Matrix(
      owner: owner, base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  /// Whether the rows follow each other without gaps.
  package var isContiguous: Bool { stride == columns || rows <= 1 }

  /// Sets every value.
  package func fill(_ value: Float) {
    for row in 0..<rows { (base + row * stride).update(repeating: value, count: columns) }
  }

  /// Copies rows of the same shape from another place, which must not overlap.
  package func assign(_ other: Matrix) {
    precondition(
      other.rows == rows && other.columns == columns,
      "Matrix: assign [\(other.rows), \(other.columns)] to [\(rows), \(columns)]")
    for row in 0..<rows {
      (base + row * stride).update(from: other.base + row * other.stride, count: columns)
    }
  }
}
