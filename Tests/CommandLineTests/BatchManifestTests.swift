import Frames
import MotionStreamCLI
import Testing

@Suite struct BatchManifestTests {
  private func items(
    _ text: String, _ format: ManifestFormat = .jsonl, folder: String = "jobs"
  ) throws -> [BatchItem] {
    let (rows, problems) = format.rows(of: text, name: "m")
    return try Manifest(
      rows: rows, problems: problems, name: "m", folder: folder, outputFolder: folder
    ).items
  }

  @Test(arguments: [
    (
      ManifestFormat.jsonl,
      #"{"id":"a","prompt":"one, \"two\"","image":"p.png","track":"t.json","seed":7,"frames":33,"#
        + #""image_fit":"pad","output":"a.mp4","width":null}"# + "\n\n"
        + #"{"id":5,"output":"/tmp/b.mkv","fps":12.5}"#
    ),
    (
      .csv,
      "id,prompt,image,tracks,seed,frames,image-fit,output,fps\r\n"
        + "a,\"one, \"\"two\"\"\",p.png,t.json,7,33,pad,a.mp4,\r\n5,,,,,,,/tmp/b.mkv,12.5\r\n"
    ),
    (
      .yaml,
      """
      items:
        - {id: a, prompt: 'one, "two"', image: p.png, track: t.json, seed: 7, frames: 33,
           image-fit: pad, output: a.mp4, width: null}
        - id: 5
          output: /tmp/b.mkv
          fps: 12.5
      """
    ),
  ])
  func allFormatsSayTheSame(_ format: ManifestFormat, _ text: String) throws {
    let items = try items(text, format)
    #expect(items.map(\.id) == ["a", "5"])
    #expect(items.map(\.index) == [0, 1])
    let first = try #require(items.first).options
    #expect(first.input.prompt == "one, \"two\"")
    #expect(first.input.image == "jobs/p.png" && first.input.tracks == "jobs/t.json")
    #expect(first.video.seed == 7 && first.video.frames == 33 && first.video.width == nil)
    #expect(first.input.imageFit == .pad && first.output.output == "jobs/a.mp4")
    #expect(items[1].options.output.output == "/tmp/b.mkv" && items[1].options.video.fps == "12.5")
  }

