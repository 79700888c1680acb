import Foundation

/// ATI's `.pth`: a PyTorch zip whose pickle is one byte string, which is an NPZ with the key
/// `array`, float32 [N, T, 1, 3] of x, y and visible, every value times 8. T is 121 samples at
/// 24 fps; short tracks are padded with zeros.
enum ATIFormat {
  private static let scale = 8.0
  private static let samples = 121

  static func read(_ request: ImportRequest) throws(TrackError) -> TrackDocument {
    let name = request.name
    guard request.data.starts(with: ZipArchive.magic) else {
      throw request.fail(
        reason: "not a PyTorch zip file; files of PyTorch before 1.6 are not read")
    }
    let zip = try ZipArchive(request.data, file: name)
    guard let member = zip.names.first(where: { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }),
      let pickle = try zip.contents(of: member)
    else { throw request.fail("data.pkl", reason: "is missing from the PyTorch file") }
    let inner = try ZipArchive(try PickledBytes.decode(pickle, file: name), file: name)
    guard let bytes = try inner.contents(of: "array.npy") else {
      throw request.fail("array", reason: "is missing from the arrays inside the file")
    }
    let array = try NpyArray(bytes, file: name, place: "array")
    guard array.shape.count == 4, array.shape[2] == 1, array.shape[3] == 3,
      (1...TrackLimits.tracks).contains(array.shape[0]),
      (1...TrackLimits.frames).contains(array.shape[1])
    else {
      throw request.fail(
        "array", reason: "expected shape [tracks, frames, 1, 3], found \(array.shape)")
    }
    let (count, frames) = (array.shape[0], array.shape[1])
    var tracks: [Track] = []
    for track in 0..<count {
      var points: [TrackPosition?] = []
      var flags: [Bool] = []
      var used = 0
      for frame in 0..<frames {
        let cell = (track * frames + frame) * 3
        let (x, y, flag) = (array.values[cell], array.values[cell + 1], array.values[cell + 2])
        guard flag == 0 || flag == scale else {
          throw request.fail(
            "array, track \(track), frame \(frame)",
            reason: "expected a visible flag of 0 or 8, found \(flag)")
        }
        points.append(TrackPosition(x: x / scale, y: y / scale))
        flags.append(flag != 0)
        if x != 0 || y != 0 || flag != 0 { used = frame + 1 }
      }
      if used == 0 {
        throw request.fail("array, track \(track)", reason: "is nothing but padding")
      }
      tracks.append(
        Track(
          id: track, motion: .points(Array(points.prefix(used))),
          visibility: flags.prefix(used).allSatisfy { $0 }
            ? .always : Visibility(flags.prefix(used))))
    }
    return try request.document(tracks, fps: .number(24), frames: frames)
  }

  static func write(
    _ document: TrackDocument, frames: Int?, name: String
  ) throws(TrackError) -> Data {
    guard document.fps.value == 24 else {
      throw TrackError(
        file: name, place: "fps",
        reason: "ATI files run at 24 fps, the tracks at \(document.fps); resample them first")
    }
    let dense = try DenseTracks(document, frames: frames ?? samples, name: name)
    let count = dense.ids.count
    var values: [Double] = []
    values.reserveCapacity(dense.visible.count * 3)
    for track in 0..<count {
      for frame in 0..<dense.frames {
        let cell = frame * count + track
        guard dense.specified[cell] else {
          values += [0, 0, 0]
          continue
        }
        values += [
          dense.coordinates[cell * 2] * scale, dense.coordinates[cell * 2 + 1] * scale,
          dense.visible[cell] ? scale : 0,
        ]
      }
    }
    let array = NpyArray(shape: [count, dense.frames, 1, 3], values: values)
    let inner = ZipArchive.encode([("array.npy", array.encode(as: .float32))])
    return ZipArchive.encode([
      ("tracks/data.pkl", PickledBytes.encode(inner)),
      ("tracks/byteorder", Data("little".utf8)),
      ("tracks/version", Data("3\n".utf8)),
    ])
  }
}
