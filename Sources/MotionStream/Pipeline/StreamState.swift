/// All that changes while a stream runs: the cache, the autoencoder's memory, and where the stream is.
///
/// A value: a copy is the stream at that moment. Put it back into a pipeline with the same inputs
/// and the stream continues from there, as often as you like, with equal frames. Copying is cheap;
/// the memory is duplicated when the original next moves on.
public struct StreamState: Sendable {
  // The cache is a reference; nobody writes to it while two values share it.
  private final class Storage: @unchecked Sendable {
    let cache: KVCache
    init(_ cache: KVCache) { self.cache = cache }
  }

  private var storage: Storage
  var decoder: MemBlockMemory
  /// For image tail `tracks`: the memory of the moved pictures; nil before the first.
  var carried: CarriedPicture.Memory?
  /// The first picture's latent frame [C, H*W] of a stream that drew it. Never written to.
  package internal(set) var drawn: Tensor?
  /// Chunks made so far.
  public internal(set) var chunkCount = 0
  /// Pictures made so far.
  public internal(set) var frameCount = 0

  init(cache: KVCache, decoder: MemBlockMemory) {
    storage = Storage(cache)
    self.decoder = decoder
  }

  /// The latent frame index of the next chunk's first frame.
  package var nextLatent: Int { storage.cache.index.nextFrame }

  /// The memory held, in bytes, but for what each track has told; the same at any time after the first
  /// chunk.
  public var byteCount: Int {
    storage.cache.byteCount + decoder.byteCount + (carried?.encoder.byteCount ?? 0)
      + (drawn?.byteCount ?? 0)
  }

  /// The cache, to look at.
  package var cache: KVCache { storage.cache }

  /// The cache, to write to: this value's own.
  mutating func uniqueCache() -> KVCache {
    if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.cache.copy()) }
    return storage.cache
  }
}
