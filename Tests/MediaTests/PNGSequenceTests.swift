import Frames
import Glibc
import Media
import Testing

@Suite struct PNGSequenceTests {
  @Test func aFolderIsFilledWithNumberedPictures() throws {
    let scratch = try Scratch()
    let sink = try settings(scratch.file("frames"), .png, width: 17, height: 5).makeSink()
    for i in 0..<3 { try sink.write(pattern(i, width: 17, height: 5)) }
    try sink.finish()
    let names = Scratch.entries(scratch.file("frames"))
    #expect(names == ["00000.png", "00001.png", "00002.png"])
    for (i, name) in names.enumerated() {
      let picture = try ImageReader.read(scratch.file("frames/" + name))
      #expect(picture == pattern(i, width: 17, height: 5))
    }
  }

  @Test func aPatternNamesThePictures() throws {
    let scratch = try Scratch()
    let sink = try settings(scratch.file("a%03db.png"), .png).makeSink()
    for i in 0..<2 { try sink.write(pattern(i)) }
    try sink.finish()
    #expect(scratch.entries == ["a000b.png", "a001b.png"])
  }

  @Test func earlierPicturesAreRefusedOrReplacedAsAWhole() throws {
    let scratch = try Scratch()
    func write(_ frames: Range<Int>, overwrite: Bool) throws {
      let sink = try settings(scratch.file("f%02d.png"), .png, overwrite: overwrite).makeSink()
      for i in frames { try sink.write(pattern(i)) }
      try sink.finish()
    }
    try write(0..<4, overwrite: false)
    #expect(failure { try write(0..<2, overwrite: false) }?.kind == .cannotCreate)
    try writeBytes([1], to: scratch.file("fother.png"))
    try write(5..<7, overwrite: true)
    #expect(scratch.entries == ["f00.png", "f01.png", "fother.png"])
    #expect(try ImageReader.read(scratch.file("f01.png")) == pattern(6))
  }

  @Test(arguments: ["one.png", "a%05d%d.png", "a%5x.png", "100%.png", "a%99999999999d.png"])
  func aNameWithoutOneNumberIsRefused(name: String) throws {
    let scratch = try Scratch()
    let error = failure { _ = try settings(scratch.file(name), .png).makeSink() }
    #expect(error?.kind == .invalidSettings)
    #expect(scratch.entries == [])
  }

  @Test func picturesNeedAFolder() throws {
    let scratch = try Scratch()
    try writeBytes([1], to: scratch.file("file"))
    for path in ["file/", "no/such/", "no/such/%d.png"] {
      let error = failure { _ = try settings(scratch.file(path), .png).makeSink() }
      #expect(error?.kind == .cannotCreate, "\(path)")
    }
    var plan = try settings("", .png)
    plan.target = .standardOutput
    #expect(failure { _ = try plan.makeSink() }?.kind == .invalidSettings)
  }

  @Test func abandoningRemovesAnEmptyFolderButKeepsPictures() throws {
    let scratch = try Scratch()
    let empty = try settings(scratch.file("empty"), .png).makeSink()
    #expect(empty.abandon() == nil)
    #expect(scratch.entries == [])
    let some = try settings(scratch.file("some"), .png).makeSink()
    try some.write(pattern(0))
    #expect(some.abandon() == scratch.file("some/"))
    #expect(Scratch.entries(scratch.file("some")) == ["00000.png"])
  }

  @Test func onePictureIsWrittenWholeOrNotAtAll() throws {
    let scratch = try Scratch()
    let path = scratch.file("preview.png")
    try PNGWriter.write(pattern(3), to: path, overwrite: false)
    #expect(try ImageReader.read(path) == pattern(3))
    let error = failure { try PNGWriter.write(pattern(4), to: path, overwrite: false) }
    #expect(error?.kind == .cannotCreate)
    #expect(
      failure { try PNGWriter.write(pattern(4), to: .file("/dev/full", overwrite: true)) }?
        .kind == .inputOutput)
    #expect(scratch.entries == ["preview.png"])
  }
}
