import ArgumentParser
import Frames
import Media
import MotionStreamCLI
import Testing

@Suite struct OptionsTests {
  private func parse(_ arguments: String...) throws -> GenerateOptions {
    let command = try MotionStreamCommand.parseAsRoot(arguments)
    return try #require(command as? GenerateCommand).options
  }

  @Test func generateIsTheDefaultSubcommand() throws {
    let options = try parse("-p", "a ball", "-o", "clip.mp4")
    #expect(options.request.prompt == "a ball")
    #expect(options.output.output == "clip.mp4")
  }

  @Test func everyOptionReachesTheRequest() throws {
    let options = try parse(
      "generate", "-m", "dir", "-p", "text", "-i", "a.png", "--image-fit", "pad", "-k", "t.json",
      "--frames", "33", "-W", "64", "-H", "32", "--fps", "30000/1001", "-s",
      "18446744073709551615", "--steps", "2", "--threads", "2", "-o", "-", "--format", "raw",
      "--codec", "libx264", "--crf", "20", "-y", "--no-sidecar", "--preview", "p.png",
      "--progress", "json", "--events", "e.ndjson", "--dry-run", "-v")
    var expected = ClipRequest()
    expected.model = ClipRequest.Model(path: "dir")
    expected.prompt = "text"
    expected.image = ClipRequest.Input(path: "a.png")
    expected.imageFit = "pad"
    expected.tracks = ClipRequest.Input(path: "t.json")
    expected.frames = 33
    (expected.width, expected.height) = (64, 32)
    expected.fps = "30000/1001"
    expected.seed = .max
    expected.steps = 2
    (expected.format, expected.codec, expected.crf) = ("raw", "libx264", 20)
    #expect(options.request == expected)
    #expect(options.output.overwrite && !options.output.sidecar && options.dryRun)
    #expect(options.output.preview == "p.png" && options.report.events == "e.ndjson")
    #expect(options.threads.threads == 2 && options.report.volume.verbose)
    #expect(options.report.mode == .json)
  }

  @Test func quietMeansNoProgressUnlessAskedFor() throws {
    #expect(try parse("-p", "x", "-o", "x.mp4").report.mode == .auto)
    #expect(try parse("-p", "x", "-o", "x.mp4", "-q").report.mode == .none)
    #expect(try parse("-p", "x", "-o", "x.mp4", "-q", "--progress", "plain").report.mode == .plain)
  }

  @Test(arguments: [
    ["-o", "x.mp4", "--frames", "0"], ["-o", "x.mp4", "--frames", "-3"],
    ["-o", "x.mp4", "--frames", "3", "--endless"], ["-o", "x.mp4", "--duration", "0"],
    ["-o", "x.mp4", "--duration", "nan"], ["-o", "x.mp4", "-W", "0"],
    ["-o", "x.mp4", "-H", "100000"], ["-o", "x.mp4", "--fps", "fast"],
    ["-o", "x.mp4", "--fps", "0"], ["-o", "x.mp4", "--steps", "0"],
    ["-o", "x.mp4", "--threads", "0"], ["-o", "x.mp4", "-s", "-1"],
    ["-o", "x.mp4", "--format", "avi"], ["-o", "x.mp4", "--image-fit", "squash"],
    ["-o", "x.mp4", "-q", "-v"], ["-o", "x.mp4", "--prompt-file", "f"], ["-o", ""], [],
    ["-o", "x.mp4", "--progress", "loud"], ["-o", "x.mp4", "surplus"],
  ])
  func mistakesAreUsageErrors(_ arguments: [String]) {
    let error = #expect(throws: (any Error).self) {
      _ = try MotionStreamCommand.parseAsRoot(["-p", "x"] + arguments)
    }
    if let error { #expect(MotionStreamCommand.exitCode(for: error).rawValue == 64) }
  }

  @Test func standardInputCannotBeTwoThings() {
    #expect(throws: (any Error).self) {
      _ = try parse("--prompt-file", "-", "-k", "-", "-o", "x.mp4")
    }
  }
}
