import CVision
import Frames
import Tracks

/// One picture of a clip as the trackers need it: grey, at several sizes, with gradients.
///
/// The only user of the C door to OpenCV. Coordinates here have a corner origin.
final class GreyPyramid {
  /// Width in pixels.
  let width: Int
  /// Height in pixels.
  let height: Int
  private let handle: OpaquePointer
  private let name: String

  /// Converts a picture. `name` is what errors call it.
  ///
  /// - Parameters:
  ///   - window: side in pixels of the largest window that will be followed.
  ///   - levels: how often the size is halved; OpenCV stops earlier on small pictures.
  init(_ frame: RGBFrame, window: Int, levels: Int, name: String) throws(TrackError) {
    var message = ErrorText()
    guard
      let handle = cvision_pyramid_make(
        frame.pixels, Int32(frame.width), Int32(frame.height), Int32(window), Int32(levels),
        &message.bytes, ErrorText.size)
    else { throw TrackError(file: name, reason: message.text) }
    (self.handle, width, height, self.name) = (handle, frame.width, frame.height, name)
  }

  private init(_ handle: OpaquePointer, like other: GreyPyramid) {
    (self.handle, width, height, name) = (handle, other.width, other.height, other.name)
  }

  /// The picture moved by a homography, its edges repeated outwards.
  func moved(by homography: Homography, window: Int, levels: Int) throws(TrackError) -> GreyPyramid
  {
    var message = ErrorText()
    // OpenCV's pixels begin half a pixel later.
    let matrix = Homography.shift(-0.5) * homography * Homography.shift(0.5)
    guard
      let moved = cvision_pyramid_warp(
        handle, matrix.elements, Int32(window), Int32(levels), &message.bytes, ErrorText.size)
    else { throw TrackError(file: name, reason: message.text) }
    return GreyPyramid(moved, like: self)
  }

  /// How much windows around points show: mean squared change across, across times down, down.
  func texture(at points: [SIMD2<Float>], window: Int) -> [SIMD3<Float>] {
    var sums = [Float](repeating: 0, count: points.count * 3)
    cvision_texture(handle, Int32(window), Self.pack(points), &sums, Int32(points.count))
    return points.indices.map { SIMD3(sums[3 * $0], sums[3 * $0 + 1], sums[3 * $0 + 2]) }
  }

  deinit { cvision_pyramid_free(handle) }

  /// What pyramidal Lucas-Kanade found for some points.
  struct Followed {
    /// Where the points went.
    var positions: [SIMD2<Float>]
    /// False where there was too little texture, or the search left the picture.
    var found: [Bool]
    /// Mean grey difference of the two windows, 0 to 255.
    var residuals: [Float]
  }

  /// Follows points to another picture of the same size.
  ///
  /// - Parameters:
  ///   - guesses: where to begin the search; nil begins at the points themselves.
  ///   - leastEigenvalue: of the window's gradient matrix per pixel; below it is too little texture.
  func follow(
    _ points: [SIMD2<Float>], to other: GreyPyramid, window: Int, levels: Int,
    guesses: [SIMD2<Float>]? = nil, leastEigenvalue: Float
  ) throws(TrackError) -> Followed {
    precondition(other.width == width && other.height == height, "pictures of different sizes")
    let start = Self.pack(points)
    var end = Self.pack(guesses ?? points)
    var found = [UInt8](repeating: 0, count: points.count)
    var residuals = [Float](repeating: 0, count: points.count)
    if !points.isEmpty {
      var message = ErrorText()
      let done = cvision_follow(
        handle, other.handle, Int32(window), Int32(levels), guesses == nil ? 0 : 1,
        leastEigenvalue, start, &end, &found, &residuals, Int32(points.count), &message.bytes,
        ErrorText.size)
      guard done != 0 else { throw TrackError(file: other.name, reason: message.text) }
    }
    let positions = points.indices.map { SIMD2(end[2 * $0] + 0.5, end[2 * $0 + 1] + 0.5) }
    // A window that is lost may have gone anywhere, even to infinity.
    let isFound = found.indices.map { found[$0] != 0 && abs(positions[$0].sum()) < 1e6 }
    return Followed(positions: positions, found: isFound, residuals: residuals)
  }

  /// How every pixel moves to another picture of the same size.
  func denseFlow(to other: GreyPyramid) throws(TrackError) -> FlowField {
    precondition(other.width == width && other.height == height, "pictures of different sizes")
    var flow = [Float](repeating: 0, count: width * height * 2)
    var message = ErrorText()
    guard cvision_dense_flow(handle, other.handle, &flow, &message.bytes, ErrorText.size) != 0
    else { throw TrackError(file: other.name, reason: message.text) }
    return FlowField(width: width, height: height, values: flow)
  }

  /// x and y in turn, in OpenCV's coordinates: (0, 0) in the middle of the first pixel.
  private static func pack(_ points: [SIMD2<Float>]) -> [Float] {
    points.flatMap { [$0.x - 0.5, $0.y - 0.5] }
  }
}

/// Where every pixel of a picture goes.
struct FlowField {
  /// Width in pixels.
  let width: Int
  /// Height in pixels.
  let height: Int
  /// Displacements [height, width, 2] in pixels.
  let values: [Float]

  /// The displacement at a point (corner origin), between the four pixels around it.
  func at(_ point: SIMD2<Float>) -> SIMD2<Float> {
    let x = min(max(point.x - 0.5, 0), Float(width - 1))
    let y = min(max(point.y - 0.5, 0), Float(height - 1))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    func value(_ column: Int, _ row: Int) -> SIMD2<Float> {
      let index = (row * width + column) * 2
      return SIMD2(values[index], values[index + 1])
    }
    let (u, v) = (x - Float(left), y - Float(top))
    let above = value(left, top) * (1 - u) + value(right, top) * u
    let below = value(left, bottom) * (1 - u) + value(right, bottom) * u
    return above * (1 - v) + below * v
  }
}

/// Room for a message from C.
private struct ErrorText {
  static let size: Int32 = 512
  var bytes = [CChar](repeating: 0, count: Int(size))
  var text: String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
