import CLibAV
import Glibc

/// Puts one stream of packets into a container, through a `FileOutput`.
///
/// Everything is laid out so that a killed run leaves a playable file: MP4 is fragmented, Matroska
/// clusters are short, and `flush` ends the open fragment or cluster and empties all buffers.
final class Muxer {
  let output: FileOutput
  private var context: UnsafeMutablePointer<AVFormatContext>?
  private var stream: UnsafeMutablePointer<AVStream>?  // owned by the context
  private let bridge: WriteBridge

  /// Whether the encoder must give its parameter sets up front.
  static func needsGlobalHeader(_ format: OutputFormat) -> Bool {
    guard let muxer = av_guess_format(format.muxerName, nil, nil) else { return false }
    return muxer.pointee.flags & AVFMT_GLOBALHEADER != 0
  }

  /// Creates the output and writes the container's header.
  init(
    _ target: OutputTarget, format: OutputFormat, codec: UnsafeMutablePointer<AVCodecContext>,
    comment: String?
  ) throws {
    output = try FileOutput(target)
    bridge = WriteBridge(output)
    do {
      try LibAV.check(
        avformat_alloc_output_context2(&context, nil, format.muxerName, nil), .unavailable,
        "format \(format.rawValue)")
      let muxer = try LibAV.allocated(context)
      let stream = try LibAV.allocated(avformat_new_stream(muxer, nil))
      self.stream = stream
      try LibAV.check(
        avcodec_parameters_from_context(stream.pointee.codecpar, codec), .unavailable,
        "format \(format.rawValue): stream parameters")
      stream.pointee.time_base = codec.pointee.time_base
      stream.pointee.avg_frame_rate = codec.pointee.framerate
      stream.pointee.r_frame_rate = codec.pointee.framerate
      muxer.pointee.pb = try bridge.makeContext()
      // Bit-exact: no random identifiers, so equal frames give equal files.
      muxer.pointee.flags |= AVFMT_FLAG_FLUSH_PACKETS | AVFMT_FLAG_BITEXACT
      if let comment { av_dict_set(&muxer.pointee.metadata, "comment", comment, 0) }
      var options: OpaquePointer?
      defer { av_dict_free(&options) }
      if format == .mp4 {
        av_dict_set(&options, "movflags", "frag_keyframe+empty_moov+default_base_moof", 0)
      } else {
        av_dict_set(&options, "cluster_time_limit", "1000", 0)  // milliseconds
      }
      try check(avformat_write_header(muxer, &options), "header")
      avio_flush(muxer.pointee.pb)
      try check(0, "header")
    } catch {
      release()
      _ = output.discard(keep: false)
      throw error
    }
  }

  deinit { release() }

  /// Writes a packet stamped in `timeBase`, which becomes blank.
  func write(_ packet: UnsafeMutablePointer<AVPacket>, timeBase: AVRational) throws {
    guard let stream else { preconditionFailure("write after release") }
    av_packet_rescale_ts(packet, timeBase, stream.pointee.time_base)
    packet.pointee.stream_index = stream.pointee.index
    try check(av_interleaved_write_frame(context, packet), "frame")
  }

  /// Ends the open fragment or cluster.
  func flush() throws {
    try check(av_write_frame(context, nil), "chunk")
    avio_flush(context?.pointee.pb)
    try check(0, "chunk")
  }

  /// Writes the trailer and commits the file.
  func finish() throws {
    try check(av_write_trailer(context), "trailer")
    avio_flush(context?.pointee.pb)
    try check(0, "trailer")
    release()
    try output.commit()
  }

  /// Frees libav's part without writing anything more.
  func release() {
    bridge.release()
    context?.pointee.pb = nil
    avformat_free_context(context)
    (context, stream) = (nil, nil)
  }

  /// The operating system's own error is better news than libav's rendering of it.
  private func check(_ code: Int32, _ part: String) throws {
    if let failure = bridge.failure { throw failure }
    try LibAV.check(code, .inputOutput, "\(output.name): cannot write the \(part)")
  }
}

/// Lets libav's buffered writer call a `FileOutput`.
private final class WriteBridge {
  private let output: FileOutput
  private var context: UnsafeMutablePointer<AVIOContext>?
  /// The first error of the output; nothing is written after it.
  private(set) var failure: MediaError?

  init(_ output: FileOutput) { self.output = output }

  func makeContext() throws -> UnsafeMutablePointer<AVIOContext> {
    let size = 1 << 16
    let buffer = try LibAV.allocated(av_malloc(size))
    let bytes = buffer.bindMemory(to: UInt8.self, capacity: size)
    // Unretained: the muxer owns both sides and releases the context first.
    let opaque = Unmanaged.passUnretained(self).toOpaque()
    context = avio_alloc_context(
      bytes, Int32(size), 1, opaque, nil,
      { opaque, bytes, count in
        guard let opaque else { return -EIO }
        let bridge = Unmanaged<WriteBridge>.fromOpaque(opaque).takeUnretainedValue()
        return bridge.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      },
      output.isSeekable
        ? { opaque, offset, whence in
          guard let opaque else { return Int64(-EIO) }
          let bridge = Unmanaged<WriteBridge>.fromOpaque(opaque).takeUnretainedValue()
          if whence == AVSEEK_SIZE { return bridge.output.size }
          return bridge.output.seek(to: offset, from: whence)
        } : nil)
    return try LibAV.allocated(context)
  }

  func release() {
    guard let context else { return }
    av_freep(&context.pointee.buffer)
    avio_context_free(&self.context)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    guard failure == nil else { return -EIO }
    do {
      try output.write(bytes)
      return Int32(bytes.count)
    } catch let error as MediaError {
      failure = error
    } catch {
      failure = MediaError(.inputOutput, "\(output.name): \(error)")
    }
    return -EIO
  }
}
