import Foundation
import Frames
import Testing
import Tracks

private typealias Array3 = (name: String, array: NpyArray, type: NpyArray.Storage)

private func npz(_ arrays: [Array3]) -> Data {
  ZipArchive.encode(arrays.map { ("\($0.name).npy", $0.array.encode(as: $0.type)) })
}

private func zeros(_ shape: [Int], _ fill: Double = 0) -> NpyArray {
  NpyArray(shape: shape, values: [Double](repeating: fill, count: shape.reduce(1, *)))
}

private func number(_ name: String, _ value: Double) -> Array3 {
  (name, zeros([], value), .float64)
}

private let head = [number("width", 160), number("height", 96), number("fps", 16)]

private func ati(_ array: NpyArray) -> Data {
  let pickle = PickledBytes.encode(npz([("array", array, .float32)]))
  return ZipArchive.encode([("t/data.pkl", pickle)])
}

@Suite struct ArrayFormatTests {
  private let options = ImportOptions(size: (width: 160, height: 96), fps: .number(16))

  private func expectRefusal(
    _ data: Data, _ format: TrackFormat = .npz, visibility: Data? = nil, says: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var options = format == .npz ? ImportOptions() : options
    options.visibility = visibility.map { (data: $0, name: "v") }
    do throws(TrackError) {
      _ = try format.read(data, name: "f", options: options)
      Issue.record("accepted", sourceLocation: sourceLocation)
    } catch {
      #expect(error.description.contains(says), "\(error)", sourceLocation: sourceLocation)
    }
  }

