package import Tracks

// Letters: H W latent grid, E id dimension, r pixel frames of one latent frame, C track channels.

/// The track head of MotionStream (section 3.1): points become a map of id embeddings on the latent
/// grid, r frames are packed into one latent frame, and two linear maps give its channels.
///
/// Latent frame 0 sees pixel frame 0 only (r - 1 frames of zeros lie before it), latent frame j the
/// frames r(j-1)+1 ... rj. "No tracks at all" is not this encoder without points (that gives what
/// its biases give) but a map of exact zeros, which is the caller's to make.
package struct TrackEncoder: Sendable {
  /// The sizes.
  package let configuration: TrackHeadConfiguration
  /// How points become the map.
  package let rules: TrackRules
  /// [C, r*E], frames slowest: the reference's strided convolution over time.
  private let pack: LinearLayer
  private let project: LinearLayer

  /// Takes `temporal_conv` and `proj`, so pass the weights below `track_encoder`.
  package init(
    _ configuration: TrackHeadConfiguration, rules: TrackRules, _ weights: Weights
  ) throws(ModelError) {
    self.configuration = configuration
    self.rules = rules
    pack = try Self.packing(configuration, weights)
    project = try weights.linear(
      "proj", outputs: configuration.channels, inputs: configuration.channels,
      bias: configuration.usesBias,
      weightShape: [configuration.channels, configuration.channels, 1, 1, 1])
  }

  /// Room for encoding on a grid of this size. `origins`: for rule `origin`, where each track (by id)
  /// was first visible, in output pixels.
  package func makeWorkspace(
    grid: PictureSize, origins: [Int: TrackPoint] = [:]
  ) -> TrackWorkspace {
    let cell = Double(configuration.spatialCompression)
    let embedding = IDEmbedding(
      dimension: configuration.idDimension, rules: rules,
      origins: origins.mapValues { (x: Double($0.x) / cell, y: Double($0.y) / cell) })
    return TrackWorkspace(configuration, rules: rules, grid: grid, embedding: embedding)
  }

  /// Pixel frames that latent frame `latent` sees.
  package func frames(of latent: Int) -> Range<Int> {
    let end = configuration.temporalCompression * latent + 1
    return max(0, end - configuration.temporalCompression)..<end
  }

  /// The track channels of one latent frame, [C, H*W] (rows may be apart). `sample` fills an array
  /// with the points of a pixel frame, in output pixels.
  ///
  /// `ahead` is for a latent frame 0 that is to be drawn. Of its r - 1 frames of zeros, the first
  /// `ahead.count` then hold the tracks at their starts as well, but what makes their IDs (rule
  /// `origin`) is how far they have gone so many frames later, where they are seen by then: which
  /// points belong together, and what the prompt's words for motion are about, one frame does not
  /// tell.
  package func encode(
    latent: Int, ahead: [Int] = [], workspace: TrackWorkspace, pool: Pool, into output: Matrix,
    sample: (_ frame: Int, _ points: inout [TrackPoint]) -> Void
  ) {
    precondition(
      output.rows == configuration.channels && output.columns == workspace.grid.count,
      "encode: [\(output.rows), \(output.columns)] for \(workspace.grid)")
    workspace.clear()
    let frames = frames(of: latent)
    for frame in frames {
      sample(frame, &workspace.points)
      let slot = configuration.temporalCompression - (frames.upperBound - frame)
      workspace.place(slot: slot, spatialCompression: configuration.spatialCompression)
    }
    if !ahead.isEmpty {
      let starts = workspace.points
      for (slot, frame) in ahead.enumerated() {
        sample(frame, &workspace.points)
        workspace.placeWays(
          from: starts, slot: slot, spatialCompression: configuration.spatialCompression)
      }
    }
    let rows = workspace.usedRows
    let channels = configuration.channels
    let hidden = view(workspace.hidden, rows, channels)
    let result = view(workspace.result, rows, channels)
    pool.linear(pack, view(workspace.packed, rows, workspace.packedWidth), into: hidden)
    pool.linear(project, hidden, into: result)
    for cell in 0..<workspace.grid.count {
      let source = result.base + Int(workspace.rowOfCell[cell]) * channels
      for channel in 0..<channels { output.base[channel * output.stride + cell] = source[channel] }
    }
  }

  private static func packing(
    _ configuration: TrackHeadConfiguration, _ weights: Weights
  ) throws(ModelError) -> LinearLayer {
    let (channels, dimension) = (configuration.channels, configuration.idDimension)
    let frames = configuration.temporalCompression
    let stored = try weights.tensor(
      "temporal_conv.weight", channels, dimension, frames, 1, 1)
    let bias = configuration.usesBias ? try weights.tensor("temporal_conv.bias", channels) : nil
    guard stored.count > 0 else {
      return LinearLayer(unpreparedOutputs: channels, inputs: frames * dimension)
    }
    let packed = Tensor(channels, frames, dimension)
    for channel in 0..<channels {
      for frame in 0..<frames {
        for part in 0..<dimension {
          packed.pointer[(channel * frames + frame) * dimension + part] =
            stored.pointer[(channel * dimension + part) * frames + frame]
        }
      }
    }
    return try LinearLayer(
      weight: packed.pointer, bias: bias?.pointer, outputs: channels, inputs: frames * dimension)
  }
}

