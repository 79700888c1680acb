import CLibAV
public import Frames
import Glibc

/// Reads one picture: PNG through libpng; JPEG, WebP, BMP and TIFF through libavcodec.
///
/// The result is 8-bit sRGB, upright (a JPEG's EXIF orientation is applied), with anything
/// transparent laid over black. 16-bit samples are rounded, grey and palettes expanded.
public enum ImageReader {
  /// The largest picture read, in pixels; a header that claims more is refused unread.
  public static let largestPixelCount = 64 << 20
  /// The largest file read, in bytes.
  public static let largestFileSize = 256 << 20

  /// Reads the picture at `path`. Throws `MediaError`: `.inputMissing` or `.badData`.
  public static func read(_ path: String) throws -> RGBFrame {
    try decode(contents(of: path), name: path)
  }

  /// Decodes a picture in memory; `name` is what messages call it.
  public static func decode(_ bytes: [UInt8], name: String) throws -> RGBFrame {
    guard !bytes.isEmpty else {
      throw MediaError(.badData, "\(name): expected a picture, found an empty file")
    }
    switch try Kind(bytes, name: name) {
    case .png: return try PNG.decode(bytes, name: name).overBlack
    case .jpeg:
      // The decoder makes up what a few missing bytes at the end would have said.
      guard zip(bytes.dropLast(), bytes.dropFirst()).contains(where: { $0 == (0xFF, 0xD9) }) else {
        throw MediaError(.badData, "\(name): damaged JPEG: it stops before its end marker")
      }
      return try decode(bytes, AV_CODEC_ID_MJPEG, "JPEG", name)
    case .webp: return try decode(bytes, AV_CODEC_ID_WEBP, "WebP", name)
    case .bmp: return try decode(bytes, AV_CODEC_ID_BMP, "BMP", name)
    case .tiff: return try decode(bytes, AV_CODEC_ID_TIFF, "TIFF", name)
    }
  }

  static func checkSize(width: Int, height: Int, name: String) throws {
    guard width > 0, height > 0, width <= largestPixelCount / height else {
      throw MediaError(
        .badData,
        "\(name): the picture claims \(width)x\(height) pixels; at most \(largestPixelCount) are read"
      )
    }
  }

  private enum Kind {
    case png, jpeg, webp, bmp, tiff

    init(_ bytes: [UInt8], name: String) throws {
      func has(_ magic: [UInt8], at offset: Int = 0) -> Bool {
        bytes.dropFirst(offset).starts(with: magic)
      }
      if has(PNG.signature) {
        self = .png
      } else if has([0xFF, 0xD8, 0xFF]) {
        self = .jpeg
      } else if has(Array("RIFF".utf8)), has(Array("WEBP".utf8), at: 8) {
        self = .webp
      } else if has(Array("BM".utf8)) {
        self = .bmp
      } else if has([0x49, 0x49, 0x2A, 0]) || has([0x4D, 0x4D, 0, 0x2A]) {
        self = .tiff
      } else {
        let start = bytes.prefix(8).map { byte in
          let digits = String(byte, radix: 16)
          return digits.count == 1 ? "0" + digits : digits
        }
        throw MediaError(
          .badData,
          """
          \(name): expected a PNG, JPEG, WebP, BMP or TIFF picture, found a file that starts with \
          the bytes \(start.joined(separator: " "))
          """)
      }
    }
  }

  private static func decode(
    _ bytes: [UInt8], _ id: AVCodecID, _ kind: String, _ name: String
  ) throws -> RGBFrame {
    _ = LibAV.quiet
    guard let decoder = avcodec_find_decoder(id) else {
      throw MediaError(.unavailable, "\(name): this libavcodec has no \(kind) decoder")
    }
    var context: UnsafeMutablePointer<AVCodecContext>? = avcodec_alloc_context3(decoder)
    defer { avcodec_free_context(&context) }
    var packet: UnsafeMutablePointer<AVPacket>? = av_packet_alloc()
    defer { av_packet_free(&packet) }
    var picture: UnsafeMutablePointer<AVFrame>? = av_frame_alloc()
    defer { av_frame_free(&picture) }
    let codec = try LibAV.allocated(context)
    codec.pointee.thread_count = 1
    codec.pointee.max_pixels = Int64(largestPixelCount)
    codec.pointee.err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER
    let damaged =
      "\(name): damaged \(kind), or of a rare variant, or over \(largestPixelCount) pixels"
    try LibAV.check(avcodec_open2(codec, decoder, nil), .unavailable, "\(name): \(kind) decoder")
    // Allocated by libav, as its bit readers run past the end into the padding that this adds.
    let data = try LibAV.allocated(packet)
    try LibAV.check(
      av_new_packet(data, Int32(bytes.count)), .badData, "\(name): \(bytes.count) bytes")
    data.pointee.data.update(from: bytes, count: bytes.count)
    let frame = try LibAV.allocated(picture)
    guard avcodec_send_packet(codec, data) == 0, avcodec_send_packet(codec, nil) == 0,
      avcodec_receive_frame(codec, frame) == 0
    else { throw MediaError(.badData, damaged) }
    guard frame.pointee.decode_error_flags == 0, frame.pointee.flags & AV_FRAME_FLAG_CORRUPT == 0
    else { throw MediaError(.badData, "\(name): damaged \(kind): part of the picture is missing") }
    try checkSize(width: Int(frame.pointee.width), height: Int(frame.pointee.height), name: name)
    var orientation = Orientation.upright
    if let side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX),
      side.pointee.size >= 9 * MemoryLayout<Int32>.size, let matrix = side.pointee.data
    {
      orientation = matrix.withMemoryRebound(to: Int32.self, capacity: 9) {
        Orientation(displayMatrix: $0)
      }
    }
    return try PictureConverter().convert(frame, orientation: orientation, name: name)
  }

  /// Reads a file or pipe to its end, up to `largestFileSize`.
  private static func contents(of path: String) throws -> [UInt8] {
    func failure(_ code: Int32) -> MediaError {
      MediaError(.inputMissing, "\(path): cannot read: \(MediaError.systemText(code))")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw failure(errno)
      }
      bytes.append(contentsOf: block[..<count])
      guard bytes.count <= largestFileSize else {
        throw MediaError(
          .badData, "\(path): a picture of over \(largestFileSize) bytes is not read")
      }
    }
  }
}