  @Test func anNPZKeepsIDsHiddenAndUnspecified() throws {
    let document = try parse(
      documentText(
        "{\"id\": 9, \"start_frame\": 1, \"points\": [[1.5, 2], null, [200, 3]]}, "
          + "{\"id\": 4, \"static\": [0.25, 8], \"visible\": [1, 0, 1]}",
        head: "\"width\": 160, \"height\": 96, \"fps\": 23.976"))
    let data = try TrackNPZ.encode(document, name: "f")
    let (again, warnings) = try TrackDocument.parse(data, name: "f")
    #expect(warnings.isEmpty)
    #expect(again.tracks.map(\.id) == [9, 4])
    #expect(again.fps == .number(23.976) && again.frameCount == 4)
    for frame in 0..<4 {
      for id in [9, 4] {
        #expect(
          position(again, at: frame, fps: 23.976, id: id)
            == position(document, at: frame, fps: 23.976, id: id), "frame \(frame), id \(id)")
      }
    }
    #expect(try TrackNPZ.encode(again, name: "f") == data)
  }

  @Test func anNPZWithoutSizeOrRateSaysWhichFlagsToGive() throws {
    let bare = npz([("tracks", zeros([3, 2, 2]), .float32), ("visibility", zeros([3, 2]), .bool)])
    expectRefusal(bare, says: "--track-size")
    let sized = TrackFileOptions(size: (width: 160, height: 96))
    #expect(failure(bare, options: sized)?.reason.contains("--track-fps") == true)
    let given = TrackFileOptions(size: (width: 160, height: 96), fps: .number(24))
    let document = try TrackDocument.parse(bare, name: "f", options: given).document
    #expect(document.tracks.count == 2 && document.fps.value == 24)
    #expect(position(document, at: 0, id: 1)?.visible == false)
  }

  @Test func brokenNPZFilesAreRefused() throws {
    let good = npz(head + [("tracks", zeros([3, 2, 2], 5), .float32)])
    #expect(try TrackDocument.parse(good, name: "f").document.tracks.count == 2)
    for count in good.indices where count % 7 == 0 {
      #expect(failure(good.prefix(count)) != nil, "first \(count) bytes")
    }
    var damaged = good
    damaged[damaged.count / 2] ^= 0x55
    #expect(failure(damaged) != nil)
    expectRefusal(good.prefix(good.count - 10), says: "its directory is missing")
    expectRefusal(npz(head), says: "tracks: is missing; the file holds width.npy")
    expectRefusal(
      npz(head + [("tracks", zeros([3, 2, 3]), .float32)]),
      says: "tracks: expected shape [frames, tracks, 2], found [3, 2, 3]")
    expectRefusal(
      npz(head + [("tracks", zeros([0, 2, 2]), .float32)]), says: "found 0 and 2")
    expectRefusal(
      npz(head + [("tracks", zeros([3, 2, 2], .nan), .float32)]),
      says: "tracks[0] (id 0), points[0] (frame 0), x: expected a finite number")
    expectRefusal(
      npz(head + [("tracks", zeros([3, 2, 2]), .float32), ("visibility", zeros([2, 3]), .bool)]),
      says: "visibility: expected shape [3, 2]")
    expectRefusal(
      npz(
        head + [
          ("tracks", zeros([3, 2, 2]), .float32), ("visibility", zeros([3, 2], 0.5), .float32),
        ]), says: "visibility, track 0, frame 0: expected 0 or 1, found 0.5")
    expectRefusal(
      npz(head + [("tracks", zeros([3, 2, 2]), .float32), ("ids", zeros([2], 3), .int64)]),
      says: "tracks[1] (id 3): the id is already that of tracks[0]")
    expectRefusal(
      npz(head + [("tracks", zeros([3, 2, 2]), .float32), ("ids", zeros([2], -3), .int64)]),
      says: "ids, track 0")
    expectRefusal(
      npz(head + [("tracks", zeros([3, 2, 2]), .float32), number("version", 2)]),
      says: "reads version 1, the file has 2")
    expectRefusal(
      npz([number("width", 1.5)] + head.dropFirst() + [("tracks", zeros([3, 2, 2]), .float32)]),
      says: "width: expected a whole number")
    expectRefusal(
      npz(head.dropLast() + [number("fps", 0), ("tracks", zeros([3, 2, 2]), .float32)]),
      says: "fps: 0 is out of range")
  }

  @Test func brokenNpyFilesAreRefused() {
    let good = zeros([1, 3, 2, 2]).encode(as: .float32)
    let flags = zeros([1, 3, 2]).encode(as: .bool)
    func header(_ old: String, _ new: String) -> Data {
      var data = good
      if let range = data.range(of: Data(old.utf8)) {
        data.replaceSubrange(range, with: Data(new.utf8))
      }
      return data
    }
    for format in [TrackFormat.cotracker, .wanMove] {
      expectRefusal(Data("junk".utf8), format, visibility: flags, says: "not a npy array")
      expectRefusal(good.prefix(60), format, visibility: flags, says: "header is cut short")
      expectRefusal(good.dropLast(), format, visibility: flags, says: "found 47 bytes")
      expectRefusal(header("<f4", "|O4"), format, visibility: flags, says: "type \"|O4\"")
      expectRefusal(header("(1, 3", "(1, x"), format, visibility: flags, says: "npy shape")
      expectRefusal(
        header("(1, 3", "(9, 3"), format, visibility: flags, says: "expected 108 numbers")
      expectRefusal(header("'descr'", "'descs'"), format, visibility: flags, says: "lacks descr")
      expectRefusal(
        zeros([2, 3, 2, 2]).encode(as: .float32), format, visibility: flags,
        says: "expected shape [frames, tracks, 2], found [2, 3, 2, 2]")
      expectRefusal(
        good, format, visibility: zeros([2, 3]).encode(as: .bool), says: "expected shape [3, 2]")
    }
    expectRefusal(good, .wanMove, says: "--track-visibility")
    expectRefusal(
      npz([("t", zeros([3, 2, 2]), .float32)]), .cotracker, says: "neither tracks nor pred_tracks")
  }

  @Test func brokenATIFilesAreRefused() throws {
    #expect(throws: Never.self) {
      try TrackFormat.ati.read(ati(zeros([2, 121, 1, 3], 8)), name: "f", options: options)
    }
    expectRefusal(Data("\u{80}\u{2}".utf8), .ati, says: "not a PyTorch zip file")
    expectRefusal(ZipArchive.encode([("t/x", Data())]), .ati, says: "data.pkl: is missing")
    expectRefusal(ati(zeros([2, 121, 3])), .ati, says: "expected shape [tracks, frames, 1, 3]")
    expectRefusal(ati(zeros([2, 121, 1, 3])), .ati, says: "track 0: is nothing but padding")
    expectRefusal(
      ati(zeros([2, 121, 1, 3], 4)), .ati, says: "track 0, frame 0: expected a visible")
    func pickled(_ bytes: [UInt8]) -> Data { ZipArchive.encode([("t/data.pkl", Data(bytes))]) }
    let call = Array("cposix\nsystem\n".utf8)
    expectRefusal(pickled([0x80, 2] + call), .ati, says: "refused to call \"posix system\"")
    expectRefusal(pickled([0x80, 2, 0x7D]), .ati, says: "byte 2: pickle opcode 0x7d is refused")
    expectRefusal(pickled([0x80, 2, 0x2E]), .ati, says: "expected one byte string")
    expectRefusal(pickled([0x80, 3, 0x42, 255, 255, 255, 127]), .ati, says: "cut short")
    expectRefusal(
      pickled([0x80, 4, 0x8E] + [UInt8](repeating: 255, count: 8)), .ati, says: "cut short")
    expectRefusal(pickled([0x80, 3, 0x43, 1, 65, 0x2E]), .ati, says: "not a whole zip file")
    expectRefusal(pickled([0x80, 2, 0x52]), .ati, says: "expected a latin1 string")
    let tensor = try Data(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Samples/tensor.pth"))
    expectRefusal(tensor, .ati, says: "is refused; only a byte string is read")
  }

  @Test func aBombIsRefusedBeforeItUnpacks() {
    var zip = npz(head + [("tracks", zeros([3, 2, 2]), .float32)])
    // The directory claims a gigabyte for the first member and says that it is deflated.
    if let entry = zip.range(of: Data("PK\u{1}\u{2}".utf8))?.lowerBound {
      zip[entry + 10] = 8
      zip.replaceSubrange(entry + 24..<entry + 28, with: [0, 0, 0, 0x3F])
    }
    expectRefusal(zip, says: "does not unpack to its")
  }
}
