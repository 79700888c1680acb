package import Frames

/// How the look of one clip changes from chunk to chunk: a stream that feeds on its own frames may
/// slowly change colour, lose detail or leave its first picture.
package struct Drift: Sendable {
  /// What is measured of a chunk.
  package enum Measure: Int, CaseIterable, Sendable {
    /// Mean and standard deviation over all pixels of the chunk, 0 to 255, of brightness and the
    /// two colour differences (BT.601, full range).
    case lumaMean, lumaDeviation, cbMean, cbDeviation, crMean, crDeviation
    /// Variance of the brightness' Laplacian (four neighbours), mean over the frames.
    case sharpness
    /// SSIM to the clip's first frame, mean over the frames.
    case ssimToFirst

    /// The name in tables.
    package var name: String {
      switch self {
      case .lumaMean: "luma_mean"
      case .lumaDeviation: "luma_std"
      case .cbMean: "cb_mean"
      case .cbDeviation: "cb_std"
      case .crMean: "cr_mean"
      case .crDeviation: "cr_std"
      case .sharpness: "sharpness"
      case .ssimToFirst: "ssim_to_first"
      }
    }
  }

  /// A finished chunk.
  package struct Chunk: Sendable {
    /// Number of its first frame.
    package let firstFrame: Int
    /// Frames in it.
    package let frames: Int
    /// By `Measure.rawValue`.
    package let values: [Double]
  }

  /// The chunks so far, the last one perhaps not full.
  package var chunks: [Chunk] { done + (current.frames > 0 ? [current.chunk] : []) }

  private let chunkFrames: Int
  private let firstChunkFrames: Int
  private var done: [Chunk] = []
  private var current = Sums(firstFrame: 0)
  private var first: Luma?

  /// Chunks of a stream have one length but for the first one.
  package init(firstChunk: Int, chunk: Int) {
    (firstChunkFrames, chunkFrames) = (firstChunk, chunk)
  }

  /// Takes the next frame, of the size of the others and at least 11x11.
  package mutating func add(_ picture: RGBFrame) {
    let luma = Luma(picture)
    let reference = first ?? luma
    first = reference
    current.add(picture, luma, ssim: ImageQuality.ssim(reference, luma))
    if current.frames == (done.isEmpty ? firstChunkFrames : chunkFrames) {
      done.append(current.chunk)
      current = Sums(firstFrame: current.firstFrame + current.frames)
    }
  }

  /// Change of a measure per frame: least squares over the chunks, each at its middle frame. Nil
  /// for less than two chunks.
  package func slope(_ measure: Measure) -> Double? {
    let chunks = chunks
    guard chunks.count > 1 else { return nil }
    let x = chunks.map { Double($0.firstFrame) + Double($0.frames - 1) / 2 }
    let y = chunks.map { $0.values[measure.rawValue] }
    let meanX = x.reduce(0, +) / Double(x.count)
    let meanY = y.reduce(0, +) / Double(y.count)
    let product = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    return product / x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
  }

  /// For printing.
  var result: EvaluationResult {
    let measures = Measure.allCases
    var result = EvaluationResult(
      metric: "drift", unit: "change per frame", rowName: "chunk",
      columns: ["first_frame", "frames"] + measures.map(\.name))
    let chunks = chunks
    result.summary = measures.map { ($0.name + "_slope", slope($0)) }
    result.rows = chunks.map {
      [Double($0.firstFrame), Double($0.frames)] + $0.values.map { Optional($0) }
    }
    return result
  }
}

/// What a chunk adds up.
private struct Sums: Sendable {
  let firstFrame: Int
  private(set) var frames = 0
  private var pixels = 0.0
  private var sums = [0.0, 0.0, 0.0]
  private var squares = [0.0, 0.0, 0.0]
  private var sharpness = 0.0
  private var ssim = 0.0

  init(firstFrame: Int) { self.firstFrame = firstFrame }

  mutating func add(_ picture: RGBFrame, _ luma: Luma, ssim: Double) {
    var (sum, square) = (SIMD3<Double>.zero, SIMD3<Double>.zero)
    for (index, y) in luma.values.enumerated() {
      let brightness = Double(y)
      let red = Double(picture.pixels[3 * index])
      let blue = Double(picture.pixels[3 * index + 2])
      let value = SIMD3(
        brightness, 128 + (blue - brightness) * 0.5 / (1 - 0.114),
        128 + (red - brightness) * 0.5 / (1 - 0.299))
      sum += value
      square += value * value
    }
    for channel in 0..<3 {
      sums[channel] += sum[channel]
      squares[channel] += square[channel]
    }
    pixels += Double(luma.values.count)
    sharpness += Self.laplacianVariance(luma)
    self.ssim += ssim
    frames += 1
  }

  var chunk: Drift.Chunk {
    var values: [Double] = []
    for channel in 0..<3 {
      let mean = sums[channel] / pixels
      values += [mean, max(squares[channel] / pixels - mean * mean, 0).squareRoot()]
    }
    return Drift.Chunk(
      firstFrame: firstFrame, frames: frames,
      values: values + [sharpness / Double(frames), ssim / Double(frames)])
  }

  private static func laplacianVariance(_ luma: Luma) -> Double {
    let width = luma.width
    var (sum, square, count) = (0.0, 0.0, 0.0)
    for y in 1..<(luma.height - 1) {
      for x in 1..<(width - 1) {
        let index = y * width + x
        let sides =
          luma.values[index - 1] + luma.values[index + 1] + luma.values[index - width]
          + luma.values[index + width]
        let value = Double(sides - 4 * luma.values[index])
        sum += value
        square += value * value
        count += 1
      }
    }
    return max(square / count - (sum / count) * (sum / count), 0)
  }
}
