import CLibAV
public import Frames

/// Encodes frames into an MP4, Matroska or WebM file, or onto a pipe.
///
/// Colours are converted with the BT.709 matrix to limited range and tagged so in the stream and
/// in the container. The default codecs run without look-ahead, so a frame is in the file as soon
/// as `flush` has returned; encoders chosen by name may hold some back until `finish`.
public final class VideoEncoder: FrameSink, @unchecked Sendable {
  private let width: Int
  private let height: Int
  private let muxer: Muxer
  private var codec: UnsafeMutablePointer<AVCodecContext>?
  private var picture: UnsafeMutablePointer<AVFrame>?
  private var packet: UnsafeMutablePointer<AVPacket>?
  private var framesWritten: Int64 = 0
  private var framesFlushed: Int64 = 0

  /// Opens encoder and output and writes the container's header. Throws `MediaError`, and then
  /// leaves nothing behind.
  public init(
    _ target: OutputTarget, format: OutputFormat, width: Int, height: Int, frameRate: FrameRate,
    encoding: EncodingSettings = EncodingSettings()
  ) throws {
    precondition(format.isEncoded, "\(format) has a writer of its own")
    _ = LibAV.quiet
    try OutputSettings.checkSize(width: width, height: height)
    (self.width, self.height) = (width, height)
    let choice = try Codec(encoding.codec, for: format)
    var codec: UnsafeMutablePointer<AVCodecContext>? = try choice.open(
      width: width, height: height, frameRate: frameRate, encoding: encoding,
      globalHeader: Muxer.needsGlobalHeader(format))
    do {
      muxer = try Muxer(
        target, format: format, codec: LibAV.allocated(codec), comment: encoding.comment)
    } catch {
      avcodec_free_context(&codec)
      throw error
    }
    self.codec = codec
    packet = try LibAV.allocated(av_packet_alloc())
    let picture = try LibAV.allocated(av_frame_alloc())
    self.picture = picture
    picture.pointee.format = choice.pixelFormat.rawValue
    picture.pointee.width = Int32(width)
    picture.pointee.height = Int32(height)
    try LibAV.check(av_frame_get_buffer(picture, 0), .unavailable, "a \(width)x\(height) picture")
  }

  deinit { abandon() }

  /// Encodes one frame and hands the container whatever packets are ready.
  public func write(_ frame: RGBFrame) throws {
    precondition(frame.width == width && frame.height == height, "frame of another size")
    guard let picture else { preconditionFailure("write after finish or abandon") }
    try LibAV.check(av_frame_make_writable(picture), .unavailable, "a \(width)x\(height) picture")
    Self.fill(picture, from: frame)
    picture.pointee.pts = framesWritten
    try LibAV.check(avcodec_send_frame(codec, picture), .unavailable, "encoding")
    framesWritten += 1
    try drain()
  }

  /// Ends the open fragment or cluster, so that a player reads up to here.
  public func flush() throws {
    guard framesFlushed < framesWritten else { return }
    try muxer.flush()
    framesFlushed = framesWritten
  }

  /// Encodes what is held back, writes the trailer, syncs and renames.
  public func finish() throws {
    try LibAV.check(avcodec_send_frame(codec, nil), .unavailable, "encoding the last frames")
    try drain()
    try muxer.finish()
    release()
  }

  /// Keeps a part that was flushed once or more.
  @discardableResult public func abandon() -> String? {
    muxer.release()
    release()
    return muxer.output.discard(keep: framesFlushed > 0)
  }

  /// Moves every packet that is ready from the encoder to the container.
  private func drain() throws {
    guard let codec, let packet else { return }
    while true {
      let code = avcodec_receive_packet(codec, packet)
      if code == CLIBAV_ERROR_AGAIN || code == CLIBAV_ERROR_EOF { return }
      try LibAV.check(code, .unavailable, "encoding")
      // Frames last one tick each; the container needs it for the last one of a fragment.
      packet.pointee.duration = 1
      try muxer.write(packet, timeBase: codec.pointee.time_base)
    }
  }

  private func release() {
    av_packet_free(&packet)
    av_frame_free(&picture)
    avcodec_free_context(&codec)
  }

  private static func fill(_ picture: UnsafeMutablePointer<AVFrame>, from frame: RGBFrame) {
    let (data, strides) = (picture.pointee.data, picture.pointee.linesize)
    guard let first = data.0 else { return }
    if picture.pointee.format == AV_PIX_FMT_RGB24.rawValue {
      let rowBytes = frame.width * 3
      frame.pixels.withUnsafeBufferPointer { pixels in
        guard let base = pixels.baseAddress else { return }
        for row in 0..<frame.height {
          (first + row * Int(strides.0)).update(from: base + row * rowBytes, count: rowBytes)
        }
      }
      return
    }
    guard let second = data.1, let third = data.2 else { return }
    let y = YUVMatrix.Plane(start: first, stride: Int(strides.0))
    let cb = YUVMatrix.Plane(start: second, stride: Int(strides.1))
    let cr = YUVMatrix.Plane(start: third, stride: Int(strides.2))
    if picture.pointee.format == AV_PIX_FMT_YUV444P.rawValue {
      YUVMatrix.bt709.convert444(frame, y, cb, cr)
    } else {
      YUVMatrix.bt709.convert420(frame, y, cb, cr)
    }
  }
}
