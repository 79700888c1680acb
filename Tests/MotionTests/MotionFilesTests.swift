import Foundation
import Motion
import Testing
import Tracks

private func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch { return "\(error)" }
}

@Suite struct PoseFileTests {
  private let still = "1 0.5 0.8 0.5 0.5 0 0 1 0 0 0.1 0 1 0 0.2 0 0 1 0.3"

  private func read(_ text: String) throws -> [CameraView] {
    try PoseFiles.realEstate10K(Data(text.utf8), name: "poses.txt", width: 640, height: 360)
  }

  @Test func readsRealEstate10K() throws {
    let views = try read("https://example.org/watch?v=x\n\(still)\n\(still)\n")
    #expect(views.count == 2)
    let lens = Intrinsics(focalX: 320, focalY: 288, centerX: 320, centerY: 180)
    #expect(views[0].intrinsics == lens)
    #expect(views[0].pose.translation == [0.1, 0.2, 0.3])
  }

  @Test(arguments: [
    ("", "has no pose"),
    ("url\n1 2 3", "poses.txt:2: expected 19 numbers"),
    (
      "url\n1 0.5 0.8 0.5 0.5 0 0 1 0 0 nan 0 1 0 0 0 0 1 0",
      "2: expected a finite number, found \"nan\""
    ),
    ("url\n1 0.5 -1 0.5 0.5 0 0 1 0 0 0 0 1 0 0 0 0 1 0", "2: expected focal lengths above 0"),
    ("url\n1 0.5 0.8 0.5 0.5 0 0 2 0 0 0 0 1 0 0 0 0 1 0", "2: expected a rotation"),
    ("url\n1 0.5 0.8 0.5 0.5 0 0 -1 0 0 0 0 1 0 0 0 0 1 0", "2: expected a rotation"),
  ])
  func refusesBrokenRealEstate10K(text: String, expected: String) {
    #expect(message { _ = try read(text) }.contains(expected))
  }

  private func colmap(_ cameras: String, _ images: String) throws -> [CameraView] {
    try PoseFiles.colmap(
      cameras: Data(cameras.utf8), camerasName: "cameras.txt", images: Data(images.utf8),
      imagesName: "images.txt", width: 320, height: 180)
  }

  @Test func readsCOLMAPInTheOrderOfNames() throws {
    let half = 0.5.squareRoot()
    let views = try colmap(
      "# cameras\n1 PINHOLE 640 360 500 520 320 180\n",
      "# images\n7 1 0 0 0 1 2 3 1 b.png\n1 2 -1 4 5 6\n3 \(half) 0 \(half) 0 0 0 0 1 a.png\n\n")
    #expect(views.count == 2)
    #expect(views[1].pose.translation == [1, 2, 3])
    #expect(
      views[0].intrinsics
        == Intrinsics(
          focalX: 250, focalY: 260, centerX: 160, centerY: 90))
    // A quarter turn about y: the world's z is the camera's x.
    let seen = views[0].pose.toCamera([0, 0, 1])
    #expect(abs(seen.x - 1) < 1e-12 && abs(seen.z) < 1e-12)
  }

  @Test(arguments: [
    ("1 OPENCV 640 360 1 1 1 1 0 0 0 0", "", "cameras.txt:1: expected a SIMPLE_PINHOLE"),
    ("1 PINHOLE 640 360 500 500 320", "", "cameras.txt:1: expected 8 fields"),
    ("", "", "cameras.txt: has no camera"),
    ("1 SIMPLE_PINHOLE 640 360 500 320 180", "1 1 0 0 0 0 0 0 2 a\n\n", "images.txt:1: camera 2"),
    ("1 SIMPLE_PINHOLE 640 360 500 320 180", "1 2 0 0 0 0 0 0 1 a\n\n", "quaternion of length 1"),
    ("1 SIMPLE_PINHOLE 640 360 500 320 180", "1 1 0 0\n\n", "images.txt:1: expected an image"),
    ("1 SIMPLE_PINHOLE 640 360 500 320 180", "# none\n", "images.txt: has no image"),
  ])
  func refusesBrokenCOLMAP(cameras: String, images: String, expected: String) {
    #expect(message { _ = try colmap(cameras, images) }.contains(expected))
  }
}

@Suite struct DepthMapTests {
  private func read(_ data: Data, scale: Double = 1, inverse: Bool = false) throws -> DepthMap {
    try DepthMap.parse(data, name: "depth", scale: scale, meaning: inverse ? .inverse : .depth)
  }

