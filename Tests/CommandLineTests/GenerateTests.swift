import Foundation
import Frames
import Media
import MotionStreamCLI
import Testing

@Suite struct GenerateTests {
  private static let model = ["-m", Fixtures.tinyModel, "-p", "a ball"]

  private func rawFrames(_ extra: String..., input: [UInt8] = []) throws -> [UInt8] {
    let result = try Program.run(
      Self.model + ["-o", "-", "--format", "raw"] + extra, input: input)
    #expect(result.code == 0, "\(result.messages)")
    return result.output
  }

  @Test(arguments: ["mp4", "mkv", "webm", "y4m"])
  func aClipHasExactlyTheFramesAskedFor(_ format: String) throws {
    let work = try Workspace()
    let path = work.file("clip." + format)
    let result = try Program.run(Self.model + ["--frames", "31", "-o", path])
    #expect(result.code == 0, "\(result.messages)")
    #expect(try frameCount(path) == 31)
    #expect(try Set(work.names()) == ["clip.\(format)", "clip.\(format).json"])
  }

  @Test func picturesAreNumberedFromZero() throws {
    let work = try Workspace()
    let result = try Program.run(Self.model + ["--frames", "10", "-o", work.file("out/")])
    #expect(result.code == 0, "\(result.messages)")
    let names = try FileManager.default.contentsOfDirectory(atPath: work.file("out")).sorted()
    #expect(names.count == 10 && names.first == "00000.png" && names.last == "00009.png")
  }

  @Test func bytesDoNotDependOnThreadsOrRuns() throws {
    let one = try rawFrames("-s", "5", "--frames", "40", "--threads", "1")
    #expect(one.count == 40 * 48 * 32 * 3)
    #expect(try rawFrames("-s", "5", "--frames", "40", "--threads", "2") == one)
    #expect(try rawFrames("-s", "5", "--frames", "40", "--threads", "3") == one)
    #expect(try rawFrames("-s", "5", "--frames", "40", "--threads", "2") == one)
    #expect(try rawFrames("-s", "6", "--frames", "40", "--threads", "2") != one)
  }

  @Test func aShorterClipIsTheStartOfALongerOne() throws {
    let long = try rawFrames("-s", "5", "--frames", "30")
    let short = try rawFrames("-s", "5", "--frames", "11")
    #expect(short == Array(long.prefix(short.count)))
  }

  @Test func theDefaultLengthIsTheTracksElse81() throws {
    let work = try Workspace()
    let tracks = try work.write("tracks.json", Fixtures.tracks)
    let frame = 48 * 32 * 3
    #expect(try rawFrames("-k", tracks).count == 32 * frame)
    #expect(try rawFrames().count == 81 * frame)
    #expect(try rawFrames("--duration", "0.75").count == 12 * frame)
    #expect(try rawFrames("-k", tracks, "--frames", "5").count == 5 * frame)
  }