  @Test func aPromptMayLookLikeAnOption() throws {
    let items = try items(#"{"id":"a","prompt":"--frames 3","output":"a.mp4"}"#)
    #expect(items[0].options.input.prompt == "--frames 3")
  }

  /// Format, manifest, and what the message has to name: line, item or field.
  static let broken: [(ManifestFormat, String, [String])] = [
    (.jsonl, "", ["m:1", "items"]),
    (.jsonl, "{\"id\":\"a\",\"output\":\"a.mp4\"}\n{\"id\":", ["m:2:7", "not JSON"]),
    (.jsonl, "[1]", ["m:1", "expected a JSON object"]),
    (.jsonl, #"{"output":"a.mp4"}"#, ["m:1", "id: missing"]),
    (.jsonl, #"{"id":"a","prompt":"x"}"#, ["m:1", #"item "a""#, "output: missing"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","prompt":["x"]}"#, ["m:1", "prompt", "a list of 1"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","id":"b"}"#, ["m:1", "\"id\" appears twice"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","track":"x","tracks":"y"}"#, ["m:1", "tracks", "twice"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","sed":1}"#, ["m:1", #"item "a""#, "--sed"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","frames":0}"#, ["m:1", #"item "a""#, "--frames"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","frames":2.5}"#, ["m:1", #"item "a""#, "2.5"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","seed":-1}"#, ["m:1", #"item "a""#, "--seed"]),
    (
      .jsonl, #"{"id":"a","output":"a.mp4","seed":18446744073709551615}"#,
      ["m:1", "seed", "quotes"]
    ),
    (.jsonl, #"{"id":"a","output":"a.mp4","fps":"fast"}"#, ["m:1", "--fps", "fast"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","image-fit":"zoom"}"#, ["m:1", "--image-fit", "zoom"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","model":"x"}"#, ["m:1", #"item "a""#, "model", "whole"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","endless":true}"#, ["m:1", #"item "a""#, "endless"]),
    (.jsonl, #"{"id":"a","output":"-"}"#, ["m:1", #"item "a""#, "output", "standard"]),
    (.jsonl, #"{"id":"a","output":"a.mp4","A b":1}"#, ["m:1", "\"A b\""]),
    (
      .jsonl, #"{"id":"a","output":"a.mp4","clip":"c.mp4","tracks":"t.json"}"#,
      ["m:1", #"item "a""#, "clip"]
    ),
    (
      .jsonl, "{\"id\":\"a\",\"output\":\"a.mp4\"}\n\n{\"id\":\"a\",\"output\":\"b.mp4\"}",
      ["m:3", "id", "\"a\"", "m:1"]
    ),
    (
      .jsonl, "{\"id\":\"a\",\"output\":\"x/../a.mp4\"}\n{\"id\":\"b\",\"output\":\"a.mp4\"}",
      ["m:2", #"item "b""#, "output", "m:1"]
    ),
    (.csv, "", ["m:1", "header"]),
    (.csv, "id,output\na,a.mp4,x\n", ["m:2", "expected 2 cells", "found 3"]),
    (.csv, "id,output\n\"a,a.mp4\n", ["m:2", "not closed"]),
    (.csv, "id,output\na\"b\",a.mp4\n", ["m:2", "quote"]),
    (.csv, "id,output,frames\na,a.mp4,many\n", ["m:2", #"item "a""#, "--frames", "many"]),
    (.yaml, "a: [", ["m", "not YAML"]),
    (.yaml, "just text", ["m:1", "list of items"]),
    (.yaml, "- id: a\n  output: a.mp4\n- text\n", ["m:3", "pairs"]),
    (.yaml, "- id: a\n  output: a.mp4\n  prompt: [x]\n", ["m:1", "prompt", "list"]),
    (.yaml, "- id: a\n  output: a.mp4\n  steps: none\n", ["m:1", #"item "a""#, "--steps"]),
  ]

  @Test(arguments: 0..<broken.count)
  func aBrokenManifestNamesLineItemAndField(_ index: Int) {
    let (format, text, named) = Self.broken[index]
    let error = #expect(throws: CommandError.self) { _ = try items(text, format, folder: "") }
    #expect(error?.status == .badData)
    for part in named {
      #expect(error?.description.contains(part) == true, "\(part): \(error?.description ?? "")")
    }
  }

  @Test func allProblemsAreNamedAtOnce() {
    let text = "{\"id\":\"a\"}\n{\"id\":\"b\",\"output\":\"b.mp4\",\"steps\":0}\n{\"output\":\"c\"}"
    let error = #expect(throws: CommandError.self) { _ = try items(text) }
    let lines = error?.description.split(separator: "\n").map { $0.prefix(3) } ?? []
    #expect(lines == ["m:1", "m:2", "m:3"])
  }
}

@Suite struct ShardTests {
  @Test func everyItemIsInExactlyOneShard() throws {
    for count in 1...7 {
      let shards = try (0..<count).map { try Shard("\($0)/\(count)", environment: [:]) }
      for item in 0..<40 {
        #expect(shards.filter { $0.contains(item) }.map(\.index) == [item % count])
      }
    }
  }

  @Test(arguments: ["", "1", "2/2", "-1/2", "a/b", "0/0", "0/2/3", "1/"])
  func aShardThatIsNoneIsRefused(_ text: String) {
    let error = #expect(throws: CommandError.self) { _ = try Shard(text, environment: [:]) }
    #expect(error?.status == .usage)
  }

  @Test(arguments: [
    (["SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "4"], 3, 4),
    (
      ["SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1"], 0, 4
    ),
    (
      [
        "SLURM_ARRAY_TASK_ID": "21", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_STEP": "10",
      ], 2, 4
    ),
    (["CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "3"], 2, 3),
    (["JOB_COMPLETION_INDEX": "0", "JOB_COMPLETIONS": "5"], 0, 5),
    (["AWS_BATCH_JOB_ARRAY_INDEX": "7", "AWS_BATCH_JOB_ARRAY_SIZE": "8"], 7, 8),
  ])
  func autoReadsTheScheduler(_ environment: [String: String], _ index: Int, _ count: Int) throws {
    let shard = try Shard("auto", environment: environment)
    #expect(shard.index == index && shard.count == count)
  }

  @Test func theNumberOfShardsMayBeGiven() throws {
    let shard = try Shard("auto", count: 6, environment: ["JOB_COMPLETION_INDEX": "4"])
    #expect(shard.index == 4 && shard.count == 6)
  }

  @Test(arguments: [
    ([:], "none of these"), (["JOB_COMPLETION_INDEX": "0"], "--shard-count"),
    (["SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_COUNT": "4"], "found x"),
    (["SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_COUNT": "2"], "does not exist"),
    (
      [
        "SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_STEP": "2",
      ], "even array"
    ),
  ])
  func autoSaysWhatIsMissing(_ environment: [String: String], _ part: String) {
    let error = #expect(throws: CommandError.self) {
      _ = try Shard("auto", environment: environment)
    }
    #expect(error?.status == .usage)
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test func aSeedComesFromBatchAndIdAlone() {
    #expect(ItemSeed.derived(from: 1, id: "a") == ItemSeed.derived(from: 1, id: "a"))
    #expect(ItemSeed.derived(from: 1, id: "a") != ItemSeed.derived(from: 2, id: "a"))
    let seeds = Set((0..<1000).map { ItemSeed.derived(from: 0, id: "clip-\($0)") })
    #expect(seeds.count == 1000 && seeds.allSatisfy { $0 < 1 << 32 })
  }
}

@Suite struct TimeLimitTests {
  @Test(arguments: [
    ("90", 90.0), ("90s", 90), ("1.5m", 90), ("4h", 14400), ("1:30", 90), ("1:00:01", 3601),
  ])
  func timesAreReadInSeconds(_ text: String, _ seconds: Double) {
    #expect(TimeLimit(text)?.seconds == seconds)
  }

  @Test(arguments: ["", "0", "-1", "h", "1:x", "1:2:3:4", "nan", "inf", "1d"])
  func whatIsNoTimeIsRefused(_ text: String) {
    #expect(TimeLimit(text) == nil)
  }

  @Test func nothingIsBegunThatDoesNotEndInTime() throws {
    let limit = try #require(TimeLimit("100"))
    #expect(limit.allows(80, elapsed: 10) && !limit.allows(80, elapsed: 15))
    // Two chunks of eight took 10 s, so six more need 30 s and a tenth.
    #expect(limit.allows(chunks: 2, of: 8, clipSeconds: 10, elapsed: 66))
    #expect(!limit.allows(chunks: 2, of: 8, clipSeconds: 10, elapsed: 68))
    #expect(limit.allows(chunks: 0, of: 8, clipSeconds: 0, elapsed: 99))
    #expect(!limit.allows(chunks: 0, of: 8, clipSeconds: 0, elapsed: 101))
  }
}
