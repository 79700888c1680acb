import Frames
import Media
import Testing

@Suite struct VideoReaderTests {
  @Test func aMissingClipIsAMissingInput() throws {
    let scratch = try Scratch()
    for path in [scratch.file("no.mp4"), scratch.file("no/no.mkv"), "http://localhost/a.mp4"] {
      #expect(failure { _ = try VideoReader(path) }?.kind == .inputMissing, "\(path)")
    }
  }

  @Test func whatIsNotAClipIsNamed() throws {
    let scratch = try Scratch()
    let clip = try readBytes(try self.clip(scratch, "good.mp4"))
    let cases: [(String, [UInt8])] = [
      ("empty.mp4", []), ("text.mp4", Array("hello".utf8)),
      ("zeros.mkv", .init(repeating: 0, count: 9999)),
      ("picture.mp4", try readBytes(ImageReaderTests.picture("rgb.png"))),
      ("start.mp4", Array(clip.prefix(200))),
      // A playlist could name any file of the machine.
      ("list.m3u8", Array("#EXTM3U\n#EXTINF:1,\n/etc/hostname\n".utf8)),
      ("list.txt", Array("ffconcat version 1.0\nfile good.mp4\n".utf8)),
    ]
    for (name, bytes) in cases {
      try writeBytes(bytes, to: scratch.file(name))
      let error = failure { _ = try VideoReader(scratch.file(name)) }
      #expect(error?.kind == .badData, "\(name)")
      #expect(error?.message.contains(name) == true)
    }
  }

  @Test func aDamagedClipThrowsOrEndsButNeverCrashes() throws {
    let scratch = try Scratch()
    let good = try readBytes(try clip(scratch, "good.mp4"))
    for start in stride(from: 40, to: good.count, by: good.count / 60) {
      var bytes = good
      for i in start..<min(start + 8, bytes.count) { bytes[i] ^= 0xA5 }
      try writeBytes(bytes, to: scratch.file("bad.mp4"))
      var frames = 0
      let error = failure { frames = try readAll(scratch.file("bad.mp4")).count }
      #expect(error != nil || frames <= 20)
    }
  }

  @Test func framesComeInOrderWithTheirContent() throws {
    let scratch = try Scratch()
    for (i, frame) in try readAll(try clip(scratch, "a.mkv")).enumerated() {
      // The flat grey of frame i is 10 i.
      #expect(
        largestDifference(frame.picture, flat((UInt8(i * 10), UInt8(i * 10), UInt8(i * 10)))) <= 4)
      #expect(abs(frame.seconds - Double(i) / 16) < 0.001)
    }
  }

  private func clip(_ scratch: Scratch, _ name: String) throws -> String {
    let path = scratch.file(name)
    let format = try #require(OutputFormat(inferredFrom: path))
    let sink = try settings(path, format).makeSink()
    for i in 0..<20 { try sink.write(flat((UInt8(i * 10), UInt8(i * 10), UInt8(i * 10)))) }
    try sink.finish()
    return path
  }
}
