import Frames

/// R'G'B' to limited-range 8-bit Y'CbCr, in fixed point, so that every machine gives equal bytes.
///
/// With luma weights `kr`, `kb` (ITU-R BT.709-6 §3, BT.601-7 §2.5):
/// `Y = 16 + 219 y`, `Cb = 128 + 224 (b - y) / 2(1 - kb)`, `Cr = 128 + 224 (r - y) / 2(1 - kr)`,
/// where `y = kr r + (1 - kr - kb) g + kb b` and all of r, g, b lie in 0...1.
struct YUVMatrix: Sendable {
  private typealias Weights = (r: Int32, g: Int32, b: Int32)
  private let luma: Weights
  private let blue: Weights
  private let red: Weights

  static let bt709 = YUVMatrix(kr: 0.2126, kb: 0.0722)
  static let bt601 = YUVMatrix(kr: 0.299, kb: 0.114)

  private static let bits: Int32 = 16

  private init(kr: Double, kb: Double) {
    func fixed(_ x: Double) -> Int32 { Int32((x * Double(1 << Self.bits)).rounded()) }
    // Green takes the rounding remainder: white is exactly 235 and every grey exactly 128.
    let (lumaScale, chromaScale) = (219.0 / 255, 224.0 / 255)
    let (yr, yb) = (fixed(kr * lumaScale), fixed(kb * lumaScale))
    luma = (yr, fixed(lumaScale) - yr - yb, yb)
    let half = fixed(chromaScale / 2)
    let blueOfRed = fixed(-kr / (2 * (1 - kb)) * chromaScale)
    blue = (blueOfRed, -half - blueOfRed, half)
    let redOfBlue = fixed(-kb / (2 * (1 - kr)) * chromaScale)
    red = (half, -half - redOfBlue, redOfBlue)
  }

  /// One plane to write into.
  struct Plane {
    let start: UnsafeMutablePointer<UInt8>
    let stride: Int
  }

  /// Converts with full-size chroma (4:4:4).
  func convert444(_ frame: RGBFrame, _ y: Plane, _ cb: Plane, _ cr: Plane) {
    frame.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      for row in 0..<frame.height {
        var source = base + row * frame.width * 3
        let (yRow, cbRow, crRow) = (
          y.start + row * y.stride, cb.start + row * cb.stride, cr.start + row * cr.stride
        )
        for x in 0..<frame.width {
          let (r, g, b) = (Int32(source[0]), Int32(source[1]), Int32(source[2]))
          yRow[x] = Self.sample(luma, r, g, b, offset: 16, shift: Self.bits)
          cbRow[x] = Self.sample(blue, r, g, b, offset: 128, shift: Self.bits)
          crRow[x] = Self.sample(red, r, g, b, offset: 128, shift: Self.bits)
          source += 3
        }
      }
    }
  }

  /// Converts with chroma halved both ways (4:2:0); width and height must be even.
  ///
  /// Chroma lies where H.264 and MPEG-2 put it by default: on the left column of each 2x2 block,
  /// half-way between its rows. So it is the mean over two rows of columns weighted 1, 2, 1.
  func convert420(_ frame: RGBFrame, _ y: Plane, _ cb: Plane, _ cr: Plane) {
    precondition(frame.width % 2 == 0 && frame.height % 2 == 0, "4:2:0 needs even sizes")
    let rowBytes = frame.width * 3
    frame.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      for row in 0..<frame.height {
        var source = base + row * rowBytes
        let yRow = y.start + row * y.stride
        for x in 0..<frame.width {
          yRow[x] = Self.sample(
            luma, Int32(source[0]), Int32(source[1]), Int32(source[2]), offset: 16,
            shift: Self.bits)
          source += 3
        }
      }
      for row in 0..<frame.height / 2 {
        let top = base + row * 2 * rowBytes
        let (cbRow, crRow) = (cb.start + row * cb.stride, cr.start + row * cr.stride)
        for x in 0..<frame.width / 2 {
          let middle = top + x * 6
          let left = x == 0 ? middle : middle - 3
          func sum(_ channel: Int) -> Int32 {
            let below = channel + rowBytes
            let sides =
              Int32(left[channel]) &+ Int32(middle[channel + 3]) &+ Int32(left[below])
              &+ Int32(middle[below + 3])
            return sides &+ 2 &* (Int32(middle[channel]) &+ Int32(middle[below]))
          }
          let (r, g, b) = (sum(0), sum(1), sum(2))  // eight times the mean
          cbRow[x] = Self.sample(blue, r, g, b, offset: 128, shift: Self.bits + 3)
          crRow[x] = Self.sample(red, r, g, b, offset: 128, shift: Self.bits + 3)
        }
      }
    }
  }

  @inline(__always)
  private static func sample(
    _ w: Weights, _ r: Int32, _ g: Int32, _ b: Int32, offset: Int32, shift: Int32
  ) -> UInt8 {
    let sum = w.r &* r &+ w.g &* g &+ w.b &* b
    return UInt8(truncatingIfNeeded: (sum &+ (1 &<< (shift &- 1))) &>> shift &+ offset)
  }
}
