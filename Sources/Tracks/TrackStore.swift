public import Foundation

/// Where a track is in one frame.
public struct TrackCell: Sendable, Equatable {
  /// What is said about the frame.
  public enum State: UInt8, Sendable {
    /// Nothing.
    case unspecified
    /// The point is there, behind something or outside the picture.
    case hidden
    /// The point is seen there.
    case visible
  }

  /// Across, in canvas pixels.
  public var x: Float
  /// Down, in canvas pixels.
  public var y: Float
  /// What is said about the frame.
  public var state: State

  /// Says nothing.
  public static let unspecified = TrackCell(x: 0, y: 0, state: .unspecified)

  /// Makes a cell.
  public init(x: Float, y: Float, state: State) {
    (self.x, self.y, self.state) = (x, y, state)
  }
}

/// Tracks of a clip of any length, kept where they take no memory. Ids count from 0; each track has
/// one span of frames, all of them specified.
public protocol TrackStore {
  /// Frames of the clip.
  var frames: Int { get }
  /// Frames of each track, by id.
  var spans: [Range<Int>] { get }
  /// Hands out one row for each frame, with a cell for every id.
  func rows(_ take: ([TrackCell]) throws -> Void) throws
  /// Hands out the cells of a track's span, some at a time.
  func parts(ofTrack id: Int, _ take: ([TrackCell]) throws -> Void) throws
}

extension TrackDocument {
  /// Writes this document's fields with the tracks of a store, as ``encode()`` and
  /// ``TrackNPZ/encode(_:frames:name:)`` would if they were its own, in memory that does not grow
  /// with the clip.
  public func encode(
    _ store: some TrackStore, asNPZ: Bool, to output: (Data) throws -> Void
  ) throws {
    if asNPZ {
      try TrackNPZ.write(
        self, ids: Array(store.spans.indices), frames: store.frames, rows: store.rows, to: output)
      return
    }
    func take(_ text: String) throws { try output(Data(text.utf8)) }
    try take(jsonBeforeTracks)
    for id in store.spans.indices {
      if id > 0 { try take(",\n") }
      try Self.encode(id, of: store, to: take)
    }
    try take(jsonAfterTracks)
  }

  private static func encode(
    _ id: Int, of store: some TrackStore, to output: (String) throws -> Void
  ) throws {
    let start = store.spans[id].lowerBound
    try output("  {\"id\": \(id)" + (start == 0 ? "" : ", \"start_frame\": \(start)"))
    try output(", \"points\": [")
    var (isFirst, runs, last) = (true, 0, TrackCell.State.visible)
    try store.parts(ofTrack: id) { part in
      let points = part.map { TrackPosition(x: Double($0.x), y: Double($0.y)).json }
      try output((isFirst ? "" : ", ") + points.joined(separator: ", "))
      for cell in part {
        if isFirst || cell.state != last { runs += 1 }
        (isFirst, last) = (false, cell.state)
      }
    }
    try output("]")
    // A point is seen when it is first found: one run is a track that is always visible.
    if runs > 1 { try encodeVisibility(ofTrack: id, of: store, runs: runs, to: output) }
    try output("}")
  }

  /// Runs, or flags where those are shorter.
  private static func encodeVisibility(
    ofTrack id: Int, of store: some TrackStore, runs: Int,
    to output: (String) throws -> Void
  ) throws {
    let asFlags = Visibility.isShorterAsFlags(runs: runs, frames: store.spans[id].count)
    var separator = ", \"visible\": ["
    var run: (state: TrackCell.State, length: Int)?
    func end() throws {
      guard let run else { return }
      try output("\(separator)[\(run.state == .visible ? 1 : 0), \(run.length)]")
      separator = ", "
    }
    try store.parts(ofTrack: id) { part in
      for cell in part {
        if asFlags {
          try output(separator + (cell.state == .visible ? "1" : "0"))
          separator = ", "
        } else if let open = run, open.state == cell.state {
          run = (open.state, open.length + 1)
        } else {
          try end()
          run = (cell.state, 1)
        }
      }
    }
    try end()
    try output("]")
  }
}
