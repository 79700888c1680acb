import CLibAV

/// What this package knows about one encoder: how to run it with no delay between a frame going in
/// and its packet coming out, so that a flushed file really holds every frame.
struct Codec {
  let encoder: UnsafePointer<AVCodec>
  let pixelFormat: AVPixelFormat
  /// Options of the encoder, in the order they are set.
  private let options: [(name: String, value: String)]
  private let defaultCRF: Int?
  private let crfRange: ClosedRange<Int>

  /// Finds the encoder asked for, or the format's own, and checks that the format can hold it.
  init(_ name: String?, for format: OutputFormat) throws {
    let name = name ?? (format == .webm ? "libvpx-vp9" : "libx264")
    guard let encoder = avcodec_find_encoder_by_name(name),
      encoder.pointee.type == AVMEDIA_TYPE_VIDEO
    else {
      throw MediaError(
        .unavailable, "codec \(name): not among the video encoders of this libavcodec")
    }
    let muxer = av_guess_format(format.muxerName, nil, nil)
    guard let muxer else {
      throw MediaError(.unavailable, "format \(format.rawValue): not in this libavformat")
    }
    guard avformat_query_codec(muxer, encoder.pointee.id, FF_COMPLIANCE_NORMAL) == 1 else {
      throw MediaError(.invalidSettings, "codec \(name): \(format.rawValue) files cannot hold it")
    }
    self.encoder = encoder
    pixelFormat = try Self.pixelFormat(of: encoder, name)
    switch name {
    case "libx264", "libx264rgb":
      options = [("preset", "veryfast"), ("tune", "zerolatency")]
      (defaultCRF, crfRange) = (18, 0...51)
    case "libx265":
      options = [
        ("preset", "ultrafast"), ("tune", "zerolatency"), ("x265-params", "log-level=none"),
      ]
      (defaultCRF, crfRange) = (22, 0...51)
    case "libvpx-vp9":
      options = [
        ("deadline", "realtime"), ("cpu-used", "7"), ("lag-in-frames", "0"), ("row-mt", "1"),
      ]
      (defaultCRF, crfRange) = (24, 0...63)
    case "libvpx":
      options = [("deadline", "realtime"), ("cpu-used", "8"), ("lag-in-frames", "0")]
      (defaultCRF, crfRange) = (8, 4...63)
    case "libaom-av1":
      options = [("usage", "realtime"), ("cpu-used", "9"), ("lag-in-frames", "0")]
      (defaultCRF, crfRange) = (28, 0...63)
    default:
      options = []
      (defaultCRF, crfRange) = (nil, 0...63)
    }
  }

  /// 4:2:0 plays everywhere; the others are for encoders that are chosen because they keep more.
  private static func pixelFormat(
    of encoder: UnsafePointer<AVCodec>, _ name: String
  ) throws -> AVPixelFormat {
    guard let list = encoder.pointee.pix_fmts else { return AV_PIX_FMT_YUV420P }
    var offered: [AVPixelFormat] = []
    while list[offered.count] != AV_PIX_FMT_NONE { offered.append(list[offered.count]) }
    let known = [AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_RGB24]
    guard let format = known.first(where: offered.contains) else {
      throw MediaError(
        .invalidSettings, "codec \(name): takes none of the pixel formats yuv420p, yuv444p, rgb24")
    }
    return format
  }

  /// Makes the encoder's context and opens it.
  func open(
    width: Int, height: Int, frameRate: FrameRate, encoding: EncodingSettings, globalHeader: Bool
  ) throws -> UnsafeMutablePointer<AVCodecContext> {
    let name = String(cString: encoder.pointee.name)
    if pixelFormat == AV_PIX_FMT_YUV420P, width % 2 != 0 || height % 2 != 0 {
      throw MediaError(
        .invalidSettings,
        """
        size \(width)x\(height): codec \(name) stores colour at half size and needs an even width \
        and height; y4m, raw and png take any size
        """)
    }
    var context: UnsafeMutablePointer<AVCodecContext>? = try LibAV.allocated(
      avcodec_alloc_context3(encoder))
    guard let codec = context else { preconditionFailure("allocated above") }
    do {
      codec.pointee.width = Int32(width)
      codec.pointee.height = Int32(height)
      codec.pointee.pix_fmt = pixelFormat
      codec.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
      codec.pointee.time_base = AVRational(
        num: Int32(frameRate.denominator), den: Int32(frameRate.numerator))
      codec.pointee.framerate = AVRational(
        num: Int32(frameRate.numerator), den: Int32(frameRate.denominator))
      // A key frame every two seconds: the grain in which players seek.
      codec.pointee.gop_size = Int32(max(1, (frameRate.framesPerSecond * 2).rounded()))
      codec.pointee.max_b_frames = 0
      codec.pointee.thread_count = Int32(max(1, encoding.threads))
      tagColours(codec)
      if globalHeader { codec.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
      try setOptions(codec, name, encoding)
      try LibAV.check(
        avcodec_open2(codec, encoder, nil), .unavailable,
        "codec \(name): cannot start for \(width)x\(height)")
      return codec
    } catch {
      avcodec_free_context(&context)
      throw error
    }
  }

  private func tagColours(_ codec: UnsafeMutablePointer<AVCodecContext>) {
    codec.pointee.color_primaries = AVCOL_PRI_BT709
    if pixelFormat == AV_PIX_FMT_RGB24 {
      codec.pointee.colorspace = AVCOL_SPC_RGB
      codec.pointee.color_trc = AVCOL_TRC_IEC61966_2_1
      codec.pointee.color_range = AVCOL_RANGE_JPEG
    } else {
      codec.pointee.colorspace = AVCOL_SPC_BT709
      codec.pointee.color_trc = AVCOL_TRC_BT709
      codec.pointee.color_range = AVCOL_RANGE_MPEG
      codec.pointee.chroma_sample_location = AVCHROMA_LOC_LEFT
    }
  }

  private func setOptions(
    _ codec: UnsafeMutablePointer<AVCodecContext>, _ name: String, _ encoding: EncodingSettings
  ) throws {
    for (option, value) in options {
      try LibAV.check(
        av_opt_set(codec.pointee.priv_data, option, value, 0), .unavailable,
        "codec \(name): option \(option)=\(value)")
    }
    if let crf = encoding.crf, !crfRange.contains(crf) {
      throw MediaError(
        .invalidSettings,
        "crf \(crf): codec \(name) takes \(crfRange.lowerBound) to \(crfRange.upperBound)")
    }
    guard let crf = encoding.crf ?? defaultCRF else { return }
    let code = codec.pointee.priv_data.map { av_opt_set($0, "crf", String(crf), 0) }
    guard code == 0 else {
      throw MediaError(.invalidSettings, "crf \(crf): codec \(name) has no such setting")
    }
    // VP8 reads crf as a bound below its bit rate; for the others 0 means quality alone decides.
    codec.pointee.bit_rate = name == "libvpx" ? 20_000_000 : 0
  }
}
