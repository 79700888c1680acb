/// How points are followed through a clip.
public struct ExtractionSettings: Sendable {
  /// How a point gets from one frame to the next.
  public enum Method: String, Sendable, CaseIterable {
    /// Pyramidal Lucas-Kanade on a window around each point: exact where there is texture.
    case lk
    /// Dense inverse search over the whole picture: knows an answer everywhere, drifts more.
    case dis
  }

  /// How a point gets from one frame to the next.
  public var method = Method.lk
  /// Side of the window in pixels.
  public var window = 15
  /// How often the picture is halved: 4 reach moves of about 100 pixels a frame.
  public var levels = 4
  /// Pixels by which a step there and back may miss its start.
  public var backwardError: Float = 1
  /// Least eigenvalue of a window's gradients that counts as texture (Shi and Tomasi).
  public var leastTexture: Float = 1e-3
  /// Mean difference per colour, 0 to 255, between a point's first look and its present one above
  /// which something else is in front of it.
  public var lookDifference: Float = 25
  /// Frames for which a hidden point is carried on before it is given up.
  public var patience = 48
  /// Frames between searches for places that no point covers any more; nil never searches.
  public var redetectFrames: Int?

  /// The defaults.
  public init() {}
}
