import Foundation
public import Tracks

/// Followed points on disk: what is kept in memory does not grow with the clip.
///
/// The file holds tiles of some frames each. In a tile a point's cells stand together, so that the
/// tracks can be read one frame after the other and one track after the other. A place in the tiles
/// is used again when its point has been given up. The file has no name and is gone with the process,
/// however that ends.
public final class TrackSpill: TrackStore {
  /// Frames added so far.
  public private(set) var frames = 0
  /// Of each track, from its first frame to the last one in which it was seen.
  public private(set) var spans: [Range<Int>] = []

  /// Where each track's cells are in a tile.
  private var slots: [Int] = []
  private var freeSlots: [Int] = []
  private var slotCount = 0
  /// The tile being filled, `tileFrames` cells for each slot.
  private var tile: [TrackCell] = []
  private let tileFrames: Int
  /// First cell in the file of each tile that has been written, and the end.
  private var tileStarts = [0]
  private let descriptor: Int32
  private let name: String

  /// Makes the file. It is as large as the tracks: 12 bytes a point and frame.
  ///
  /// - Parameters:
  ///   - folder: where there is room for it.
  ///   - name: what is being written, for errors.
  ///   - tileFrames: frames held in memory; nothing else depends on it.
  public init(folder: String, name: String, tileFrames: Int = 32) throws(TrackError) {
    precondition(tileFrames > 0, "tiles of \(tileFrames) frames")
    var template = Array("\(folder)/.motionstream-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw TrackError(
        file: name,
        reason: "cannot create a temporary file in \(folder): \(String(cString: strerror(errno)))",
        kind: .cannotCreate)
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    (self.name, self.tileFrames) = (name, tileFrames)
  }

  deinit { close(descriptor) }

  // MARK: Writing

  /// Begins a track in the frame that is added next, and gives its id.
  package func begin() throws(TrackError) -> Int {
    guard spans.count < TrackLimits.tracks else {
      throw TrackError(
        file: name, place: "frame \(frames)",
        reason: "more than \(TrackLimits.tracks) tracks; use fewer points or fewer frames")
    }
    if let slot = freeSlots.popLast() {
      slots.append(slot)
    } else {
      slots.append(slotCount)
      slotCount += 1
      tile += repeatElement(.unspecified, count: tileFrames)
    }
    spans.append(frames..<frames)
    return spans.count - 1
  }

  /// Gives a track up: nothing is added to it from here on.
  package func end(_ id: Int) { freeSlots.append(slots[id]) }

  /// Adds a frame: where the points of the tracks that have not ended are.
  package func add(_ points: [FollowedPoint]) throws(TrackError) {
    guard (frames + 1) * spans.count <= TrackLimits.points, frames < TrackLimits.frames else {
      throw TrackError(
        file: name, place: "frame \(frames)",
        reason: "\(spans.count) tracks of that many frames are more than a track file may hold; "
          + "use fewer points or fewer frames")
    }
    for point in points {
      let place = point.writtenPlace
      tile[slots[point.id] * tileFrames + frames % tileFrames] = TrackCell(
        x: place.x, y: place.y, state: point.isSeen ? .visible : .hidden)
      if point.isSeen { spans[point.id] = spans[point.id].lowerBound..<frames + 1 }
    }
    frames += 1
    if frames % tileFrames == 0 { try writeTile() }
  }

  /// Ends all tracks. Reading begins here.
  public func finish() throws(TrackError) {
    if frames % tileFrames != 0 { try writeTile() }
    tile = []
  }

  private func writeTile() throws(TrackError) {
    let start = tileStarts[tileStarts.count - 1]
    let done = tile.withUnsafeBytes { bytes in
      Self.transfer(bytes.count, at: start) { done, place in
        pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, place)
      }
    }
    if !done { throw failure("write") }
    tileStarts.append(start + tile.count)
  }

  // MARK: Reading

  /// Hands out one row for each frame, with a cell for every id.
  public func rows(_ take: ([TrackCell]) throws -> Void) throws {
    var row = [TrackCell](repeating: .unspecified, count: spans.count)
    for index in 0..<tileStarts.count - 1 {
      let cells = try read(tileStarts[index]..<tileStarts[index + 1])
      let first = index * tileFrames
      for frame in first..<min(first + tileFrames, frames) {
        for id in spans.indices {
          row[id] =
            spans[id].contains(frame)
            ? cells[slots[id] * tileFrames + frame - first] : .unspecified
        }
        try take(row)
      }
    }
  }

  /// Hands out the cells of a track's span, a tile at a time.
  public func parts(ofTrack id: Int, _ take: ([TrackCell]) throws -> Void) throws {
    let span = spans[id]
    for index in span.lowerBound / tileFrames...(span.upperBound - 1) / tileFrames {
      let first = index * tileFrames
      let wanted = span.clamped(to: first..<first + tileFrames)
      let start = tileStarts[index] + slots[id] * tileFrames - first
      try take(read(start + wanted.lowerBound..<start + wanted.upperBound))
    }
  }

  private func read(_ range: Range<Int>) throws(TrackError) -> [TrackCell] {
    var cells = [TrackCell](repeating: .unspecified, count: range.count)
    let done = cells.withUnsafeMutableBytes { bytes in
      Self.transfer(bytes.count, at: range.lowerBound) { done, place in
        pread(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, place)
      }
    }
    if !done { throw failure("read") }
    return cells
  }

  /// Repeats a system call, which gets the bytes done and the place in the file, until `size` bytes
  /// are done; false if it fails, with `errno` saying why.
  private static func transfer(_ size: Int, at cell: Int, _ call: (Int, off_t) -> Int) -> Bool {
    var done = 0
    while done < size {
      let count = call(done, off_t(cell * MemoryLayout<TrackCell>.stride + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  private func failure(_ verb: String) -> TrackError {
    TrackError(
      file: name, reason: "cannot \(verb) the temporary file: \(String(cString: strerror(errno)))",
      kind: .inputOutput)
  }
}
