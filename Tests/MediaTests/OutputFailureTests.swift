import Frames
import Glibc
import Media
import Testing

@Suite struct OutputFailureTests {
  static let toOneFile: [OutputFormat] = [.mp4, .mkv, .webm, .y4m, .raw]

  @Test(arguments: toOneFile)
  func anExistingFileIsKeptUnlessReplacingWasAskedFor(format: OutputFormat) throws {
    let scratch = try Scratch()
    let path = scratch.file("a")
    try writeBytes([1, 2, 3], to: path)
    let error = failure { _ = try settings(path, format).makeSink() }
    #expect(error?.kind == .cannotCreate)
    #expect(error?.message.contains("already exists") == true)
    #expect(try readBytes(path) == [1, 2, 3])

    let sink = try settings(path, format, overwrite: true).makeSink()
    try sink.write(pattern(0))
    #expect(try readBytes(path) == [1, 2, 3])
    try sink.finish()
    #expect(try readBytes(path).count > 100)
    #expect(scratch.entries == ["a"])
  }

  @Test func aFileMadeInTheMeantimeIsNotReplaced() throws {
    let scratch = try Scratch()
    let sink = try settings(scratch.file("a"), .raw).makeSink()
    try sink.write(pattern(0))
    try writeBytes([9], to: scratch.file("a"))
    #expect(failure(sink.finish)?.kind == .cannotCreate)
    #expect(try readBytes(scratch.file("a")) == [9])
    let kept = try #require(sink.abandon())
    #expect(try readBytes(kept) == pattern(0).pixels)
  }

  @Test(arguments: toOneFile)
  func aMissingFolderIsNamed(format: OutputFormat) throws {
    let scratch = try Scratch()
    let error = failure { _ = try settings(scratch.file("no/a"), format).makeSink() }
    #expect(error?.kind == .cannotCreate)
    #expect(error?.message.contains(scratch.file("no/a")) == true)
  }

  @Test(arguments: toOneFile)
  func aFolderIsNotAFile(format: OutputFormat) throws {
    let scratch = try Scratch()
    #expect(failure { _ = try settings(scratch.path, format).makeSink() }?.kind == .cannotCreate)
  }

  @Test(.enabled(if: geteuid() != 0, "root may write anywhere"), arguments: toOneFile)
  func anUnwritableFolderIsNamed(format: OutputFormat) throws {
    let scratch = try Scratch()
    chmod(scratch.path, 0o500)
    let error = failure { _ = try settings(scratch.file("a"), format).makeSink() }
    #expect(error?.kind == .cannotCreate)
  }

  @Test(arguments: toOneFile)
  func aFullDiskIsAnInputOutputError(format: OutputFormat) throws {
    let error = failure {
      let sink = try settings("/dev/full", format).makeSink()
      for i in 0..<50 {
        try sink.write(pattern(i))
        try sink.flush()
      }
      try sink.finish()
    }
    #expect(error?.kind == .inputOutput)
    #expect(error?.message.contains("No space left") == true)
  }

  @Test(arguments: toOneFile)
  func aClosedPipeIsToldApart(format: OutputFormat) throws {
    signal(SIGPIPE, SIG_IGN)  // as the program does at its start
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    var plan = try settings("", format)
    plan.target = .descriptor(ends[1])
    let error = failure {
      let sink = try plan.makeSink()
      try sink.write(pattern(0))
      try sink.flush()
    }
    #expect(error?.kind == .closedPipe)
  }

  @Test func aSlowReaderOfANonBlockingPipeIsWaitedFor() async throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
    let (reading, writing) = (ends[0], ends[1])
    defer { close(reading) }
    // Ten frames are more than a pipe holds, so the writer meets EAGAIN.
    let frames = (0..<10).map { pattern($0, width: 160, height: 96) }
    let reader = Task.detached {
      var received: [UInt8] = []
      var block = [UInt8](repeating: 0, count: 5000)
      while true {
        let count = read(reading, &block, block.count)
        if count == 0 { return received }
        if count > 0 { received += block[..<count] } else { usleep(200) }
      }
    }
    var plan = try settings("", .raw, width: 160, height: 96)
    plan.target = .descriptor(writing)
    let sink = try plan.makeSink()
    for frame in frames { try sink.write(frame) }
    try sink.finish()
    close(writing)
    #expect(await reader.value == frames.flatMap(\.pixels))
  }

  @Test(arguments: toOneFile)
  func abandoningLeavesNothingBeforeTheFirstChunk(format: OutputFormat) throws {
    let scratch = try Scratch()
    let sink = try settings(scratch.file("a"), format).makeSink()
    #expect(scratch.entries.count == 1)
    #expect(sink.abandon() == nil)
    #expect(scratch.entries == [])
  }

  @Test func aForgottenSinkCleansUp() throws {
    let scratch = try Scratch()
    _ = try settings(scratch.file("a.mp4"), .mp4).makeSink()
    #expect(scratch.entries == [])
  }

  @Test func aLinkStaysALink() throws {
    let scratch = try Scratch()
    try writeBytes([1], to: scratch.file("target.raw"))
    try #require(symlink("target.raw", scratch.file("link.raw")) == 0)
    let sink = try settings(scratch.file("link.raw"), .raw, overwrite: true).makeSink()
    try sink.write(pattern(0))
    try sink.finish()
    #expect(try readBytes(scratch.file("target.raw")) == pattern(0).pixels)
    var status = stat()
    lstat(scratch.file("link.raw"), &status)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
  }
}
