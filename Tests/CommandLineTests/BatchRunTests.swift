import Foundation
import Media
import MotionStreamCLI
import Testing

@Suite(.serialized) struct BatchRunTests {
  private let work: Workspace

  init() throws { work = try Workspace() }

  private func item(_ id: String, _ more: String = "") -> String {
    #"{"id":"\#(id)","prompt":"a ball","frames":9,"output":"\#(id).raw"\#(more)}"#
  }

  private func manifest(_ items: [String], name: String = "m.jsonl") throws -> String {
    try work.write(name, items.joined(separator: "\n") + "\n")
  }

  private func arguments(_ manifest: String, _ more: [String] = []) -> [String] {
    ["batch", manifest, "-m", Fixtures.tinyModel, "--threads", "1", "--progress", "none"] + more
  }

  private func run(_ manifest: String, _ more: [String] = []) throws -> Program.Result {
    try Program.run(arguments(manifest, more))
  }

  private func rows(_ name: String = "results.jsonl") throws -> [ResultRow] {
    try String(contentsOfFile: work.file(name), encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(ResultRow.self, from: Data($0.utf8))
    }
  }

  private func outcome(_ row: ResultRow) -> String {
    "\(row.id) \(row.status.rawValue) \(row.code)"
  }

  private func sum(_ path: String) throws -> String {
    FrameChecksum.md5([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
  }

  // MARK: Done and to do

  @Test func allIsMadeOnceAndThenSkipped() throws {
    let manifest = try manifest(["a", "b", "c"].map { item($0) })
    let first = try run(manifest)
    #expect(first.code == 0, "\(first.messages)")
    let summary = String(decoding: first.output, as: UTF8.self)
    #expect(summary.contains(#""failed":0,"left":0,"made":3"#))
    #expect(try rows().map(outcome) == ["a ok 0", "b ok 0", "c ok 0"])
    #expect(
      try Set(work.names()) == [
        "m.jsonl", "results.jsonl", "a.raw", "a.raw.json", "b.raw", "b.raw.json", "c.raw",
        "c.raw.json",
      ])
    let second = try run(manifest)
    #expect(
      second.code == 0 && String(decoding: second.output, as: UTF8.self).contains("\"skipped\":3"))
    #expect(try rows().count == 3)
  }

