/// `track_config` of `transformer/config.json`: the sizes of the track head.
public struct TrackHeadConfiguration: Sendable, Equatable, Decodable {
  /// Width E of a track's sinusoidal embedding.
  public let idDimension: Int
  /// Channels of the track map that the transformer reads.
  public let channels: Int
  /// Pixels of one latent cell along each side.
  public let spatialCompression: Int
  /// Pixel frames of one latent frame.
  public let temporalCompression: Int
  /// Ids are below this.
  public let maximumID: Int
  /// Whether both convolutions have a bias.
  public let usesBias: Bool

  private enum CodingKeys: String, CodingKey {
    case idDimension = "id_dim"
    case channels = "track_channels"
    case spatialCompression = "vae_spatial_compression"
    case temporalCompression = "vae_temporal_compression"
    case maximumID = "max_track_id"
    case usesBias = "use_bias"
  }

  /// Makes a configuration; `validate` says whether it can be run.
  public init(
    idDimension: Int, channels: Int, spatialCompression: Int, temporalCompression: Int,
    maximumID: Int, usesBias: Bool
  ) {
    self.idDimension = idDimension
    self.channels = channels
    self.spatialCompression = spatialCompression
    self.temporalCompression = temporalCompression
    self.maximumID = maximumID
    self.usesBias = usesBias
  }

  /// Throws `.badModel` for sizes that no track head can have; `path` is the file to name.
  public func validate(path: String) throws(ModelError) {
    guard (4...65_536).contains(idDimension), idDimension % 4 == 0 else {
      throw ModelError(
        .badModel, "\(path): track_config.id_dim: expected a multiple of 4, found \(idDimension)")
    }
    let sizes = [
      ("track_channels", channels), ("vae_spatial_compression", spatialCompression),
      ("vae_temporal_compression", temporalCompression),
    ]
    for (name, size) in sizes where !(1...65_536).contains(size) {
      throw ModelError(
        .badModel, "\(path): track_config.\(name): expected a positive size, found \(size)")
    }
    guard (1...Int(Int32.max)).contains(maximumID) else {
      throw ModelError(
        .badModel, "\(path): track_config.max_track_id: expected 1 or more, found \(maximumID)")
    }
  }
}

/// `tracks` of `motionstream.json`: how points become the track map.
public struct TrackRules: Sendable, Equatable, Decodable {
  /// Which cells of the latent grid a point falls on.
  public enum CellRule: String, Sendable, CaseIterable, Decodable {
    /// The cell that holds the point (MotionStream, equation 1).
    case floor
    /// The nearest of a grid whose outer cells lie on the picture's border (Track-v0).
    case roundGrid = "round_grid"
    /// The four nearest cell centres, weighted by distance.
    case bilinear
  }

  /// What happens when two points fall on one cell.
  public enum Collision: String, Sendable, CaseIterable, Decodable {
    /// Their embeddings are summed.
    case add
    /// The later one in the list stays.
    case assign
  }

  /// How a track's id picks its embedding.
  public enum IDRule: String, Sendable, CaseIterable, Decodable {
    /// As it is.
    case file
    /// Through a fixed permutation of 0 ..< maximumID, so that neighbours differ.
    case scattered
    /// Not at all: the embedding is of the place where the track was first visible, so that points
    /// that start close together get similar embeddings.
    case origin
  }

  /// Which cells a point falls on.
  public let cellRule: CellRule
  /// What happens when points meet.
  public let collision: Collision
  /// Ids are below this.
  public let maximumID: Int
  /// Longest wavelength of the embedding, over 2π.
  public let base: Double
  /// How an id picks its embedding.
  public let ids: IDRule

  private enum CodingKeys: String, CodingKey {
    case cellRule = "cell_rule"
    case collision
    case maximumID = "max_id"
    case base
    case ids
  }

  /// Makes the rules; `validate` says whether they can be run.
  public init(
    cellRule: CellRule, collision: Collision, maximumID: Int, base: Double, ids: IDRule
  ) {
    self.cellRule = cellRule
    self.collision = collision
    self.maximumID = maximumID
    self.base = base
    self.ids = ids
  }

  /// Throws `.badModel` for rules that contradict each other; `path` is the file to name.
  public func validate(path: String) throws(ModelError) {
    guard !(cellRule == .bilinear && collision == .assign) else {
      throw ModelError(
        .badModel, "\(path): tracks: collision assign has no meaning with cell_rule bilinear")
    }
    guard (1...Int(Int32.max)).contains(maximumID) else {
      throw ModelError(
        .badModel, "\(path): tracks.max_id: expected 1 or more, found \(maximumID)")
    }
    guard base > 1, base.isFinite else {
      throw ModelError(.badModel, "\(path): tracks.base: expected more than 1, found \(base)")
    }
  }
}
