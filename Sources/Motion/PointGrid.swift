public import Tracks

/// Columns and rows of points spread evenly over a canvas.
public struct PointGrid: Sendable, Equatable, CustomStringConvertible {
  /// Points across.
  public var columns: Int
  /// Points down.
  public var rows: Int

  /// As many as the published motion-transfer protocol uses.
  public static let standard = PointGrid(columns: 50, rows: 50)

  /// Makes a grid of 1 or more points each way.
  public init(columns: Int, rows: Int) {
    precondition(columns > 0 && rows > 0, "grid of \(columns)x\(rows)")
    (self.columns, self.rows) = (columns, rows)
  }

  /// Reads `50x50`; nil for anything else and for more points than a document may hold.
  public init?(_ text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let columns = parts[0], let rows = parts[1], columns > 0, rows > 0,
      columns <= TrackLimits.tracks / rows
    else { return nil }
    self.init(columns: columns, rows: rows)
  }

  /// `50x50`.
  public var description: String { "\(columns)x\(rows)" }

  /// The middles of the grid's cells, row by row, in canvas pixels, corner origin.
  public func points(width: Int, height: Int) -> [TrackPosition] {
    (0..<rows).flatMap { row in
      (0..<columns).map { column in
        TrackPosition(
          x: (Double(column) + 0.5) * Double(width) / Double(columns),
          y: (Double(row) + 0.5) * Double(height) / Double(rows))
      }
    }
  }

  /// A document in which every point of the grid stands still.
  public func stillDocument(
    width: Int, height: Int, fps: FrameRate, frames: Int?
  ) -> TrackDocument {
    let tracks = points(width: width, height: height).enumerated().map { id, place in
      Track(id: id, motion: .pinned(place))
    }
    return TrackDocument(width: width, height: height, fps: fps, frameCount: frames, tracks: tracks)
  }
}

extension TrackPosition {
  /// Reads `x,y;x,y;…` as in `10.5,20;30,40`; nil where it is anything else.
  public static func list(_ text: String) -> [TrackPosition]? {
    var places: [TrackPosition] = []
    for part in text.split(separator: ";") {
      let numbers = part.split(separator: ",", omittingEmptySubsequences: false).map {
        Double($0.filter { $0 != " " })
      }
      guard numbers.count == 2, let x = numbers[0], let y = numbers[1], x.isFinite, y.isFinite
      else { return nil }
      places.append(TrackPosition(x: x, y: y))
    }
    return places.isEmpty || places.count > TrackLimits.tracks ? nil : places
  }
}
