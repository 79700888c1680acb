import Foundation
import Testing

/// Frames through a real pipe into a real ffmpeg.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/ffmpeg")))
struct PipeTests {
  private let frames = 20

  private func shell(_ command: String) throws -> Program.Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "set -o pipefail; " + command]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Program.Result(code: process.terminationStatus, output: [UInt8](bytes), messages: "")
  }

  private func generate(_ extra: String) -> String {
    "'\(Program.path)' -m '\(Fixtures.tinyModel)' -p x -s 3 --frames \(frames) -o - \(extra)"
  }

  private var toRGB: String { "ffmpeg -v error -i - -f rawvideo -pix_fmt rgb24 -" }

  /// The largest difference of any channel of any pixel.
  private func difference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 255
  }

  @Test func y4mReachesFFmpegWithAllFramesAndTheRightColours() throws {
    let truth = try shell(generate("--format raw")).output
    #expect(truth.count == frames * 48 * 32 * 3)
    let piped = try shell(generate("") + " | " + toRGB)
    #expect(piped.code == 0)
    #expect(piped.output.count == truth.count)
    #expect(difference(piped.output, truth) <= 2)
  }

  @Test func rawReachesFFmpegWithThePrintedFlags() throws {
    let run = try Program.run([
      "-m", Fixtures.tinyModel, "-p", "x", "-s", "3", "--frames", "\(frames)", "-o", "-",
      "--format", "raw",
    ])
    let line = try #require(
      run.messages.split(separator: "\n").first { $0.contains("-f rawvideo") })
    let flags = try #require(line.range(of: "-f rawvideo")).lowerBound
    let piped = try shell(
      generate("--format raw")
        + " | ffmpeg -v error \(line[flags...]) -i - -f rawvideo -pix_fmt rgb24 -")
    #expect(piped.code == 0)
    #expect(piped.output == run.output)
  }

  @Test(arguments: ["mp4", "mkv", "webm"]) func encodedClipsGoThroughPipesToo(
    _ format: String
  ) throws {
    let truth = try shell(generate("--format raw")).output
    let piped = try shell(generate("--format \(format) --crf 1") + " | " + toRGB)
    #expect(piped.code == 0)
    #expect(piped.output.count == truth.count)
  }
}
