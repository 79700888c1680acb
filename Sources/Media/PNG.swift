import CPNG
import Frames

/// The only user of libpng: bytes of a PNG file to and from 8-bit sRGB pictures.
enum PNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Encodes into `buffer`, which grows as needed and is reused; returns the bytes used.
  ///
  /// `fast` picks the lightest compression: about a third larger, several times quicker.
  static func encode(_ frame: RGBFrame, into buffer: inout [UInt8], fast: Bool) throws -> Int {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(frame.width)
    image.height = png_uint_32(frame.height)
    image.format = CPNG_FORMAT_RGB
    image.flags = fast ? png_uint_32(PNG_IMAGE_FLAG_FAST) : 0
    var size = cpng_largest_size(image)
    if buffer.count < Int(size) { buffer = [UInt8](repeating: 0, count: Int(size)) }
    guard png_image_write_to_memory(&image, &buffer, &size, 0, frame.pixels, 0, nil) != 0 else {
      defer { png_image_free(&image) }
      throw MediaError(.unavailable, "libpng cannot encode a picture: \(text(image))")
    }
    return Int(size)
  }

  /// Decodes any PNG to 8-bit RGBA with straight alpha, `width * height * 4` bytes.
  ///
  /// A gamma chunk is honoured; without one the samples, of 16 bits too, are taken as sRGB.
  static func decode(_ bytes: [UInt8], name: String) throws -> RGBAPicture {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    return try bytes.withUnsafeBytes { file in
      guard png_image_begin_read_from_memory(&image, file.baseAddress, file.count) != 0 else {
        throw MediaError(.badData, "\(name): damaged PNG: \(text(image))")
      }
      defer { png_image_free(&image) }
      let (width, height) = (Int(image.width), Int(image.height))
      try ImageReader.checkSize(width: width, height: height, name: name)
      image.format = CPNG_FORMAT_RGBA
      image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
      var pixels = [UInt8](repeating: 0, count: width * height * 4)
      guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
        throw MediaError(.badData, "\(name): damaged PNG: \(text(image))")
      }
      return RGBAPicture(width: width, height: height, pixels: pixels)
    }
  }

  private static func text(_ image: png_image) -> String {
    withUnsafeBytes(of: image.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

/// A picture on its way to `RGBFrame`: 8-bit sRGB with straight alpha, [H, W, 4].
struct RGBAPicture {
  let width: Int
  let height: Int
  let pixels: [UInt8]

  /// Laid over black, which is also the border of `ImageFit.pad`.
  var overBlack: RGBFrame {
    let count = width * height
    let rgb = [UInt8](unsafeUninitializedCapacity: count * 3) { out, filled in
      pixels.withUnsafeBufferPointer { source in
        for i in 0..<count {
          let alpha = Int32(source[i * 4 + 3])
          for c in 0..<3 {
            // Rounded x * alpha / 255, exact for all bytes.
            let t = Int32(source[i * 4 + c]) &* alpha &+ 128
            out[i * 3 + c] = UInt8(truncatingIfNeeded: (t &+ (t &>> 8)) &>> 8)
          }
        }
      }
      filled = count * 3
    }
    return RGBFrame(width: width, height: height, pixels: rgb)
  }
}
