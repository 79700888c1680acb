public import Frames

/// What one call of ``StreamingPipeline/next()`` made.
public struct ChunkOutput: Sendable {
  /// Number of the chunk, from 0.
  public let index: Int
  /// Number of its first picture, from 0.
  public let firstFrame: Int
  /// The pictures, in order.
  public let frames: [RGBFrame]
  /// Where the time went.
  public let timings: StageTimings
  /// The clean latents, [T, C, H, W]; kept only for pipelines that were asked to.
  package let latents: Tensor?
}

/// Seconds spent on a chunk, by stage.
public struct StageTimings: Sendable, Equatable {
  /// Drawing the first picture, before the first chunk of a stream that was given none.
  public var drawing = 0.0
  /// Placing and encoding the tracks and laying out the other conditions.
  public var conditions = 0.0
  /// Each denoising step: noise, transformer, update.
  public var denoise: [Double] = []
  /// The pass that writes the clean chunk to the cache.
  public var commit = 0.0
  /// Decoding the latents to pictures.
  public var decode = 0.0

  /// All of it.
  public var total: Double { drawing + conditions + denoise.reduce(0, +) + commit + decode }
}

/// Measures the time between calls.
struct StageClock {
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant

  init() { last = clock.now }

  /// Seconds since the last call, or since the start.
  mutating func lap() -> Double {
    let now = clock.now
    defer { last = now }
    return (now - last) / .seconds(1)
  }
}