  @Test func framesDependNeitherOnShardNorOnOrder() throws {
    let ids = ["a", "b", "c", "d", "e"]
    let whole = try manifest(ids.map { item($0) })
    #expect(try run(whole).code == 0)
    let reversed = try manifest(ids.reversed().map { item($0) }, name: "r.jsonl")
    for shard in 0..<2 {
      let result = try run(reversed, ["--output-dir", work.file("x"), "--shard", "\(shard)/2"])
      #expect(result.code == 0, "\(result.messages)")
    }
    #expect(try rows("x/results-0-of-2.jsonl").map(\.id) == ["e", "c", "a"])
    #expect(try rows("x/results-1-of-2.jsonl").map(\.id) == ["d", "b"])
    for id in ids { #expect(try sum(work.file("\(id).raw")) == sum(work.file("x/\(id).raw"))) }
    #expect(try Set(ids.map { try sum(work.file("\($0).raw")) }).count == ids.count)
  }

  @Test func aClipOfAnotherConfigurationIsReplacedOnlyWhenAsked() throws {
    #expect(try run(try manifest([item("a")])).code == 0)
    let old = try sum(work.file("a.raw"))
    let changed = try manifest([item("a", #","steps":1"#)])
    let refused = try run(changed)
    #expect(refused.code == 1 && refused.messages.contains("--overwrite"), "\(refused.messages)")
    #expect(try sum(work.file("a.raw")) == old)
    #expect(try run(changed, ["--overwrite"]).code == 0)
    #expect(try sum(work.file("a.raw")) != old)
    #expect(try rows().map(outcome) == ["a ok 0", "a failed 73", "a ok 0"])
  }

  @Test func aClipWhoseProcessDiedBeforeTheSidecarIsMadeAgain() throws {
    let manifest = try manifest([item("a"), item("b")])
    #expect(try run(manifest).code == 0)
    let sidecar = work.file("a.raw.json")
    let text = try String(contentsOfFile: sidecar, encoding: .utf8)
    try text.replacing("\"complete\"", with: "\"interrupted\"").write(
      toFile: sidecar, atomically: true, encoding: .utf8)
    #expect(try run(manifest).code == 0)
    #expect(try rows().map(outcome) == ["a ok 0", "b ok 0", "a ok 0"])
    #expect(try String(contentsOfFile: sidecar, encoding: .utf8).contains("\"complete\""))
  }

  @Test func aRowThatACrashCutShortDoesNoHarm() throws {
    let manifest = try manifest([item("a"), item("b")])
    #expect(try run(manifest, ["--max-items", "1"]).code == 75)
    let log = work.file("results.jsonl")
    let handle = try #require(FileHandle(forWritingAtPath: log))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(#"{"id":"b","sta"#.utf8))
    try handle.close()
    #expect(try run(manifest).code == 0)
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines[1] == #"{"id":"b","sta"# && lines[2].contains("\"ok\""))
  }

  // MARK: Failures

  @Test func aBrokenItemFailsAloneWithItsReason() throws {
    _ = try work.write("bad.json", #"{"format":"motionstream-tracks","version":9}"#)
    try FileManager.default.createSymbolicLink(
      atPath: work.file("full.raw"), withDestinationPath: "/dev/full")
    let manifest = try manifest([
      item("first"), item("image", #","image":"none.png""#),
      item("tracks", #","tracks":"bad.json""#),
      item("full"), item("codec", #","codec":"none""#), item("clip", #","clip":"c.mp4""#),
      item("last"),
    ])
    let result = try run(manifest)
    #expect(result.code == 1, "\(result.messages)")
    let rows = Dictionary(try rows().map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    #expect(rows["first"]?.status == .ok && rows["last"]?.status == .ok)
    for (id, code, part) in [
      ("image", 66, "none.png"), ("tracks", 65, "version"), ("full", 74, "No space"),
      ("codec", 64, "codec"), ("clip", 66, "c.mp4"),
    ] {
      #expect(rows[id]?.status == .failed && rows[id]?.code == Int32(code), "\(id)")
      #expect(rows[id]?.message?.contains(part) == true, "\(rows[id]?.message ?? "no row")")
    }
    #expect(try !work.names().contains { $0.hasSuffix(".part") })
  }

  @Test func aFailureIsTriedAgainOnlyWhenAskedOrChanged() throws {
    let broken = try manifest([item("a", #","codec":"none""#)])
    #expect(try run(broken).code == 1)
    #expect(try run(broken).code == 1)
    #expect(try rows().map(outcome) == ["a failed 64"])
    #expect(try run(broken, ["--retry-failed"]).code == 1)
    #expect(try rows().map(outcome) == ["a failed 64", "a failed 64"])
    #expect(try run(try manifest([item("a")])).code == 0)
    #expect(try rows().last?.status == .ok)
  }

  @Test func failFastStopsAtTheFirstFailure() throws {
    let manifest = try manifest([item("a"), item("b", #","codec":"none""#), item("c")])
    let result = try run(manifest, ["--fail-fast"])
    #expect(result.code == 1)
    #expect(try rows().map(outcome) == ["a ok 0", "b failed 64"])
    #expect(String(decoding: result.output, as: UTF8.self).contains("\"left\":1"))
  }

  @Test func aBrokenManifestIsRefusedBeforeAnythingElse() throws {
    let manifest = try manifest([item("a"), item("a")])
    let result = try Program.run(["batch", manifest, "-m", "/nowhere"])
    #expect(result.code == 65 && result.messages.contains("m.jsonl:2"), "\(result.messages)")
    #expect(try work.names() == ["m.jsonl"])
  }

  @Test func aDryRunChecksAllAndWritesNothing() throws {
    let manifest = try manifest([item("a"), item("b", #","image":"none.png""#)])
    let result = try run(manifest, ["--dry-run"])
    #expect(result.code == 1 && result.messages.contains("none.png"), "\(result.messages)")
    #expect(try work.names() == ["m.jsonl"])
  }

  @Test func aDrivingClipGivesTheTracks() throws {
    let clip = #"{"id":"drive","prompt":"x","frames":21,"output":"drive.mkv"}"#
    #expect(try run(try manifest([clip])).code == 0)
    let driven = #"{"id":"driven","prompt":"x","clip":"drive.mkv","output":"driven.raw"}"#
    let manifest = try manifest([driven])
    let result = try run(manifest)
    #expect(result.code == 0, "\(result.messages)")
    #expect(try rows().last?.frames == 21)
    let tracks = try work.names().filter { $0.hasPrefix("driven.raw.tracks-") }
    #expect(tracks.count == 1 && tracks.first?.hasSuffix(".npz") == true)
    let again = try run(manifest)
    #expect(String(decoding: again.output, as: UTF8.self).contains("\"skipped\":1"))
  }

  @Test func twoProcessesOfOneShardDoNotMakeAClipTwice() throws {
    let manifest = try manifest(["a", "b", "c", "d"].map { item($0) })
    let programs = try (0..<2).map { _ in try Program(arguments(manifest)) }
    for program in programs {
      let result = program.wait()
      #expect(result.code == 0, "\(result.messages)")
    }
    #expect(try rows().map(outcome).sorted() == ["a ok 0", "b ok 0", "c ok 0", "d ok 0"])
  }

  // MARK: Stopping early

  @Test func aLimitOfItemsStopsWith75AndGoesOn() throws {
    let manifest = try manifest(["a", "b", "c"].map { item($0) })
    let result = try run(manifest, ["--max-items", "2"])
    #expect(result.code == 75)
    #expect(try rows().map(\.id) == ["a", "b"])
    #expect(try run(manifest, ["--max-items", "2"]).code == 0)
    #expect(try rows().filter { $0.status == .ok }.map(\.id) == ["a", "b", "c"])
  }

  @Test func aTimeLimitLeavesAClipThatWouldNotEndInTime() throws {
    let long = #"{"id":"long","prompt":"x","frames":900000,"output":"long.raw"}"#
    let manifest = try manifest([item("a"), long])
    let start = Date.now
    let result = try run(manifest, ["--time-limit", "20s"])
    #expect(result.code == 75, "\(result.messages)")
    #expect(Date.now.timeIntervalSince(start) < 20)
    #expect(try rows().first?.status == .ok)
    #expect(
      try Set(work.names()) == ["m.jsonl", "results.jsonl", "a.raw", "a.raw.json"])
  }

  @Test func aTimeLimitEndsAClipInHandAsSoonAsItIsSeenToBeTooLong() throws {
    let manifest = try manifest(
      [#"{"id":"long","prompt":"x","frames":900000,"output":"long.raw"}"#])
    let result = try run(manifest, ["--time-limit", "20s"])
    #expect(result.code == 75, "\(result.messages)")
    #expect(try rows().map(outcome) == ["long interrupted 75"])
    #expect(try Set(work.names()) == ["m.jsonl", "results.jsonl"])
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func aSignalEndsTheClipInHandAndTheNextRunGoesOn(_ signal: Int32) throws {
    let long = #"{"id":"long","prompt":"x","frames":900000,"output":"long.raw"}"#
    let program = try Program(arguments(try manifest([item("a"), long])))
    let deadline = Date.now.addingTimeInterval(60)
    while try !work.names().contains("long.raw.json") {
      try #require(Date.now < deadline, "the second clip did not begin within a minute")
      Thread.sleep(forTimeInterval: 0.01)
    }
    program.send(signal)
    let result = program.wait()
    #expect(result.code == 128 + signal, "\(result.messages)")
    #expect(try rows().map(outcome) == ["a ok 0", "long interrupted \(128 + signal)"])
    #expect(try Set(work.names()) == ["m.jsonl", "results.jsonl", "a.raw", "a.raw.json"])
    let manifest = try manifest([item("a"), item("long")])
    #expect(try run(manifest).code == 0)
    #expect(try rows().last.map(outcome) == "long ok 0")
  }

  @Test func afterSIGKILLTheNextRunMakesWhatIsMissing() throws {
    let ids = (0..<12).map { "c\($0)" }
    let manifest = try manifest(ids.map { item($0, #","width":96,"height":64"#) })
    var kills = 0
    for attempt in 1...100 {
      let program = try Program(arguments(manifest))
      Thread.sleep(forTimeInterval: 0.05 * Double(attempt))
      program.send(SIGKILL)
      let code = program.wait().code
      if code == 0 { break }
      #expect(code == nil)
      kills += 1
    }
    #expect(kills > 0 && kills < 100)
    for id in ids {
      let path = work.file("\(id).raw")
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).count
      #expect(bytes == 9 * 96 * 64 * 3)
      let sidecar = try Sidecar.decode(
        [UInt8](Data(contentsOf: URL(fileURLWithPath: path + ".json"))), name: id)
      #expect(sidecar.status == .complete)
    }
    let complete = try String(contentsOfFile: work.file("results.jsonl"), encoding: .utf8)
      .split(separator: "\n")
      .compactMap { try? JSONDecoder().decode(ResultRow.self, from: Data($0.utf8)) }
    for id in ids {
      #expect(complete.count { $0.id == id && $0.status == .ok } <= 1)
    }
  }
}
