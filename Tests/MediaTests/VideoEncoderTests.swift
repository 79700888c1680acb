import Frames
import Glibc
import Media
import Testing

@Suite struct VideoEncoderTests {
  static let encoded: [OutputFormat] = [.mp4, .mkv, .webm]

  @Test(arguments: encoded)
  func everyFrameComesBackAtItsTime(format: OutputFormat) throws {
    let scratch = try Scratch()
    let path = scratch.file("a." + format.rawValue)
    let comment = #"{"seed":7,"prompt":"a \"red\" ball – ok"}"#
    let sink = try settings(
      path, format, fps: "29.97", encoding: EncodingSettings(comment: comment)
    ).makeSink()
    for i in 0..<25 {
      try sink.write(pattern(i))
      if i % 12 == 8 { try sink.flush() }
    }
    try sink.finish()
    #expect(scratch.entries == ["a." + format.rawValue])

    let reader = try VideoReader(path)
    #expect(reader.width == 64)
    #expect(reader.height == 48)
    #expect(reader.comment == comment)
    let rate = try #require(reader.frameRate)
    #expect(abs(rate.framesPerSecond - 30000.0 / 1001) < 0.01)
    var index = 0
    while let frame = try reader.next() {
      // Matroska and WebM count milliseconds.
      #expect(abs(frame.seconds - Double(index) * 1001 / 30000) < 0.001)
      index += 1
    }
    #expect(index == 25)
  }

  @Test(arguments: encoded)
  func knownColorsSurviveWithinCodecLoss(format: OutputFormat) throws {
    let scratch = try Scratch()
    let path = scratch.file("a." + format.rawValue)
    let sink = try settings(path, format).makeSink()
    // Four frames each: the realtime codecs sharpen a still picture over a few frames.
    for color in knownColors { for _ in 0..<4 { try sink.write(flat(color)) } }
    try sink.finish()
    let frames = try readAll(path)
    #expect(frames.count == knownColors.count * 4)
    for (i, color) in knownColors.enumerated() {
      #expect(largestDifference(frames[i * 4 + 3].picture, flat(color)) <= 6, "\(color)")
    }
  }

  @Test(arguments: encoded)
  func whatWasFlushedPlaysAfterAKill(format: OutputFormat) throws {
    let scratch = try Scratch()
    let sink = try settings(scratch.file("a." + format.rawValue), format).makeSink()
    for i in 0..<40 {
      try sink.write(pattern(i))
      guard i == 8 || i == 20 || i == 32 else { continue }
      try sink.flush()
      // What a kill at this moment leaves: the bytes on disk, without trailer or rename.
      let partial = try #require(scratch.entries.first { $0.hasSuffix(".part") })
      let copy = scratch.file("copy." + format.rawValue)
      try writeBytes(readBytes(scratch.file(partial)), to: copy)
      #expect(try readAll(copy).count == i + 1)
    }
    let kept = try #require(sink.abandon())
    #expect(try readAll(kept).count >= 33)
    #expect(!scratch.entries.contains("a." + format.rawValue))
  }

  @Test(arguments: encoded)
  func equalFramesGiveEqualFiles(format: OutputFormat) throws {
    let scratch = try Scratch()
    let files = try (0..<2).map { run in
      let path = scratch.file("\(run).\(format.rawValue)")
      let sink = try settings(path, format).makeSink()
      for i in 0..<10 { try sink.write(pattern(i)) }
      try sink.finish()
      return try readBytes(path)
    }
    #expect(files[0] == files[1])
  }

  @Test func codecAndQualityAreTheCallersChoice() throws {
    let scratch = try Scratch()
    func size(_ name: String, _ encoding: EncodingSettings) throws -> Int {
      let sink = try settings(scratch.file(name), .mkv, encoding: encoding).makeSink()
      for i in 0..<10 { try sink.write(pattern(i)) }
      try sink.finish()
      return try readBytes(scratch.file(name)).count
    }
    let fine = try size("fine.mkv", EncodingSettings(crf: 10))
    let coarse = try size("coarse.mkv", EncodingSettings(crf: 40))
    #expect(coarse * 2 < fine)
    _ = try size("lossless.mkv", EncodingSettings(codec: "libx264rgb", crf: 0))
    let frames = try readAll(scratch.file("lossless.mkv"))
    #expect(frames.map(\.picture) == (0..<10).map { pattern($0) })
  }

  @Test(
    arguments: [
      ("libnothing", nil, OutputFormat.mp4, 64, MediaError.Kind.unavailable),
      ("aac", nil, .mp4, 64, .unavailable),
      ("libx264", nil, .webm, 64, .invalidSettings),
      (nil, 52, .mp4, 64, .invalidSettings),
      (nil, -1, .webm, 64, .invalidSettings),
      ("mpeg4", 20, .mp4, 64, .invalidSettings),
      (nil, nil, .mp4, 63, .invalidSettings),
      (nil, nil, .mp4, 0, .invalidSettings),
      (nil, nil, .mp4, 20000, .invalidSettings),
      (nil, 20, .y4m, 64, .invalidSettings),
      ("libx264", nil, .raw, 64, .invalidSettings),
    ] as [(String?, Int?, OutputFormat, Int, MediaError.Kind)])
  func impossibleSettingsAreRefusedBeforeAnythingIsMade(
    codec: String?, crf: Int?, format: OutputFormat, width: Int, kind: MediaError.Kind
  ) throws {
    let scratch = try Scratch()
    let error = failure {
      _ = try settings(
        scratch.file("a.out"), format, width: width,
        encoding: EncodingSettings(codec: codec, crf: crf)
      ).makeSink()
    }
    #expect(error?.kind == kind)
    #expect(scratch.entries == [])
  }
}
