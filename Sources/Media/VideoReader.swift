import CLibAV
public import Frames
import Glibc

/// One frame of a clip and when it is shown.
public struct VideoFrame: Sendable {
  /// The picture.
  public let picture: RGBFrame
  /// Seconds from the clip's own zero.
  public let seconds: Double
}

/// Decodes a clip frame by frame, in the order shown, holding one frame at a time.
///
/// Colours follow the clip's tags; an untagged clip is read as BT.601 limited, as ffmpeg does.
public final class VideoReader {
  /// Width of the frames as shown, in pixels.
  public let width: Int
  /// Height of the frames as shown, in pixels.
  public let height: Int
  /// Frames per second as the container states or suggests it; `nil` when it does neither.
  public let frameRate: FrameRate?
  /// The container's comment field.
  public let comment: String?

  private let path: String
  private var format: UnsafeMutablePointer<AVFormatContext>?
  private var codec: UnsafeMutablePointer<AVCodecContext>?
  private var packet: UnsafeMutablePointer<AVPacket>?
  private var frame: UnsafeMutablePointer<AVFrame>?
  private let streamIndex: Int32
  private let timeBase: Double
  private let orientation: Orientation
  private let converter = PictureConverter()
  private var atEnd = false
  private var framesRead = 0

  /// Containers that hold a clip in one file; playlists, which name other files, are not among
  /// them.
  private static let containers =
    "mov,matroska,webm,avi,yuv4mpegpipe,mpegts,mpeg,flv,ogg,gif,apng,nut,ivf,asf,mjpeg,h264,hevc"

  /// Opens a file and finds its first video stream. Throws `MediaError`: `.inputMissing`,
  /// `.badData`, or `.unavailable` for a codec that libavcodec lacks.
  public init(_ path: String) throws {
    _ = LibAV.quiet
    self.path = path
    var format: UnsafeMutablePointer<AVFormatContext>?
    var options: OpaquePointer?
    av_dict_set(&options, "format_whitelist", Self.containers, 0)
    av_dict_set(&options, "protocol_whitelist", "file", 0)
    // The prefix keeps libav from reading a path like `http://…` or `concat:…` as anything else.
    let code = avformat_open_input(&format, "file:" + path, nil, &options)
    av_dict_free(&options)
    // An errno, not one of libav's own codes nor its answer to a container not in the list.
    let missing = code < 0 && code > -200 && code != -EINVAL
    try LibAV.check(
      code, missing ? .inputMissing : .badData, "\(path): cannot open as a video clip")
    var codec: UnsafeMutablePointer<AVCodecContext>?
    do {
      let input = try LibAV.allocated(format)
      try LibAV.check(
        avformat_find_stream_info(input, nil), .badData, "\(path): cannot find the streams")
      let index = try LibAV.check(
        av_find_best_stream(input, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0), .badData,
        "\(path): expected a video stream")
      let stream = try LibAV.allocated(input.pointee.streams[Int(index)])
      codec = try Self.openDecoder(stream, path)
      var orientation = Orientation.upright
      var size = 0
      if let matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size),
        size >= 9 * MemoryLayout<Int32>.size
      {
        orientation = matrix.withMemoryRebound(to: Int32.self, capacity: 9) {
          Orientation(displayMatrix: $0)
        }
      }
      let parameters = stream.pointee.codecpar.pointee
      let size2D = (Int(parameters.width), Int(parameters.height))
      try ImageReader.checkSize(width: size2D.0, height: size2D.1, name: path)
      (width, height) = orientation.transposes ? (size2D.1, size2D.0) : size2D
      let rate = av_guess_frame_rate(input, stream, nil)
      frameRate = FrameRate(Int(rate.num), Int(rate.den))
      comment = av_dict_get(input.pointee.metadata, "comment", nil, 0).map {
        String(cString: $0.pointee.value)
      }
      timeBase = av_q2d(stream.pointee.time_base)
      streamIndex = index
      self.orientation = orientation
      packet = try LibAV.allocated(av_packet_alloc())
      frame = try LibAV.allocated(av_frame_alloc())
    } catch {
      avcodec_free_context(&codec)
      avformat_close_input(&format)
      throw error
    }
    (self.format, self.codec) = (format, codec)
  }

  deinit {
    av_frame_free(&frame)
    av_packet_free(&packet)
    avcodec_free_context(&codec)
    avformat_close_input(&format)
  }

  /// The next frame, or `nil` after the last one. Throws `MediaError` with `.badData` where the
  /// clip is damaged; a clip that just stops short ends without an error.
  public func next() throws -> VideoFrame? {
    guard let codec, let frame else { return nil }
    while true {
      let code = avcodec_receive_frame(codec, frame)
      if code == CLIBAV_ERROR_EOF { return nil }
      if code == CLIBAV_ERROR_AGAIN {
        try feed(codec)
        continue
      }
      try LibAV.check(code, .badData, "\(path): frame \(framesRead) is damaged")
      defer { av_frame_unref(frame) }
      let picture = try converter.convert(frame, orientation: orientation, name: path)
      let stamp = frame.pointee.best_effort_timestamp
      let seconds =
        stamp == CLIBAV_NO_PTS
        ? frameRate?.seconds(ofFrame: framesRead) ?? 0 : Double(stamp) * timeBase
      framesRead += 1
      return VideoFrame(picture: picture, seconds: seconds)
    }
  }

  /// Sends the decoder the next packet of the video stream, or the end.
  private func feed(_ codec: UnsafeMutablePointer<AVCodecContext>) throws {
    guard let packet, !atEnd else { return }
    while true {
      let code = av_read_frame(format, packet)
      if code < 0 {
        atEnd = true
        avcodec_send_packet(codec, nil)
        return
      }
      defer { av_packet_unref(packet) }
      guard packet.pointee.stream_index == streamIndex else { continue }
      try LibAV.check(
        avcodec_send_packet(codec, packet), .badData,
        "\(path): the data after frame \(framesRead) is damaged")
      return
    }
  }

  private static func openDecoder(
    _ stream: UnsafeMutablePointer<AVStream>, _ path: String
  ) throws -> UnsafeMutablePointer<AVCodecContext> {
    let id = stream.pointee.codecpar.pointee.codec_id
    let name = String(cString: avcodec_get_name(id))
    guard let decoder = avcodec_find_decoder(id) else {
      throw MediaError(.unavailable, "\(path): this libavcodec has no decoder for \(name)")
    }
    let codec = try LibAV.allocated(avcodec_alloc_context3(decoder))
    codec.pointee.thread_count = 1
    codec.pointee.max_pixels = Int64(ImageReader.largestPixelCount)
    avcodec_parameters_to_context(codec, stream.pointee.codecpar)
    codec.pointee.pkt_timebase = stream.pointee.time_base
    let code = avcodec_open2(codec, decoder, nil)
    if code < 0 {
      var unused: UnsafeMutablePointer<AVCodecContext>? = codec
      avcodec_free_context(&unused)
      try LibAV.check(code, .badData, "\(path): cannot start the \(name) decoder")
    }
    return codec
  }
}
