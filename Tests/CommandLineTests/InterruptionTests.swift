import Foundation
import MotionStreamCLI
import Testing

@Suite(.serialized) struct InterruptionTests {
  private let work: Workspace

  init() throws { work = try Workspace() }

  /// Starts an endless clip and waits until three chunks (33 frames) are written.
  private func start(_ output: String) throws -> Program {
    let program = try Program([
      "-m", Fixtures.tinyModel, "-p", "x", "--endless", "-o", output, "--events",
      work.file("events"),
    ])
    try waitFor(3, "chunk")
    return program
  }

  private func waitFor(_ number: Int, _ type: String) throws {
    let deadline = Date.now.addingTimeInterval(120)
    while count(type) < number {
      try #require(Date.now < deadline, "no \(number) \(type) events within two minutes")
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  private func count(_ type: String) -> Int {
    let text = (try? String(contentsOfFile: work.file("events"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").count { $0.contains(#""type":"\#(type)""#) }
  }

  @Test(arguments: [SIGINT, SIGTERM], ["clip.mp4", "clip.mkv"])
  func theFirstSignalFinishesAPlayableClip(_ signal: Int32, _ name: String) throws {
    let path = work.file(name)
    let program = try start(path)
    program.send(signal)
    let result = program.wait()
    #expect(result.code == (signal == SIGINT ? 130 : 143), "\(result.messages)")
    let sidecar = try Sidecar.decode(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: path + ".json"))), name: path)
    #expect(sidecar.status == .interrupted)
    #expect(try frameCount(path) == sidecar.output.frames)
    #expect(sidecar.output.frames >= 33)
    #expect(try Set(work.names()) == [name, name + ".json", "events"])
  }

  @Test(arguments: ["clip.mp4", "clip.mkv", "clip.webm"])
  func afterSIGKILLTheUnfinishedFilePlaysUpToTheLastChunk(_ name: String) throws {
    let program = try start(work.file(name))
    program.send(SIGKILL)
    #expect(program.wait().code == nil)
    let chunks = count("chunk")
    let names = try work.names()
    #expect(!names.contains(name))
    let partial = try #require(names.first { $0.hasSuffix(".part") })
    #expect(try frameCount(work.file(partial)) >= 9 + 12 * (chunks - 1))
  }

  @Test func theSecondSignalStopsAtOnce() throws {
    // Nobody reads on, so the encoder waits for ever and only the second signal can end this.
    let program = try Program([
      "-m", Fixtures.tinyModel, "-p", "x", "--endless", "-o", "-", "-W", "192", "-H", "128",
      "--events", work.file("events"),
    ])
    // Before its first frame the stream would simply end.
    #expect(try program.readOutput(5000) != nil)
    program.send(SIGTERM)
    try waitFor(1, "warning")  // the first has been heard; two at once would count as one
    program.send(SIGTERM)
    let result = program.wait()
    #expect(result.code == 143)
    #expect(result.messages.contains("SIGTERM again"), "\(result.messages)")
  }

  @Test func aClosedPipeEndsAnEndlessClipWell() throws {
    let program = try Program(["-m", Fixtures.tinyModel, "-p", "x", "--endless", "-o", "-"])
    #expect(try program.readOutput(5000) != nil)
    try program.closeOutput()
    let result = program.wait(collectOutput: false)
    #expect(result.code == 0, "\(result.messages)")
    #expect(result.messages.contains("closed the pipe"))
  }

  @Test func aClosedPipeEndsAFiniteClipWith74() throws {
    let program = try Program([
      "-m", Fixtures.tinyModel, "-p", "x", "--frames", "100000", "-o", "-",
    ])
    #expect(try program.readOutput(5000) != nil)
    try program.closeOutput()
    let result = program.wait(collectOutput: false)
    #expect(result.code == 74, "\(result.messages)")
    #expect(result.messages.contains("closed the pipe"))
  }
}
