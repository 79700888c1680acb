import Frames
import Tracks

/// The image channels of image tail `tracks`: the first picture as the tracks move it, encoded as the
/// stream of pictures that it is.
final class CarriedPicture {
  /// What the latent frames so far leave behind. A value: a copy is the picture at that moment.
  struct Memory: Sendable {
    fileprivate(set) var encoder: MemBlockMemory
    fileprivate var known: PictureWarp.Known
  }

  private let model: Model
  private let tracks: TrackSampler?
  private let first, frame: Tensor  // [H*W, 3]
  private let warp: PictureWarp
  private let workspace: EncodingWorkspace
  private let latent: PictureSize
  private var points: [TrackPoint] = []

  /// `picture` [H*W, 3] in [0, 1], of a size whose latent frames are those of `grid`.
  init(_ picture: Tensor, model: Model, grid: LatentGrid, reach: Double, tracks: TrackSampler?) {
    (self.model, self.tracks, first) = (model, tracks, picture)
    latent = grid.pictureSize
    let cell = model.manifest.spatialCompression
    frame = Tensor(picture.shape)
    warp = PictureWarp(
      picture: picture, size: latent.scaled(by: cell), reach: reach * Double(cell), cell: cell,
      start: tracks?.sample(at: 0) ?? [], pool: model.pool)
    workspace = model.vaeEncoder.makeWorkspace(latent: latent, pool: model.pool)
  }

  /// Writes latent frame 0, the picture alone, to `channels` [C, H*W]; returns the memory of
  /// it.
  func begin(into channels: Matrix) -> Memory {
    var memory = Memory(encoder: model.vaeEncoder.makeMemory(latent: latent), known: warp.unknown)
    model.vaeEncoder.encode(
      memory: &memory.encoder, workspace: workspace, pool: model.pool, into: channels
    ) { _ in first.matrix }
    return memory
  }

  /// Writes latent frame `latent` > 0 to `channels` [C, H*W]; `memory` is that of the one before.
  func write(latent: Int, memory: inout Memory, into channels: Matrix) {
    warp.known = memory.known
    let start = model.manifest.temporalCompression * (latent - 1) + 1
    model.vaeEncoder.encode(
      memory: &memory.encoder, workspace: workspace, pool: model.pool, into: channels
    ) { index in
      tracks?.sample(at: start + index, into: &points)
      warp.write(points, into: frame.matrix)
      return frame.matrix
    }
    memory.known = warp.known
  }
}

extension Model {
  /// The picture [H*W, 3] in [0, 1] of a stream's first latent frame [C, H*W].
  func picture(ofFirst latent: Tensor, grid: LatentGrid) -> Tensor {
    let size = grid.pictureSize
    let (patch, cell) = (directory.vae.patchSize, manifest.spatialCompression)
    let (width, height) = (size.width * cell, size.height * cell)
    let picture = Tensor(height * width, 3)
    var memory = vaeDecoder.makeMemory(latent: size)
    // Of the pictures of a first latent frame only the last counts: it is written over the others.
    vaeDecoder.decode(
      latent.matrix(rows: directory.vae.latentChannels), memory: &memory,
      workspace: vaeDecoder.makeWorkspace(latent: size, pool: pool), pool: pool
    ) { values in
      for y in 0..<height {
        for x in 0..<width {
          let block = values.base + (y / patch * (width / patch) + x / patch) * values.stride
          for channel in 0..<3 {
            let value = block[(channel * patch + y % patch) * patch + x % patch]
            // What is not a number becomes 0; damaged weights show in the chunk's latents.
            picture.pointer[(y * width + x) * 3 + channel] = value > 0 ? min(value, 1) : 0
          }
        }
      }
    }
    return picture
  }
}
