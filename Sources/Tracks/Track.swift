/// One trajectory.
public struct Track: Sendable, Equatable {
  /// Picks the track's embedding in the model, so it changes the result; unique, not negative.
  public var id: Int
  /// Name for people; the model never sees it.
  public var name: String?
  /// Group for people; the model never sees it.
  public var group: String?
  /// Colour for drawing; the model never sees it.
  public var color: String?
  /// Document frame at which the track's own frame 0 stands.
  public var startFrame: Int
  /// Where the point is, over the track's own frames.
  public var motion: Motion
  /// Whether the point can be seen, over the track's own frames.
  public var visibility: Visibility
  /// What happens past the last sample.
  public var after: AfterEnd
  /// Fields whose name starts with `x-`, kept as they are.
  public var extensions: [JSONMember]

  /// Makes a track.
  public init(
    id: Int, name: String? = nil, group: String? = nil, color: String? = nil, startFrame: Int = 0,
    motion: Motion, visibility: Visibility = .always, after: AfterEnd = .drop,
    extensions: [JSONMember] = []
  ) {
    self.id = id
    self.name = name
    self.group = group
    self.color = color
    self.startFrame = startFrame
    self.motion = motion
    self.visibility = visibility
    self.after = after
    self.extensions = extensions
  }
}

/// A place on the canvas, in the document's unit.
public struct TrackPosition: Sendable, Equatable {
  /// Across, to the right.
  public var x: Double
  /// Down.
  public var y: Double

  /// Makes a position.
  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// The three ways to say where a point is.
public enum Motion: Sendable, Equatable {
  /// One position per document frame; nil is unspecified, which is not the same as hidden.
  case points([TrackPosition?])
  /// Positions at chosen times, in rising order, with easing between.
  case keyframes([Keyframe])
  /// A point that never moves.
  case pinned(TrackPosition)
}

/// A position at a chosen time.
public struct Keyframe: Sendable, Equatable {
  /// When: counted from the track's `startFrame`.
  public enum Moment: Sendable, Equatable {
    /// In document frames.
    case frame(Int)
    /// In seconds.
    case seconds(Double)
  }

  /// When.
  public var moment: Moment
  /// Where.
  public var position: TrackPosition
  /// Shape of the movement that *arrives* at this keyframe.
  public var ease: Easing

  /// Makes a keyframe.
  public init(_ moment: Moment, _ position: TrackPosition, ease: Easing = .linear) {
    self.moment = moment
    self.position = position
    self.ease = ease
  }

  /// The moment in document frames from the track's start.
  public func frame(fps: Double) -> Double {
    switch moment {
    case .frame(let frame): return Double(frame)
    case .seconds(let seconds): return seconds * fps
    }
  }
}

/// How a point travels from one keyframe to the next.
public enum Easing: String, Sendable, CaseIterable {
  /// Even speed.
  case linear
  /// Starts slowly: u squared.
  case easeIn = "ease_in"
  /// Ends slowly: 1 − (1 − u) squared.
  case easeOut = "ease_out"
  /// Starts and ends slowly: the two halves of the above.
  case easeInOut = "ease_in_out"
  /// Stays at the earlier keyframe and jumps at this one.
  case hold
  /// A Catmull-Rom curve through this keyframe and its neighbours.
  case spline

  /// Share of the way that is done after the share `u` of the time, both 0 to 1.
  ///
  /// `spline` depends on the neighbours as well and answers as `linear` here.
  public func progress(_ u: Double) -> Double {
    switch self {
    case .linear, .spline: return u
    case .easeIn: return u * u
    case .easeOut: return 1 - (1 - u) * (1 - u)
    case .easeInOut: return u < 0.5 ? 2 * u * u : 1 - 2 * (1 - u) * (1 - u)
    case .hold: return u < 1 ? 0 : 1
    }
  }
}

/// What happens to a track past its last point or keyframe.
public enum AfterEnd: String, Sendable, CaseIterable {
  /// It becomes unspecified.
  case drop
  /// It stays as its last frame is.
  case hold
  /// It starts again. `n` points repeat every `n` frames, the last flowing into the first;
  /// keyframes repeat from the last to the first, which should be the same place.
  case loop
}

/// Which frames of a track are visible, stored as alternating runs.
public struct Visibility: Sendable, Equatable {
  /// Visible in every frame.
  public static let always = Visibility(startsVisible: true, ends: [])

  private var startsVisible: Bool
  /// Frame after each run; the runs alternate.
  private var ends: [Int]

  private init(startsVisible: Bool, ends: [Int]) {
    self.startsVisible = startsVisible
    self.ends = ends
  }

  /// One flag per frame; none means always visible.
  public init(_ flags: some Sequence<Bool>) {
    self.init(runs: flags.lazy.map { (visible: $0, count: 1) })
  }

  /// Flags with how many frames each lasts, counts above 0; none means always visible.
  public init(runs: some Sequence<(visible: Bool, count: Int)>) {
    self = .always
    for run in runs where run.count > 0 {
      if ends.isEmpty {
        startsVisible = run.visible
        ends = [run.count]
      } else if isVisible(at: count - 1) == run.visible {
        ends[ends.count - 1] += run.count
      } else {
        ends.append(count + run.count)
      }
    }
  }

  /// Frames that are given; 0 if the track is always visible.
  public var count: Int { ends.last ?? 0 }

  /// The runs, neighbours always different; empty if the track is always visible.
  public var runs: [(visible: Bool, count: Int)] {
    var start = 0
    return ends.indices.map { index in
      defer { start = ends[index] }
      return (startsVisible != (index % 2 == 1), ends[index] - start)
    }
  }

  /// Whether the track is visible in its own frame `frame`. The last flag lasts for ever.
  public func isVisible(at frame: Int) -> Bool {
    var low = 0
    var high = ends.count - 1
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] <= frame { low = middle + 1 } else { high = middle }
    }
    return startsVisible != (low % 2 == 1)
  }
}