  private func pfm(_ header: String, _ values: [Float]) -> Data {
    Data(header.utf8) + values.withUnsafeBytes { Data($0) }
  }

  @Test func readsPFMFromTheBottomUp() throws {
    let map = try read(pfm("Pf\n2 2\n-1.0\n", [1, 2, 3, 4]))
    #expect(map.values == [3, 4, 1, 2])
  }

  @Test func readsArraysAndScalesThem() throws {
    let array = NpyArray(shape: [1, 2, 3], values: [1, 2, 3, 4, 5, 6])
    let map = try read(array.encode(as: .float32), scale: 0.5)
    #expect(map.width == 3 && map.height == 2)
    #expect(map.values == [0.5, 1, 1.5, 2, 2.5, 3])
    let zip = ZipArchive.encode([
      ("depth.npy", array.encode(as: .float64)), ("focal.npy", array.encode(as: .float64)),
    ])
    #expect(try read(zip).values == [1, 2, 3, 4, 5, 6])
  }

  @Test func invertsRelativeMaps() throws {
    let array = NpyArray(shape: [1, 3], values: [4, 0.5, 0]).encode(as: .float32)
    // A single row keeps its one dimension only, so give it two rows.
    #expect(message { _ = try read(array) }.contains("expected shape [height, width]"))
    let two = NpyArray(shape: [2, 2], values: [4, 0.5, 0, 1]).encode(as: .float32)
    #expect(try read(two, inverse: true).values == [0.25, 2, .infinity, 1])
  }

  /// Written by Pillow: 3x2, 16-bit grey, 1000 to 6000; and with a value above 32767.
  private let png16 = Data(
    base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAF0lEQVR4nGNkfsHyguUFC8"
      + "8OlhfXbwAAJQ0GKMvpYV8AAAAASUVORK5CYII=")

  @Test func reads16BitPNGWithoutLoss() throws {
    let map = try read(try #require(png16), scale: 0.001)
    #expect(map.width == 3 && map.height == 2)
    for (value, expected) in zip(map.values, [1.0, 2, 3, 4, 5, 60]) {
      #expect(abs(value - expected) < 1e-9)
    }
  }

  @Test func refusesBrokenPNGs() throws {
    let good = try #require(png16)
    #expect(message { _ = try read(good.prefix(40)) }.contains("cut short"))
    var bent = good
    bent[20] ^= 1
    #expect(message { _ = try read(bent) }.contains("chunk IHDR at byte 8: its checksum"))
    #expect(message { _ = try read(Data(good.prefix(5))) }.contains("not a PNG file"))
    #expect(message { _ = try read(Data(good.prefix(8))) }.contains("byte 8"))
    let rgb = try #require(
      Data(
        base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAa"
          + "mRc7EAAAAASUVORK5CYII="))
    #expect(message { _ = try read(rgb) }.contains("8 or 16-bit grey"))
  }

  @Test(arguments: [
    ("PF\n2 2\n-1\n", 4, "one channel"), ("Pf\nx 2\n-1\n", 4, "width and height"),
    ("Pf\n2 2\n0\n", 4, "scale"), ("Pf\n2 2\n-1\n", 3, "expected 16 bytes"),
    ("Pf\n0 2\n-1\n", 0, "pixels of depth"), ("Pf\n99999 99999\n-1\n", 0, "pixels of depth"),
  ])
  func refusesBrokenPFM(header: String, count: Int, expected: String) {
    let data = pfm(header, [Float](repeating: 1, count: count))
    #expect(message { _ = try read(data) }.contains(expected))
  }

  @Test func refusesOtherBrokenMaps() {
    #expect(message { _ = try read(Data("hello".utf8)) }.contains("npy, npz, PFM or grey PNG"))
    let zero = NpyArray(shape: [2, 2], values: [0, 0, 0, 0]).encode(as: .float32)
    #expect(message { _ = try read(zero) }.contains("no pixel has a depth above 0"))
    let minus = NpyArray(shape: [2, 2], values: [1, 1, 1, -2]).encode(as: .float32)
    #expect(message { _ = try read(minus) }.contains("row 1, column 1"))
    #expect(message { _ = try read(minus.prefix(90)) }.contains("npy header is cut short"))
    let two = ZipArchive.encode([("a.npy", zero), ("b.npy", zero)])
    #expect(message { _ = try read(two) }.contains("expected an array \"depth\""))
    #expect(message { _ = try read(two.prefix(50)) }.contains("not a whole zip file"))
  }
}
