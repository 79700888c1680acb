import Foundation

/// CoTracker 2 and 3: arrays `pred_tracks` [B, T, N, 2] and `pred_visibility` [B, T, N] as users
/// save them. Its pixels have whole numbers at their middle: it resizes with (W − 1) and samples
/// with aligned corners.
enum CoTrackerFormat {
  static func read(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let name = request.name
    let dense: DenseTracks
    if request.data.starts(with: ZipArchive.magic) {
      let zip = try ZipArchive(request.data, file: name)
      func array(_ keys: [String]) throws(TrackError) -> NpyArray? {
        for key in keys {
          if let member = try zip.contents(of: "\(key).npy") {
            return try NpyArray(member, file: name, place: key)
          }
        }
        return nil
      }
      guard let tracks = try array(["tracks", "pred_tracks"]) else {
        throw request.fail(
          "tracks",
          reason: "neither tracks nor pred_tracks is there; the file holds "
            + zip.names.joined(separator: ", "))
      }
      dense = try DenseTracks(
        tracks: tracks, visibility: try array(["visibility", "pred_visibility"]), specified: nil,
        file: name)
    } else {
      dense = try DenseTracks(pair: request, visibilityRequired: false)
    }
    return try request.document(
      dense.makeTracks(), fps: try request.fps(), frames: dense.frames, origin: .center)
  }

  static func write(
    _ document: TrackDocument, frames: Int?, name: String
  ) throws(TrackError) -> Data {
    let dense = try DenseTracks(document, frames: frames, name: name)
    let shape = [1, dense.frames, dense.ids.count]
    return ZipArchive.encode([
      (
        "tracks.npy",
        NpyArray(shape: shape + [2], values: dense.coordinates.map { $0 - 0.5 })
          .encode(as: .float32)
      ),
      ("visibility.npy", NpyArray(shape: shape, values: dense.shownFlags).encode(as: .bool)),
    ])
  }
}

/// Wan-Move's pair of `.npy` files: 81 frames at 16 fps, pixels of the input picture.
enum WanMoveFormat {
  static func read(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let dense = try DenseTracks(pair: request, visibilityRequired: true)
    return try request.document(dense.makeTracks(), fps: .number(16), frames: dense.frames)
  }

  static func write(
    _ document: TrackDocument, frames: Int?, name: String
  ) throws(TrackError) -> (file: Data, visibility: Data?) {
    if document.fps.value != 16 {
      throw TrackError(
        file: name, place: "fps",
        reason: "Wan-Move files run at 16 fps, the tracks at \(document.fps); resample them first")
    }
    let dense = try DenseTracks(document, frames: frames, name: name)
    let shape = [1, dense.frames, dense.ids.count]
    return (
      NpyArray(shape: shape + [2], values: dense.coordinates).encode(as: .float32),
      NpyArray(shape: shape, values: dense.shownFlags).encode(as: .bool)
    )
  }
}

extension DenseTracks {
  /// A tracks `.npy` file with its visibility file beside it.
  init(pair request: ImportRequest, visibilityRequired: Bool) throws(TrackError) {
    let tracks = try NpyArray(request.data, file: request.name, place: "tracks")
    var flags: NpyArray?
    if let second = request.options.visibility {
      flags = try NpyArray(second.data, file: second.name, place: "visibility")
    } else if visibilityRequired {
      throw request.fail(
        "visibility",
        reason: "the format is a pair of files; name the second with --track-visibility FILE")
    }
    try self.init(tracks: tracks, visibility: flags, specified: nil, file: request.name)
  }

  /// Visible flags where formats cannot tell hidden from unspecified.
  var shownFlags: [Double] {
    visible.indices.map { visible[$0] && specified[$0] ? 1 : 0 }
  }
}
