import Frames
import Tracks

/// The input channels besides the noise: mask, picture and tracks, in the model's order.
final class ConditionChannels {
  /// The first latent frame [C, H, W], for models that take the picture as their first chunk.
  let prefill: Tensor?

  private let model: Model
  private let network: Network
  private let grid: LatentGrid
  /// The first channel of every slot.
  private let offsets: [MotionStreamManifest.InputSlot: Int]
  /// Latent frames of the picture channels, [held, C, H, W]; the last holds for all later frames.
  private let image: Tensor?
  private let tracks: TrackSampler?
  private let trackWorkspace: TrackWorkspace?
  /// For image tail `tracks`: the picture that the tracks move, and the latent frame that it was
  /// decoded from if the stream drew it.
  private var carried: (picture: CarriedPicture, drawn: Tensor?)?
  private let channels: Tensor  // [largest slot, H*W]

  /// The channels for a network of the model, which cuts latents as `grid` does.
  init(
    model: Model, network: Network, grid: LatentGrid, image: RGBFrame?, tracks: TrackSampler?
  ) throws(ModelError) {
    self.model = model
    self.network = network
    self.grid = grid
    let manifest = model.manifest
    var offsets: [MotionStreamManifest.InputSlot: Int] = [:]
    var offset = 0
    for slot in manifest.inputSlots {
      offsets[slot] = offset
      offset += model.directory.channels(of: slot, for: network.configuration)
    }
    self.offsets = offsets
    channels = Tensor(
      manifest.inputSlots.map { model.directory.channels(of: $0, for: network.configuration) }
        .max() ?? 0, grid.pixelsPerFrame)

    let latents = try ConditionChannels.encode(image, model: model, grid: grid)
    prefill = manifest.image.rule == .prefill ? latents : nil
    self.image = manifest.image.rule == .channels ? latents : nil

    self.tracks = tracks
    if let tracks {
      guard let encoder = network.trackEncoder else {
        throw ModelError(.usage, "\(model.directory.path): this model takes no tracks")
      }
      trackWorkspace = encoder.makeWorkspace(
        grid: grid.pictureSize,
        origins: encoder.rules.ids == .origin ? tracks.firstVisiblePoints() : [:])
    } else {
      trackWorkspace = nil
    }
    if let image, let reach = manifest.image.reach {
      let picture = CarriedPicture(
        image.values, model: model, grid: grid, reach: reach, tracks: tracks)
      carried = (picture, nil)
    }
  }

  /// Latents of the picture; for the grey tail also of the grey frames after it, until the encoder
  /// has forgotten the picture.
  private static func encode(
    _ image: RGBFrame?, model: Model, grid: LatentGrid
  ) throws(ModelError) -> Tensor? {
    guard let image else { return nil }
    let rule = model.manifest.image
    guard rule.rule != .none else {
      throw ModelError(.usage, "\(model.directory.path): this model takes no first picture")
    }
    let compression = model.manifest.spatialCompression
    let (width, height) = (grid.width * compression, grid.height * compression)
    guard image.width == width, image.height == height else {
      throw ModelError(
        .usage, "first picture: expected \(width)x\(height), found \(image.width)x\(image.height)")
    }
    var grey = 0
    if rule.rule == .channels, rule.tail == .grey {
      // Every stage runs at one frame a latent or faster, so a MemBlock looks back one latent at
      // most, and a latent further on than there are MemBlocks cannot see the picture.
      let vae = model.directory.vae
      grey = vae.encoderTimeDownscale.count * vae.memblocksPerStage + 1
    }
    return model.vaeEncoder.encode(image: image, greyLatents: grey, pool: model.pool)
  }

  /// Writes the channels of latent frames `range` to patches [T*S, in * patch]. `drawn` is the
  /// picture's latent frame if the stream drew it; `memory` that of the latent frames before
  /// (``CarriedPicture``); `image` [T * C, H*W] gets a copy of the image channels; `ahead` is for a
  /// latent frame 0 that is to be drawn (``TrackEncoder``).
  func write(
    latents range: Range<Int>, drawn: Tensor?, ahead: [Int] = [],
    carried memory: inout CarriedPicture.Memory?, into patches: Matrix, image copy: Matrix?
  ) {
    for (index, latent) in range.enumerated() {
      let frame = patches.rows(index * grid.tokensPerFrame..<(index + 1) * grid.tokensPerFrame)
      for slot in model.manifest.inputSlots where slot != .noise {
        let rows = channels.rows(
          0..<model.directory.channels(of: slot, for: network.configuration))
        fill(slot, latent: latent, drawn: drawn, ahead: ahead, carried: &memory, into: rows)
        grid.patchify(rows, into: frame, channelOffset: offsets[slot] ?? 0)
        if slot == .image, let copy {
          copy.rows(index * rows.rows..<(index + 1) * rows.rows).assign(rows)
        }
      }
    }
  }

  /// Writes latents [T * C, H*W] to the noise channels of patches [T*S, in * patch].
  func writeNoise(_ latents: Matrix, into patches: Matrix) {
    grid.patchify(latents, into: patches, channelOffset: offsets[.noise] ?? 0)
  }

  private func fill(
    _ slot: MotionStreamManifest.InputSlot, latent: Int, drawn: Tensor?, ahead: [Int],
    carried memory: inout CarriedPicture.Memory?, into channels: Matrix
  ) {
    switch slot {
    case .noise: break
    case .mask:
      // Ones where a picture is given.
      channels.fill((image ?? drawn) != nil && latent == 0 ? 1 : 0)
    case .image where model.manifest.image.tail == .tracks:
      guard let picture = carriedPicture(drawn) else { return channels.fill(0) }
      if latent == 0 {
        memory = picture.begin(into: channels)
        if let drawn { channels.assign(drawn.matrix(rows: channels.rows)) }
      } else {
        guard var own = memory else { preconditionFailure("latent frame 0 was not written") }
        memory = nil  // the memory's only holder is to be written to in place
        picture.write(latent: latent, memory: &own, into: channels)
        memory = own
      }
    case .image:
      guard let image, latent == 0 || model.manifest.image.tail == .grey else {
        return channels.fill(0)
      }
      let held = min(latent, image.shape[0] - 1)
      channels.assign(
        image.matrix(rows: image.shape[0] * channels.rows)
          .rows(held * channels.rows..<(held + 1) * channels.rows))
    case .tracks:
      guard let tracks, let encoder = network.trackEncoder, let trackWorkspace else {
        return channels.fill(0)
      }
      encoder.encode(
        latent: latent, ahead: ahead, workspace: trackWorkspace, pool: model.pool, into: channels
      ) { frame, points in tracks.sample(at: frame, into: &points) }
    }
  }

  /// The picture that the tracks move; nil if there is none, given or drawn.
  private func carriedPicture(_ drawn: Tensor?) -> CarriedPicture? {
    if let carried, carried.drawn === drawn { return carried.picture }
    guard let drawn, let reach = model.manifest.image.reach else { return nil }
    let picture = CarriedPicture(
      model.picture(ofFirst: drawn, grid: grid), model: model, grid: grid, reach: reach,
      tracks: tracks)
    carried = (picture, drawn)
    return picture
  }
}
