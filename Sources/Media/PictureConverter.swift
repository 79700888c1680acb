import CLibAV
import Frames

/// Turns libav's decoded pictures, of any pixel format, into upright 8-bit RGB.
///
/// Matrix and range are taken from the picture's tags. An untagged YUV picture is read as BT.601
/// limited, as ffmpeg does. Anything transparent is laid over black.
final class PictureConverter {
  private var scaler: OpaquePointer?  // SwsContext
  private var rgba: [UInt8] = []

  init() { _ = LibAV.quiet }

  deinit { sws_freeContext(scaler) }

  /// Converts one picture; `orientation` is libav's 3x3 display matrix, if the file has one.
  func convert(
    _ picture: UnsafePointer<AVFrame>, orientation: Orientation = .upright, name: String
  ) throws -> RGBFrame {
    let frame = picture.pointee
    let (width, height) = (Int(frame.width), Int(frame.height))
    let format = AVPixelFormat(frame.format)
    guard let description = av_pix_fmt_desc_get(format), sws_isSupportedInput(format) != 0 else {
      throw MediaError(.unavailable, "\(name): pixel format \(frame.format) cannot be converted")
    }
    let hasAlpha =
      description.pointee.flags & UInt64(AV_PIX_FMT_FLAG_ALPHA) != 0
      || format == AV_PIX_FMT_PAL8
    let output = hasAlpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24
    // Exact arithmetic, and the same on every processor.
    let flags =
      SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP
      | SWS_BITEXACT
    scaler = sws_getCachedContext(
      scaler, frame.width, frame.height, format, frame.width, frame.height, output, flags, nil, nil,
      nil)
    guard let scaler else {
      throw MediaError(.unavailable, "\(name): pixel format \(frame.format) cannot be converted")
    }
    setColours(scaler, frame, description)
    let channels = hasAlpha ? 4 : 3
    let bytes = [UInt8](unsafeUninitializedCapacity: width * height * channels) { out, filled in
      let planes = [out.baseAddress, nil, nil, nil]
      let strides = [Int32(width * channels), 0, 0, 0]
      let (a, b, c, d) = (frame.data.0, frame.data.1, frame.data.2, frame.data.3)
      let data: [UnsafePointer<UInt8>?] = [.init(a), .init(b), .init(c), .init(d)]
      let lines = [frame.linesize.0, frame.linesize.1, frame.linesize.2, frame.linesize.3]
      let rows = sws_scale(scaler, data, lines, 0, frame.height, planes, strides)
      filled = rows == frame.height ? width * height * channels : 0
    }
    guard !bytes.isEmpty else {
      throw MediaError(.badData, "\(name): the picture cannot be converted to RGB")
    }
    let upright =
      hasAlpha
      ? RGBAPicture(width: width, height: height, pixels: bytes).overBlack
      : RGBFrame(width: width, height: height, pixels: bytes)
    return orientation.apply(to: upright)
  }

  private func setColours(
    _ scaler: OpaquePointer, _ frame: AVFrame, _ description: UnsafePointer<AVPixFmtDescriptor>
  ) {
    // The table of constants is indexed by the AVColorSpace numbers that have one.
    let isTagged = frame.colorspace != AVCOL_SPC_UNSPECIFIED && frame.colorspace != AVCOL_SPC_RGB
    let matrix = sws_getCoefficients(isTagged ? Int32(frame.colorspace.rawValue) : SWS_CS_DEFAULT)
    let isYUV =
      description.pointee.flags & UInt64(AV_PIX_FMT_FLAG_RGB) == 0
      && description.pointee.nb_components >= 3
    let isFull = frame.color_range == AVCOL_RANGE_JPEG || !isYUV
    sws_setColorspaceDetails(
      scaler, matrix, isFull ? 1 : 0, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16)
  }
}

/// One of the eight ways in which a camera can have held the picture.
struct Orientation: Equatable {
  /// Rows of the source become columns of the result.
  let transposes: Bool
  /// The result runs against the source's columns, or rows where it transposes.
  private let flipsAcross: Bool
  private let flipsDown: Bool

  static let upright = Orientation(transposes: false, flipsAcross: false, flipsDown: false)

  private init(transposes: Bool, flipsAcross: Bool, flipsDown: Bool) {
    (self.transposes, self.flipsAcross, self.flipsDown) = (transposes, flipsAcross, flipsDown)
  }

  /// Reads libav's display matrix: source (x, y) lands at (a x + c y, b x + d y), where a and b
  /// are its entries 0 and 1, and c and d its entries 3 and 4. Odd angles are left alone.
  init(displayMatrix m: UnsafePointer<Int32>) {
    if m[0] == 0, m[4] == 0, m[1] != 0, m[3] != 0 {
      self.init(transposes: true, flipsAcross: m[3] < 0, flipsDown: m[1] < 0)
    } else if m[1] == 0, m[3] == 0, m[0] != 0, m[4] != 0 {
      self.init(transposes: false, flipsAcross: m[0] < 0, flipsDown: m[4] < 0)
    } else {
      self = .upright
    }
  }

  func apply(to frame: RGBFrame) -> RGBFrame {
    guard self != .upright else { return frame }
    let width = transposes ? frame.height : frame.width
    let height = transposes ? frame.width : frame.height
    var pixels = [UInt8](repeating: 0, count: frame.pixels.count)
    var out = 0
    for y in 0..<height {
      for x in 0..<width {
        let (u, v) = (flipsAcross ? width - 1 - x : x, flipsDown ? height - 1 - y : y)
        let source = transposes ? (u * frame.width + v) * 3 : (v * frame.width + u) * 3
        for c in 0..<3 { pixels[out + c] = frame.pixels[source + c] }
        out += 3
      }
    }
    return RGBFrame(width: width, height: height, pixels: pixels)
  }
}
