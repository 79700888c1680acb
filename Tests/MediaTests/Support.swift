import Frames
import Glibc
import Media

/// A folder that vanishes with the test.
final class Scratch {
  let path: String

  init() throws {
    var template = Array("/tmp/media-tests-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw MediaError(.cannotCreate, "no scratch folder") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    chmod(path, 0o700)
    Self.remove(path)
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Names in the folder, hidden ones too, sorted.
  var entries: [String] { Self.entries(path) }

  static func entries(_ folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func remove(_ folder: String) {
    for name in entries(folder) where unlink(folder + "/" + name) != 0 {
      remove(folder + "/" + name)
    }
    rmdir(folder)
  }
}

func readBytes(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw MediaError(.inputMissing, path) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&block, 1, block.count, file), count > 0 {
    bytes += block[..<count]
  }
  return bytes
}

func writeBytes(_ bytes: [UInt8], to path: String) throws {
  guard let file = fopen(path, "wb") else { throw MediaError(.cannotCreate, path) }
  defer { fclose(file) }
  guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
    throw MediaError(.inputOutput, path)
  }
}

typealias RGB = (r: UInt8, g: UInt8, b: UInt8)

func flat(_ color: RGB, width: Int = 64, height: Int = 48) -> RGBFrame {
  let pixels = (0..<width * height).flatMap { _ in [color.r, color.g, color.b] }
  return RGBFrame(width: width, height: height, pixels: pixels)
}

/// A picture in which every pixel, and every index, differs.
func pattern(_ index: Int, width: Int = 64, height: Int = 48) -> RGBFrame {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      pixels += [
        UInt8((x * 4 + index) % 256), UInt8(y * 5 % 256), UInt8((x + y + index * 7) % 256),
      ]
    }
  }
  return RGBFrame(width: width, height: height, pixels: pixels)
}

/// Flat patches: the corners of the colour cube, greys, skin, and the colour of the bug reports
/// about files tagged BT.709 but converted as BT.601.
let knownColors: [RGB] = [
  (0, 0, 0), (255, 255, 255), (128, 128, 128), (1, 1, 1), (254, 254, 254), (255, 0, 0),
  (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (74, 203, 221),
  (224, 172, 105), (12, 34, 200), (200, 40, 90), (33, 99, 33),
]

/// The largest difference of any byte.
func largestDifference(_ a: RGBFrame, _ b: RGBFrame) -> Int {
  guard a.width == b.width, a.height == b.height else { return .max }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

func readAll(_ path: String) throws -> [VideoFrame] {
  let reader = try VideoReader(path)
  var frames: [VideoFrame] = []
  while let frame = try reader.next() { frames.append(frame) }
  return frames
}

func settings(
  _ path: String, _ format: OutputFormat, width: Int = 64, height: Int = 48,
  overwrite: Bool = false, fps: String = "16", encoding: EncodingSettings = EncodingSettings()
) throws -> OutputSettings {
  guard let rate = FrameRate(fps) else { throw MediaError(.invalidSettings, fps) }
  return OutputSettings(
    target: .file(path, overwrite: overwrite), format: format, width: width, height: height,
    frameRate: rate, encoding: encoding)
}

/// The kind of the `MediaError` that `body` throws, and its text.
func failure(_ body: () throws -> Void) -> MediaError? {
  do {
    try body()
    return nil
  } catch { return error as? MediaError }
}
