import Foundation
public import Tracks

/// A pinhole camera's inner numbers, in pixels of the canvas, corner origin.
public struct Intrinsics: Sendable, Equatable {
  /// Focal length across.
  public var focalX: Double
  /// Focal length down.
  public var focalY: Double
  /// Where the optical axis meets the picture, across.
  public var centerX: Double
  /// Where the optical axis meets the picture, down.
  public var centerY: Double

  /// Collects the numbers.
  public init(focalX: Double, focalY: Double, centerX: Double, centerY: Double) {
    (self.focalX, self.focalY) = (focalX, focalY)
    (self.centerX, self.centerY) = (centerX, centerY)
  }

  /// Square pixels and the axis in the middle of the canvas.
  public init(focal: Double, width: Int, height: Int) {
    self.init(
      focalX: focal, focalY: focal, centerX: Double(width) / 2, centerY: Double(height) / 2)
  }

  /// The focal length in pixels of a horizontal field of view: `width / 2 / tan(degrees / 2)`.
  public static func focal(fieldOfView degrees: Double, width: Int) -> Double {
    Double(width) / 2 / tan(degrees * .pi / 360)
  }
}

/// Where a camera stands and looks: `cameraPoint = axes * worldPoint + translation`.
///
/// The camera's x runs right, y down, z forward (OpenCV, COLMAP, RealEstate10K).
public struct Pose: Sendable, Equatable {
  /// The camera's right, down and forward directions in the world: the rows of the rotation.
  public var axes: (right: SIMD3<Double>, down: SIMD3<Double>, forward: SIMD3<Double>)
  /// The world's origin as the camera sees it.
  public var translation: SIMD3<Double>

  /// Collects the numbers.
  public init(
    right: SIMD3<Double>, down: SIMD3<Double>, forward: SIMD3<Double>, translation: SIMD3<Double>
  ) {
    axes = (right, down, forward)
    self.translation = translation
  }

  /// A camera with these axes that stands at a place.
  public init(
    right: SIMD3<Double>, down: SIMD3<Double>, forward: SIMD3<Double>, position: SIMD3<Double>
  ) {
    self.init(right: right, down: down, forward: forward, translation: .zero)
    translation = -rotate(position)
  }

  /// At the origin, looking along z.
  public static let identity = Pose(
    right: [1, 0, 0], down: [0, 1, 0], forward: [0, 0, 1], translation: .zero)

  /// Compares all twelve numbers.
  public static func == (lhs: Pose, rhs: Pose) -> Bool {
    lhs.axes == rhs.axes && lhs.translation == rhs.translation
  }

  /// A world point as the camera sees it.
  public func toCamera(_ point: SIMD3<Double>) -> SIMD3<Double> { rotate(point) + translation }

  /// A point that the camera sees, in the world.
  public func toWorld(_ point: SIMD3<Double>) -> SIMD3<Double> {
    let offset = point - translation
    return axes.right * offset.x + axes.down * offset.y + axes.forward * offset.z
  }

  private func rotate(_ point: SIMD3<Double>) -> SIMD3<Double> {
    [dot(axes.right, point), dot(axes.down, point), dot(axes.forward, point)]
  }

  /// How far the three rows are from being at right angles and of length 1.
  var rotationError: Double {
    let (r, d, f) = axes
    let lengths = [dot(r, r), dot(d, d), dot(f, f)].map { abs($0 - 1) }
    let angles = [dot(r, d), dot(d, f), dot(f, r)].map(abs)
    return (lengths + angles).max() ?? 0
  }

  /// +1 for a rotation, −1 for a mirror.
  var determinant: Double {
    let (r, d, f) = axes
    return dot(
      r,
      [d.y * f.z - d.z * f.y, d.z * f.x - d.x * f.z, d.x * f.y - d.y * f.x])
  }
}

func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { (a * b).sum() }

/// A camera at one frame.
public struct CameraView: Sendable, Equatable {
  /// Where it stands.
  public var pose: Pose
  /// Its lens.
  public var intrinsics: Intrinsics

  /// Puts the two together.
  public init(pose: Pose, intrinsics: Intrinsics) {
    (self.pose, self.intrinsics) = (pose, intrinsics)
  }

  /// Where a world point appears, and its depth along the axis; nil behind the camera.
  public func project(_ point: SIMD3<Double>) -> (place: TrackPosition, depth: Double)? {
    let seen = pose.toCamera(point)
    guard seen.z > 1e-9 else { return nil }
    let place = TrackPosition(
      x: intrinsics.centerX + intrinsics.focalX * seen.x / seen.z,
      y: intrinsics.centerY + intrinsics.focalY * seen.y / seen.z)
    return (place, seen.z)
  }

  /// The world point at a place of the picture and a depth along the axis.
  public func unproject(_ place: TrackPosition, depth: Double) -> SIMD3<Double> {
    let x = (place.x - intrinsics.centerX) / intrinsics.focalX
    let y = (place.y - intrinsics.centerY) / intrinsics.focalY
    return pose.toWorld([x * depth, y * depth, depth])
  }
}
