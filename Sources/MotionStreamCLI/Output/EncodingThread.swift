import Foundation

/// Runs `write` on a thread of its own, over a bounded queue, so that encoding one chunk overlaps
/// making the next and memory stays fixed however slow the reader is.
///
/// `submit` blocks while the queue is full and throws what `write` threw; nothing is written after
/// an error. `finish` waits until all is written. Items are written in the order submitted.
final class EncodingThread<Item: Sendable>: @unchecked Sendable {
  // All stored variables are guarded by `condition`.
  private let condition = NSCondition()
  private let capacity: Int
  private var waiting: [Item] = []
  private var closed = false
  private var ended = false
  private var failure: (any Error)?

  /// Starts the thread. At most `capacity` items wait beside the one being written.
  init(capacity: Int, write: @escaping @Sendable (Item) throws -> Void) {
    precondition(capacity > 0, "EncodingThread: capacity \(capacity)")
    self.capacity = capacity
    Thread.detachNewThread { self.run(write) }
  }

  /// Hands over an item.
  func submit(_ item: Item) throws {
    condition.lock()
    defer { condition.unlock() }
    while waiting.count >= capacity, failure == nil { condition.wait() }
    if let failure { throw failure }
    waiting.append(item)
    condition.broadcast()
  }

  /// Waits until everything submitted is written.
  func finish() throws {
    condition.lock()
    defer { condition.unlock() }
    closed = true
    condition.broadcast()
    while !ended { condition.wait() }
    if let failure { throw failure }
  }

  private func run(_ write: (Item) throws -> Void) {
    while let item = next() {
      do {
        try write(item)
      } catch {
        end(error)
        return
      }
    }
    end(nil)
  }

  private func next() -> Item? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty, !closed { condition.wait() }
    guard !waiting.isEmpty else { return nil }
    let item = waiting.removeFirst()
    condition.broadcast()
    return item
  }

  private func end(_ error: (any Error)?) {
    condition.lock()
    failure = error
    ended = true
    waiting.removeAll()
    condition.broadcast()
    condition.unlock()
  }
}
