import Foundation
import Frames
import Media

/// A folder that goes away with the test, and the files that tests need in it.
final class Workspace {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("motionstream-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A path in it.
  func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file and returns its path.
  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: file(name), atomically: false, encoding: .utf8)
    return file(name)
  }

  /// Writes a file and returns its path.
  func write(_ name: String, bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// All names in it, hidden ones too.
  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path) }

  /// A copy of the tiny model that a test may spoil.
  func copyOfTinyModel(_ name: String = "model") throws -> String {
    try FileManager.default.copyItem(atPath: Fixtures.tinyModel, toPath: file(name))
    return file(name)
  }

  /// A PNG of one colour.
  func picture(
    _ name: String = "picture.png", width: Int = 48, height: Int = 32
  ) throws -> String {
    let pixels = [UInt8]((0..<width * height).flatMap { _ in [200, 80, 40] as [UInt8] })
    try PNGWriter.write(
      RGBFrame(width: width, height: height, pixels: pixels), to: file(name), overwrite: true)
    return file(name)
  }
}

/// Files that are part of the repository.
enum Fixtures {
  private static let tests = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A complete random model of 48x32 pixels that runs in milliseconds.
  static let tinyModel = tests.appendingPathComponent("Fixtures/tiny-model").path

  /// A track document for the tiny model's canvas: one moving point and one pinned, 2 s.
  static let tracks = """
    {"format":"motionstream-tracks","version":1,"width":48,"height":32,"fps":16,"frame_count":32,
     "tracks":[
      {"id":3,"keyframes":[{"frame":0,"x":10,"y":10},{"frame":31,"x":40,"y":20}]},
      {"id":9,"static":[24.5,16.5]}]}
    """
}

/// Number of frames that decode from a clip.
func frameCount(_ path: String) throws -> Int {
  let reader = try VideoReader(path)
  var count = 0
  while try reader.next() != nil { count += 1 }
  return count
}