/// Room for one latent frame of tracks. Only cells that a point falls on get a row; all others share
/// row 0, which stays zero. Two threads must not use one at the same time.
package final class TrackWorkspace: @unchecked Sendable {
  /// Size of the latent grid.
  let grid: PictureSize
  /// Values in a row: r*E.
  let packedWidth: Int
  /// The points of the frame at hand.
  var points: [TrackPoint] = []
  /// Embeddings by row, r frames side by side.
  let packed: Tensor
  /// After the packing convolution, [rows, C].
  let hidden: Tensor
  /// After the projection, [rows, C].
  let result: Tensor
  /// The row of every cell; 0 for cells without points.
  private(set) var rowOfCell: [Int32]
  /// Rows in use, the shared one included.
  private(set) var usedRows = 1

  private let rules: TrackRules
  private let dimension: Int
  private var embedding: IDEmbedding

  init(
    _ configuration: TrackHeadConfiguration, rules: TrackRules, grid: PictureSize,
    embedding: IDEmbedding
  ) {
    self.grid = grid
    self.rules = rules
    dimension = configuration.idDimension
    packedWidth = configuration.temporalCompression * dimension
    packed = Tensor(grid.count + 1, packedWidth)
    hidden = Tensor(grid.count + 1, configuration.channels)
    result = Tensor(grid.count + 1, configuration.channels)
    rowOfCell = Array(repeating: 0, count: grid.count)
    self.embedding = embedding
  }

  /// The memory held, in bytes.
  package var byteCount: Int { packed.byteCount + hidden.byteCount + result.byteCount }

  /// Forgets the latent frame before.
  func clear() {
    for index in 0..<usedRows * packedWidth { packed.pointer[index] = 0 }
    usedRows = 1
    for cell in rowOfCell.indices { rowOfCell[cell] = 0 }
  }

  /// Places the visible ones of `points` as frame `slot` of the latent frame.
  func place(slot: Int, spatialCompression: Int) {
    let placement = TrackPlacement(grid: grid, cellSize: spatialCompression, rule: rules.cellRule)
    for point in points where point.visible {
      embedding.withEmbedding(of: point.id) { put($0, at: point, slot: slot, placement) }
    }
  }

  /// Places the visible ones of `starts` as frame `slot`, with how far they have gone to the visible
  /// ones of `points` in the place of their IDs.
  func placeWays(from starts: [TrackPoint], slot: Int, spatialCompression: Int) {
    let placement = TrackPlacement(grid: grid, cellSize: spatialCompression, rule: rules.cellRule)
    let later = Dictionary(points.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for start in starts where start.visible {
      guard let end = later[start.id], end.visible else { continue }
      let way = [end.x - start.x, end.y - start.y].map { Double($0) / Double(spatialCompression) }
      put(embedding.embedding(of: way), at: start, slot: slot, placement)
    }
  }

  private func put(
    _ values: UnsafePointer<Float>, at point: TrackPoint, slot: Int, _ placement: TrackPlacement
  ) {
    let adds = rules.collision == .add
    placement.forEachCell(point) { cell, weight in
      let target = packed.pointer + row(of: cell) * packedWidth + slot * dimension
      if adds {
        for i in 0..<dimension { target[i] += weight * values[i] }
      } else {
        for i in 0..<dimension { target[i] = values[i] }
      }
    }
  }

  private func row(of cell: Int) -> Int {
    if rowOfCell[cell] == 0 {
      rowOfCell[cell] = Int32(usedRows)
      usedRows += 1
    }
    return Int(rowOfCell[cell])
  }
}
