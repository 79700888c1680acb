import Frames
import Glibc
import Media
import Testing

@Suite struct UncompressedTests {
  @Test func y4mStartsWithTheExpectedBytes() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.y4m")
    let sink = try settings(path, .y4m, width: 3, height: 1, fps: "29.97").makeSink()
    try sink.write(
      RGBFrame(width: 3, height: 1, pixels: [0, 0, 0, 255, 255, 255, 255, 0, 0]))
    try sink.finish()
    let header = "YUV4MPEG2 W3 H1 F30000:1001 Ip A1:1 C444 XYSCSS=444 XCOLORRANGE=LIMITED\nFRAME\n"
    // BT.601 red: Y = 16 + 219 * 0.299, Cb = 128 - 224 * 0.299 / 1.772, Cr = 128 + 112.
    let planes: [UInt8] = [16, 235, 81, 128, 128, 90, 128, 128, 240]
    #expect(try readBytes(path) == Array(header.utf8) + planes)
    #expect(scratch.entries == ["a.y4m"])
  }

  @Test func y4mCanBeWrittenAsBT709() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.y4m")
    let rate = try #require(FrameRate("16"))
    let sink = try Y4MWriter(
      .file(path, overwrite: false), width: 1, height: 1, frameRate: rate, matrix: .bt709)
    try sink.write(RGBFrame(width: 1, height: 1, pixels: [255, 0, 0]))
    try sink.finish()
    // Y = 16 + 219 * 0.2126, Cb = 128 - 224 * 0.2126 / 1.8556.
    #expect(try readBytes(path).suffix(3) == [63, 102, 240])
  }

  @Test func rawHoldsNothingButThePixels() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.raw")
    let rate = try #require(FrameRate("16"))
    let sink = try RawWriter(.file(path, overwrite: false), width: 64, height: 48, frameRate: rate)
    for i in 0..<3 { try sink.write(pattern(i)) }
    #expect(!scratch.entries.contains("a.raw"))
    try sink.finish()
    #expect(try readBytes(path) == (0..<3).flatMap { pattern($0).pixels })
    #expect(sink.ffmpegInputFlags == "-f rawvideo -pix_fmt rgb24 -s 64x48 -r 16")
  }

  @Test func y4mBringsEveryKnownColorBackWithinTwoLevels() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.y4m")
    let sink = try settings(path, .y4m).makeSink()
    for color in knownColors { try sink.write(flat(color)) }
    try sink.finish()
    let frames = try readAll(path)
    #expect(frames.count == knownColors.count)
    for (frame, color) in zip(frames, knownColors) {
      #expect(largestDifference(frame.picture, flat(color)) <= 2, "\(color)")
    }
  }

  @Test func oddSizesAreWrittenAsTheyAre() throws {
    let scratch = try Scratch()
    for format in [OutputFormat.y4m, .raw] {
      let path = scratch.file("odd.\(format.rawValue)")
      let sink = try settings(path, format, width: 17, height: 5).makeSink()
      try sink.write(pattern(0, width: 17, height: 5))
      try sink.finish()
    }
    #expect(try readBytes(scratch.file("odd.raw")).count == 17 * 5 * 3)
    let back = try readAll(scratch.file("odd.y4m"))
    #expect(back.count == 1)
    #expect(largestDifference(back[0].picture, pattern(0, width: 17, height: 5)) <= 2)
  }

  @Test func checksumIsTheMD5OfThePixels() throws {
    #expect(FrameChecksum.md5(Array("abc".utf8)) == "900150983cd24fb0d6963f7d28e17f72")
    let sink = FrameChecksum()
    for i in [0, 1, 0] { try sink.write(pattern(i)) }
    try sink.finish()
    #expect(sink.digests.count == 3)
    #expect(sink.digests[0] == sink.digests[2])
    #expect(sink.digests[0] != sink.digests[1])
  }
}
