import Media
import Testing

@Suite struct FrameRateTests {
  @Test(arguments: [
    ("16", 16, 1), ("30000/1001", 30000, 1001), ("29.97", 30000, 1001), ("23.976", 24000, 1001),
    ("12.5", 25, 2), ("50/2", 25, 1), ("0.5", 1, 2), ("60.000", 60, 1),
  ])
  func aRateIsReadAsAnExactFraction(text: String, numerator: Int, denominator: Int) {
    let rate = FrameRate(text)
    #expect(rate?.numerator == numerator)
    #expect(rate?.denominator == denominator)
  }

  @Test(arguments: [
    "", "0", "-16", "16fps", "1/0", "0/1", "16/", "/16", ".", "16.", ".5", "1e3", "nan", "1001",
    "99999999999999999999", "1/2/3", "٣", "0.05",
  ])
  func nonsenseIsNotARate(text: String) {
    #expect(FrameRate(text) == nil)
  }

  @Test func timeOfAFrameIsExactAtNTSCRates() {
    #expect(FrameRate("29.97")?.seconds(ofFrame: 30000) == 1001)
    #expect(FrameRate("29.97")?.description == "30000/1001")
    #expect(FrameRate("16")?.description == "16")
  }
}

@Suite struct OutputFormatTests {
  @Test(arguments: [
    ("a.mp4", OutputFormat.mp4), ("dir.x/A.MKV", .mkv), ("a.webm", .webm), ("a.y4m", .y4m),
    ("a.raw", .raw), ("out/%05d.png", .png), ("frames/", .png), ("a.b.mp4", .mp4),
  ])
  func endingDecidesTheFormat(path: String, format: OutputFormat) {
    #expect(OutputFormat(inferredFrom: path) == format)
  }

  @Test(arguments: ["", "-", "clip", "clip.avi", ".mp4", "a.mp4.part", "mp4", "dir.mp4/clip"])
  func otherEndingsSayNothing(path: String) {
    #expect(OutputFormat(inferredFrom: path) == nil)
  }
}
