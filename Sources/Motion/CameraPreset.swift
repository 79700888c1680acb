import Foundation
public import Tracks

/// A named camera move that starts at the origin, looking along z.
public enum CameraPreset: String, Sendable, CaseIterable {
  /// Turns to the left: the picture moves right.
  case panLeft = "pan-left"
  /// Turns to the right: the picture moves left.
  case panRight = "pan-right"
  /// Turns up: the picture moves down.
  case tiltUp = "tilt-up"
  /// Turns down: the picture moves up.
  case tiltDown = "tilt-down"
  /// Lengthens the lens: the picture grows about its middle, without parallax.
  case zoomIn = "zoom-in"
  /// Shortens the lens.
  case zoomOut = "zoom-out"
  /// Turns about the axis, clockwise: the picture turns counter-clockwise.
  case roll
  /// Moves forward: near things grow faster than far ones.
  case dolly
  /// Moves to the right on a circle around the pivot, which it keeps looking at.
  case orbit

  /// What the amount counts.
  public var unit: AmountUnit {
    switch self {
    case .panLeft, .panRight, .tiltUp, .tiltDown, .roll, .orbit: .degrees
    case .zoomIn, .zoomOut: .factor
    case .dolly: .pivotShare
    }
  }

  /// What is done when no amount is given.
  public var defaultAmount: Double {
    switch self {
    case .panLeft, .panRight, .orbit: 15
    case .tiltUp, .tiltDown: 8
    case .roll: 10
    case .zoomIn, .zoomOut: 1.4
    case .dolly: 0.3
    }
  }

  /// The camera at every frame.
  ///
  /// - Parameters:
  ///   - amount: the whole move, in ``unit``; negative goes the other way. A factor is above 0, a
  ///     turn within 360 degrees, a share of the pivot below 1.
  ///   - ease: how the way is spread over the frames.
  ///   - frames: 1 or more; the last one stands at the full amount.
  ///   - pivot: depth of what `orbit` goes around and `dolly` counts shares of.
  public func views(
    amount: Double, ease: Easing, frames: Int, intrinsics: Intrinsics, pivot: Double
  ) -> [CameraView] {
    (0..<frames).map { frame in
      let share = ease.progress(frames > 1 ? Double(frame) / Double(frames - 1) : 0)
      return view(amount: amount, share: share, intrinsics: intrinsics, pivot: pivot)
    }
  }

  private func view(
    amount: Double, share: Double, intrinsics: Intrinsics, pivot: Double
  ) -> CameraView {
    let angle = amount * share * .pi / 180
    var view = CameraView(pose: .identity, intrinsics: intrinsics)
    switch self {
    case .panLeft: view.pose = Self.turned(right: -angle, position: .zero)
    case .panRight: view.pose = Self.turned(right: angle, position: .zero)
    case .tiltUp: view.pose = Self.tilted(up: angle)
    case .tiltDown: view.pose = Self.tilted(up: -angle)
    case .roll:
      view.pose = Pose(
        right: [cos(angle), sin(angle), 0], down: [-sin(angle), cos(angle), 0],
        forward: [0, 0, 1], translation: .zero)
    case .zoomIn, .zoomOut:
      // Geometric, so that an even share of the way looks like an even speed.
      let factor = pow(self == .zoomIn ? amount : 1 / amount, share)
      view.intrinsics.focalX *= factor
      view.intrinsics.focalY *= factor
    case .dolly: view.pose.translation = [0, 0, -amount * share * pivot]
    case .orbit:
      let forward: SIMD3<Double> = [-sin(angle), 0, cos(angle)]
      let position = SIMD3<Double>(0, 0, pivot) - forward * pivot
      view.pose = Self.turned(right: -angle, position: position)
    }
    return view
  }

  private static func turned(right angle: Double, position: SIMD3<Double>) -> Pose {
    Pose(
      right: [cos(angle), 0, -sin(angle)], down: [0, 1, 0],
      forward: [sin(angle), 0, cos(angle)], position: position)
  }

  private static func tilted(up angle: Double) -> Pose {
    Pose(
      right: [1, 0, 0], down: [0, cos(angle), sin(angle)],
      forward: [0, -sin(angle), cos(angle)], position: .zero)
  }
}

/// What the amount of a camera move counts.
public enum AmountUnit: String, Sendable {
  /// Degrees of turn.
  case degrees
  /// Final size over first size.
  case factor
  /// Way over the pivot's depth.
  case pivotShare = "share of the pivot's depth"

  /// The amounts that make sense.
  public func allows(_ amount: Double) -> Bool {
    switch self {
    case .degrees: abs(amount) <= 360
    case .factor: amount > 0 && amount <= 1000
    case .pivotShare: abs(amount) <= 1000
    }
  }
}
