public import Foundation
public import Tracks

/// Cameras of a real clip, frame after frame, from text files of other programs.
public enum PoseFiles {
  /// How far a rotation's rows may be from right angles and length 1.
  private static let rotationTolerance = 1e-2

  /// Reads a RealEstate10K file: the clip's address, then a line per frame with a time, the
  /// intrinsics as shares of width and height (fx fy cx cy), two zeros, and the 3x4 matrix from
  /// world to camera, row by row.
  ///
  /// - Throws: ``TrackError`` with the line.
  public static func realEstate10K(
    _ data: Data, name: String, width: Int, height: Int
  ) throws(TrackError) -> [CameraView] {
    var views: [CameraView] = []
    for (number, line) in try lines(data, name: name) {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      if words.isEmpty || (number == 1 && words.count < 19) { continue }
      guard words.count == 19 else {
        throw TrackError(
          file: name, line: number,
          reason:
            "expected 19 numbers (time, 4 intrinsics, 2 zeros, 3x4 pose), found \(words.count)")
      }
      let v = try numbers(words, name: name, line: number)
      guard v[1] > 0, v[2] > 0 else {
        throw TrackError(
          file: name, line: number,
          reason: "expected focal lengths above 0, found \(v[1]) and \(v[2])")
      }
      let intrinsics = Intrinsics(
        focalX: v[1] * Double(width), focalY: v[2] * Double(height),
        centerX: v[3] * Double(width), centerY: v[4] * Double(height))
      let pose = Pose(
        right: [v[7], v[8], v[9]], down: [v[11], v[12], v[13]], forward: [v[15], v[16], v[17]],
        translation: [v[10], v[14], v[18]])
      try check(pose, name: name, line: number)
      views.append(CameraView(pose: pose, intrinsics: intrinsics))
    }
    guard !views.isEmpty else { throw TrackError(file: name, reason: "has no pose") }
    return views
  }

  /// Reads COLMAP's `cameras.txt` and `images.txt`; frames are in the order of their names.
  ///
  /// Cameras must be free of distortion (SIMPLE_PINHOLE or PINHOLE); their sizes are scaled to the
  /// canvas.
  ///
  /// - Throws: ``TrackError`` with the file and line.
  public static func colmap(
    cameras: Data, camerasName: String, images: Data, imagesName: String, width: Int, height: Int
  ) throws(TrackError) -> [CameraView] {
    let lenses = try colmapCameras(cameras, name: camerasName, width: width, height: height)
    var views: [(name: String, view: CameraView)] = []
    var isPose = true
    for (number, line) in try lines(images, name: imagesName) {
      if line.hasPrefix("#") { continue }
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      // Every second line lists the image's points and may be empty.
      if !isPose {
        isPose = true
        continue
      }
      if words.isEmpty { continue }
      isPose = false
      guard words.count >= 10 else {
        throw TrackError(
          file: imagesName, line: number,
          reason: "expected an image: id, qw qx qy qz, tx ty tz, camera, name; found "
            + "\(words.count) fields")
      }
      let v = try numbers(words[1..<8], name: imagesName, line: number)
      guard let lens = lenses[String(words[8])] else {
        throw TrackError(
          file: imagesName, line: number,
          reason: "camera \(words[8]) is not in \(camerasName)")
      }
      let pose = try pose(quaternion: Array(v[0..<4]), [v[4], v[5], v[6]], imagesName, number)
      let file = words[9...].joined(separator: " ")
      views.append((file, CameraView(pose: pose, intrinsics: lens)))
    }
    guard !views.isEmpty else { throw TrackError(file: imagesName, reason: "has no image") }
    return views.sorted { $0.name < $1.name }.map(\.view)
  }

  private static func colmapCameras(
    _ data: Data, name: String, width: Int, height: Int
  ) throws(TrackError) -> [String: Intrinsics] {
    var lenses: [String: Intrinsics] = [:]
    for (number, line) in try lines(data, name: name) where !line.hasPrefix("#") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      if words.isEmpty { continue }
      let wanted = ["SIMPLE_PINHOLE": 7, "PINHOLE": 8]
      guard words.count >= 2, let count = wanted[String(words[1])] else {
        throw TrackError(
          file: name, line: number,
          reason: "expected a SIMPLE_PINHOLE or PINHOLE camera (undistort first), found "
            + (words.count > 1 ? String(words[1]) : line))
      }
      guard words.count == count else {
        throw TrackError(
          file: name, line: number,
          reason: "expected \(count) fields for \(words[1]), found \(words.count)")
      }
      let v = try numbers(words[2...], name: name, line: number)
      guard v[0] > 0, v[1] > 0, v[2] > 0, count == 7 || v[3] > 0 else {
        throw TrackError(
          file: name, line: number, reason: "expected a size and focal length above 0")
      }
      let (sx, sy) = (Double(width) / v[0], Double(height) / v[1])
      let center = count == 7 ? 3 : 4
      lenses[String(words[0])] = Intrinsics(
        focalX: v[2] * sx, focalY: v[center - 1] * sy, centerX: v[center] * sx,
        centerY: v[center + 1] * sy)
    }
    guard !lenses.isEmpty else { throw TrackError(file: name, reason: "has no camera") }
    return lenses
  }

  /// From a quaternion w x y z and a translation.
  private static func pose(
    quaternion q: [Double], _ translation: SIMD3<Double>, _ name: String, _ line: Int
  ) throws(TrackError) -> Pose {
    let length = (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]).squareRoot()
    guard abs(length - 1) < rotationTolerance else {
      throw TrackError(
        file: name, line: line, reason: "expected a quaternion of length 1, found \(length)")
    }
    let (w, x, y, z) = (q[0] / length, q[1] / length, q[2] / length, q[3] / length)
    return Pose(
      right: [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
      down: [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
      forward: [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
      translation: translation)
  }

  private static func check(_ pose: Pose, name: String, line: Int) throws(TrackError) {
    guard pose.rotationError < rotationTolerance, pose.determinant > 0 else {
      throw TrackError(
        file: name, line: line,
        reason: "expected a rotation (rows at right angles, length 1, not mirrored)")
    }
  }

  /// Lines with their numbers from 1.
  private static func lines(
    _ data: Data, name: String
  ) throws(TrackError) -> [(Int, String)] {
    guard data.count <= TrackLimits.bytes, let text = String(validating: data, as: UTF8.self)
    else { throw TrackError(file: name, reason: "expected UTF-8 text") }
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated().map { ($0 + 1, $1.trimmingCharacters(in: .whitespaces)) }
  }

  private static func numbers(
    _ words: some Collection<Substring>, name: String, line: Int
  ) throws(TrackError) -> [Double] {
    var values: [Double] = []
    for word in words {
      guard let value = Double(word), value.isFinite else {
        throw TrackError(
          file: name, line: line, reason: "expected a finite number, found \"\(word)\"")
      }
      values.append(value)
    }
    return values
  }
}
