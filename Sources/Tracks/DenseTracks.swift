import Frames

/// Tracks as arrays: one position and two flags per frame and track. The common ground of every
/// array format. Row-major [T, N], coordinates [T, N, 2].
struct DenseTracks {
  var frames: Int
  var ids: [Int]
  var coordinates: [Double]
  var visible: [Bool]
  var specified: [Bool]

  /// Takes arrays from a file: `tracks` [T, N, 2], the flags [T, N]; a leading 1 is allowed.
  init(
    tracks: NpyArray, visibility: NpyArray?, specified: NpyArray?, file: String
  ) throws(TrackError) {
    var shape = tracks.shape
    if shape.count == 4, shape[0] == 1 { shape.removeFirst() }
    guard shape.count == 3, shape[2] == 2 else {
      throw TrackError(
        file: file, place: "tracks",
        reason: "expected shape [frames, tracks, 2], found \(tracks.shape)")
    }
    guard (1...TrackLimits.frames).contains(shape[0]), (1...TrackLimits.tracks).contains(shape[1])
    else {
      throw TrackError(
        file: file, place: "tracks",
        reason: "expected 1 to \(TrackLimits.frames) frames and 1 to \(TrackLimits.tracks) tracks, "
          + "found \(shape[0]) and \(shape[1])")
    }
    let count = shape[0] * shape[1]
    func flags(_ array: NpyArray?, _ key: String) throws(TrackError) -> [Bool] {
      guard let array else { return [Bool](repeating: true, count: count) }
      var found = array.shape
      if found.count == 3, found[0] == 1 { found.removeFirst() }
      guard found == [shape[0], shape[1]] else {
        throw TrackError(
          file: file, place: key,
          reason: "expected shape [\(shape[0]), \(shape[1])] as tracks has, found \(array.shape)")
      }
      for (index, value) in array.values.enumerated() where value != 0 && value != 1 {
        throw TrackError(
          file: file, place: "\(key), track \(index % shape[1]), frame \(index / shape[1])",
          reason: "expected 0 or 1, found \(value.isFinite ? plain(value) : "\(value)")"
            + "; apply a threshold before saving")
      }
      return array.values.map { $0 == 1 }
    }
    frames = shape[0]
    ids = Array(0..<shape[1])
    coordinates = tracks.values
    visible = try flags(visibility, "visibility")
    self.specified = try flags(specified, "specified")
  }

  /// Samples a document at its own rate, in its canvas pixels.
  ///
  /// - Parameter frames: nil takes the document's own length.
  init(_ document: TrackDocument, frames: Int?, name: String) throws(TrackError) {
    let fps = document.fps.value
    guard let frames = frames ?? document.lastFrame(fps: fps).map({ $0 + 1 }) else {
      throw TrackError(
        file: name, reason: "the tracks have no end of their own; say how many frames to write")
    }
    let count = document.tracks.count
    guard frames >= 1, frames <= TrackLimits.points / max(count, 1) else {
      throw TrackError(
        file: name, reason: "\(frames) frames of \(count) tracks are too many to write")
    }
    self.frames = frames
    ids = document.tracks.map(\.id)
    coordinates = [Double](repeating: 0, count: frames * count * 2)
    visible = [Bool](repeating: false, count: frames * count)
    specified = visible
    let columns = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    // The canvas is kept, but points outside it must not lose their own visibility flag.
    let evaluator = TrackEvaluator(document, fps: fps)
    for frame in 0..<frames {
      evaluator.forEach(at: frame) { id, position, isVisible in
        guard let column = columns[id] else { return }
        let cell = frame * count + column
        coordinates[cell * 2] = position.x
        coordinates[cell * 2 + 1] = position.y
        visible[cell] = isVisible
        specified[cell] = true
      }
    }
  }

  /// A flag array as numbers.
  func flags(_ flag: KeyPath<DenseTracks, [Bool]>) -> [Double] {
    self[keyPath: flag].map { $0 ? 1 : 0 }
  }

  /// Hands out the cells of each frame.
  func rows(_ take: ([TrackCell]) throws -> Void) throws {
    for frame in 0..<frames {
      let cells = frame * ids.count..<(frame + 1) * ids.count
      try take(
        cells.map { cell in
          guard specified[cell] else { return .unspecified }
          return TrackCell(
            x: Float(coordinates[cell * 2]), y: Float(coordinates[cell * 2 + 1]),
            state: visible[cell] ? .visible : .hidden)
        })
    }
  }

  /// Replaces the ids 0 to N − 1.
  mutating func setIDs(_ array: NpyArray, file: String) throws(TrackError) {
    guard array.shape == [ids.count] else {
      throw TrackError(
        file: file, place: "ids", reason: "expected shape [\(ids.count)], found \(array.shape)")
    }
    for (index, value) in array.values.enumerated()
    where value != value.rounded() || value < 0 || value > Double(TrackLimits.id) {
      throw TrackError(
        file: file, place: "ids, track \(index)",
        reason: "expected a whole number from 0 to \(TrackLimits.id), found \(value)")
    }
    ids = array.values.map { Int($0) }
  }

  /// The tracks, one list of points each.
  func makeTracks() -> [Track] {
    let count = ids.count
    return ids.indices.map { column in
      let cells = (0..<frames).map { $0 * count + column }
      let points = cells.map { cell in
        specified[cell]
          ? TrackPosition(x: coordinates[cell * 2], y: coordinates[cell * 2 + 1]) : nil
      }
      let flags = cells.map { visible[$0] || !specified[$0] }
      return Track(
        id: ids[column], motion: .points(points),
        visibility: flags.allSatisfy { $0 } ? .always : Visibility(flags))
    }
  }
}
