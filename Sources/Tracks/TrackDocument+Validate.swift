extension TrackDocument {
  /// Checks a document that was made in memory or from arrays: sizes, ids, coordinates, order.
  ///
  /// What ``parse(_:name:options:)`` returns has passed.
  ///
  /// - Throws: ``TrackError`` that names track, field and frame.
  public func validate(name: String) throws(TrackError) {
    func fail(_ place: String, _ reason: String) -> TrackError {
      TrackError(file: name, place: place, reason: reason)
    }
    let dimensions = 1...TrackLimits.dimension
    guard dimensions.contains(width), dimensions.contains(height) else {
      throw fail(
        "width, height",
        "expected 1 to \(TrackLimits.dimension) pixels, found \(width) x \(height)")
    }
    guard TrackLimits.fps.contains(fps.value) else { throw fail("fps", "\(fps) is out of range") }
    if coordinates == .normalized, pixelOrigin == .center {
      throw fail(
        "pixel_origin", "\"center\" has no meaning with normalized coordinates (0 to 1)")
    }
    guard (1...TrackLimits.tracks).contains(tracks.count) else {
      throw fail("tracks", "expected 1 to \(TrackLimits.tracks) tracks, found \(tracks.count)")
    }
    var firstUse: [Int: Int] = [:]
    for (index, track) in tracks.enumerated() {
      let place = "tracks[\(index)] (id \(track.id))"
      guard (0...TrackLimits.id).contains(track.id) else {
        throw fail(place, "expected an id from 0 to \(TrackLimits.id)")
      }
      if let first = firstUse.updateValue(index, forKey: track.id) {
        throw fail(place, "the id is already that of tracks[\(first)]; ids must differ")
      }
      guard (0...TrackLimits.frames).contains(track.startFrame) else {
        throw fail("\(place), start_frame", "\(track.startFrame) is out of range")
      }
      try track.validate(place: place, fps: fps.value, fail: fail)
    }
  }
}

extension Track {
  fileprivate func validate(
    place: String, fps: Double, fail: (String, String) -> TrackError
  ) throws(TrackError) {
    func check(_ position: TrackPosition, _ field: @autoclosure () -> String) throws(TrackError) {
      for (axis, value) in [("x", position.x), ("y", position.y)]
      where !value.isFinite || abs(value) > TrackLimits.coordinate {
        throw fail(
          "\(place), \(field()), \(axis)",
          "expected a finite number of at most \(plain(TrackLimits.coordinate)), found \(value)")
      }
    }
    switch motion {
    case .pinned(let position): try check(position, "static")
    case .points(let points):
      guard (1...TrackLimits.frames).contains(points.count) else {
        throw fail("\(place), points", "expected 1 or more points, found \(points.count)")
      }
      for (index, point) in points.enumerated() {
        if let point { try check(point, "points[\(index)] (frame \(startFrame + index))") }
      }
      guard visibility.count == 0 || visibility.count == points.count else {
        throw fail(
          "\(place), visible",
          "expected \(points.count) frames, as many as points, found \(visibility.count)")
      }
    case .keyframes(let keyframes):
      if keyframes.isEmpty { throw fail("\(place), keyframes", "expected 1 or more, found none") }
      var last = -1.0
      for (index, keyframe) in keyframes.enumerated() {
        try check(keyframe.position, "keyframes[\(index)]")
        let frame = keyframe.frame(fps: fps)
        guard frame > last, frame >= 0, frame <= Double(TrackLimits.frames) else {
          throw fail("\(place), keyframes[\(index)]", "keyframes must rise in time from 0")
        }
        last = frame
      }
    }
  }
}