  @Test func tracksChangeThePictureAndMayComeFromStandardInput() throws {
    let work = try Workspace()
    let tracks = try work.write("tracks.json", Fixtures.tracks)
    let fromFile = try rawFrames("-s", "1", "-k", tracks)
    #expect(
      try rawFrames("-s", "1", "-k", "-", input: Array(Fixtures.tracks.utf8)) == fromFile)
    #expect(try rawFrames("-s", "1", "--frames", "32") != fromFile)
  }

  @Test func aPictureOfAnyShapeIsFittedAndWarnedAbout() throws {
    let work = try Workspace()
    let picture = try work.picture(width: 40, height: 40)
    let result = try Program.run(
      Self.model + ["-i", picture, "--frames", "3", "-o", work.file("clip.mp4")])
    #expect(result.code == 0, "\(result.messages)")
    #expect(result.messages.contains("40x40"))
    #expect(result.messages.contains("--image-fit crop"))
    let without = try rawFrames("-s", "1", "--frames", "3")
    #expect(try rawFrames("-s", "1", "--frames", "3", "-i", picture) != without)
  }

  @Test func standardOutputHoldsNothingButFrames() throws {
    let frames = try rawFrames(
      "--frames", "9", "-v", "--progress", "json", "--events", "/dev/stderr")
    #expect(frames.count == 9 * 48 * 32 * 3)
  }

  @Test func quietRunsSayNothing() throws {
    let work = try Workspace()
    let result = try Program.run(
      Self.model + ["-q", "--frames", "3", "-o", work.file("clip.mp4")])
    #expect(result.code == 0 && result.messages.isEmpty, "\(result.messages)")
  }

  @Test func theSeedIsPrintedAndCanBeUsedAgain() throws {
    let first = try Program.run(
      Self.model + ["--frames", "9", "-o", "-", "--format", "raw", "--progress", "none"])
    let line = try #require(
      first.messages.split(separator: "\n").first { $0.hasPrefix("seed ") })
    let seed = String(line.dropFirst("seed ".count))
    #expect(try rawFrames("--frames", "9", "-s", seed) == first.output)
  }

  @Test func aLongPromptIsCutWithAWarning() throws {
    let words = Array(repeating: "ball", count: 60).joined(separator: " ")
    let result = try Program.run([
      "-m", Fixtures.tinyModel, "-p", words, "--frames", "3", "-o", "-",
    ])
    #expect(result.code == 0)
    #expect(result.messages.contains("warning: the prompt has"), "\(result.messages)")
  }

  @Test func anotherPlaybackRateKeepsTheFramesAndWarns() throws {
    let work = try Workspace()
    let path = work.file("clip.mp4")
    let result = try Program.run(Self.model + ["--frames", "16", "--fps", "8", "-o", path])
    #expect(result.code == 0)
    #expect(result.messages.contains("will play slower"), "\(result.messages)")
    #expect(try frameCount(path) == 16)
    #expect(try VideoReader(path).frameRate == Media.FrameRate(8))
  }

  @Test func thePreviewIsTheLatestFrame() throws {
    let work = try Workspace()
    let preview = work.file("preview.png")
    let frames = try rawFrames("--frames", "12", "--preview", preview)
    #expect(try ImageReader.read(preview).pixels == Array(frames.suffix(48 * 32 * 3)))
  }

  @Test func eventsTellTheWholeStory() throws {
    let work = try Workspace()
    let events = work.file("events.ndjson")
    _ = try rawFrames("--frames", "20", "--events", events, "--fps", "20")
    let lines = try String(contentsOfFile: events, encoding: .utf8).split(separator: "\n")
    let objects = try lines.map {
      try #require(
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(objects.map { $0["type"] as? String } == ["warning", "ready", "chunk", "chunk", "end"])
    #expect(objects[3]["first_frame"] as? Int == 9 && objects[3]["frames"] as? Int == 11)
    let stages = try #require(objects[2]["ms"] as? [String: Any])
    #expect(Set(stages.keys) == ["conditions", "denoise", "commit", "decode", "encode"])
    #expect(objects[4]["exit_code"] as? Int == 0 && objects[4]["frames"] as? Int == 20)
  }

  @Test func aDryRunWritesNothing() throws {
    let work = try Workspace()
    let result = try Program.run(
      Self.model + ["--frames", "100", "-o", work.file("clip.mp4"), "--dry-run"])
    #expect(result.code == 0)
    #expect(try work.names().isEmpty)
    #expect(result.messages.contains("length: 100 frames in 9 chunks"), "\(result.messages)")
    #expect(result.messages.contains("MiB"))
  }

  @Test func anExistingClipIsReplacedOnlyWhenAsked() throws {
    let work = try Workspace()
    let path = try work.write("clip.mp4", "old")
    let result = try Program.run(Self.model + ["--frames", "3", "-o", path, "-y"])
    #expect(result.code == 0, "\(result.messages)")
    #expect(try frameCount(path) == 3)
  }
}
