/// Which latent frames a stream's cache holds, and where: sink | window, then the current chunk.
///
/// Pure bookkeeping in whole latent frames; `KVCache` moves the values accordingly.
package struct CacheIndex: Sendable, Equatable {
  /// The rules that do not change while a stream runs.
  package struct Rules: Sendable, Equatable {
    /// Latent frames at the start of the stream that are never evicted.
    package let sinkFrames: Int
    /// The latest latent frames that are kept besides.
    package let windowFrames: Int
    /// The most latent frames of a chunk.
    package let maximumChunk: Int
    /// The temporal index of a frame.
    package let positions: MotionStreamManifest.Cache.Positions

    /// Makes rules.
    package init(
      sinkFrames: Int, windowFrames: Int, maximumChunk: Int,
      positions: MotionStreamManifest.Cache.Positions
    ) {
      self.sinkFrames = sinkFrames
      self.windowFrames = windowFrames
      self.maximumChunk = maximumChunk
      self.positions = positions
    }

    /// The rules of a model.
    package init(_ manifest: MotionStreamManifest) {
      self.init(
        sinkFrames: manifest.sinkFrames, windowFrames: manifest.windowFrames,
        maximumChunk: max(manifest.chunk, manifest.firstChunk),
        positions: manifest.cache.positions)
    }

    /// The most latent frames kept between chunks.
    package var contextFrames: Int { sinkFrames + windowFrames }
    /// The most latent frames attended to: context and current chunk.
    package var capacity: Int { contextFrames + maximumChunk }
  }

  /// The rules.
  package let rules: Rules
  /// The latent frame index of each cached frame, oldest first.
  package private(set) var frames: [Int] = []
  /// The latent frame index of the next chunk's first frame.
  package private(set) var nextFrame = 0

  /// An empty cache.
  package init(_ rules: Rules) {
    self.rules = rules
    frames.reserveCapacity(rules.capacity)
  }

  /// The temporal index of every cached frame, then of the `chunk` frames of the current chunk.
  package func positions(chunk: Int) -> [Int] {
    switch rules.positions {
    case .slot: Array(0..<frames.count + chunk)
    case .absolute: frames + Array(nextFrame..<nextFrame + chunk)
    }
  }

  /// Takes in the current chunk and evicts what is neither sink nor window. Returns the places,
  /// among the cached frames followed by the chunk's, that are kept: place `i` of the cache is now
  /// what was at `kept[i]`, and `kept[i] >= i`.
  package mutating func commit(chunk: Int) -> [Int] {
    precondition(chunk <= rules.maximumChunk, "a chunk of \(chunk) of \(rules.maximumChunk)")
    let all = frames + Array(nextFrame..<nextFrame + chunk)
    let windowStart = all.count - rules.windowFrames
    let kept = all.indices.filter { all[$0] < rules.sinkFrames || $0 >= windowStart }
    frames = kept.map { all[$0] }
    nextFrame += chunk
    return kept
  }
}
