/// Values of one trivial type in memory of their own, which kernels on several threads may write to,
/// each at its own places.
final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
  let count: Int
  let pointer: UnsafeMutablePointer<Element>

  init(repeating value: Element, count: Int) {
    self.count = count
    pointer = .allocate(capacity: count)
    pointer.initialize(repeating: value, count: count)
  }

  init(_ values: [Element]) {
    count = values.count
    pointer = .allocate(capacity: count)
    for (index, value) in values.enumerated() { pointer[index] = value }
  }

  deinit { pointer.deallocate() }

  subscript(_ index: Int) -> Element {
    _read { yield pointer[index] }
    _modify { yield &pointer[index] }
  }
}
