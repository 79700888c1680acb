import Frames
import Media
import Testing

@Suite struct ImageReaderTests {
  /// The patches of `Pictures/make.py`, row by row.
  static let patches: [RGB] = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255),
    (0, 0, 0), (128, 128, 128), (255, 255, 0), (255, 0, 255),
  ]

  static func picture(_ name: String, file: String = #filePath) -> String {
    file.prefix(through: file.lastIndex(of: "/") ?? file.startIndex) + "Pictures/" + name
  }

  /// The colours in the middle of each 8 x 8 patch, row by row.
  static func centres(_ frame: RGBFrame) -> [RGB] {
    stride(from: 4, to: frame.height, by: 8).flatMap { y in
      stride(from: 4, to: frame.width, by: 8).map { x in
        let i = (y * frame.width + x) * 3
        return (frame.pixels[i], frame.pixels[i + 1], frame.pixels[i + 2])
      }
    }
  }

  static func difference(_ a: [RGB], _ b: [RGB]) -> Int {
    guard a.count == b.count else { return .max }
    return zip(a, b).map {
      max(
        abs(Int($0.r) - Int($1.r)), abs(Int($0.g) - Int($1.g)), abs(Int($0.b) - Int($1.b)))
    }.max() ?? 0
  }

  @Test(arguments: [
    ("rgb.png", 0), ("palette.png", 0), ("rgb.bmp", 0), ("palette.bmp", 0), ("rgb.tiff", 0),
    ("lossless.webp", 0), ("lossy.webp", 4), ("full.jpg", 2), ("progressive.jpg", 6),
    ("cmyk.jpg", 2),
  ])
  func colorsAreReadFromEveryKind(name: String, tolerance: Int) throws {
    let frame = try ImageReader.read(Self.picture(name))
    #expect(frame.width == 32)
    #expect(frame.height == 16)
    #expect(Self.difference(Self.centres(frame), Self.patches) <= tolerance)
  }

  @Test(arguments: [("grey.png", 0), ("grey16.png", 0), ("grey16.tiff", 1)])
  func greyIsSpreadOverTheChannels(name: String, tolerance: Int) throws {
    let frame = try ImageReader.read(Self.picture(name))
    let red = Self.patches.map { RGB($0.r, $0.r, $0.r) }
    #expect(Self.difference(Self.centres(frame), red) <= tolerance)
  }

  @Test(arguments: ["alpha.png", "alpha16.png", "alpha.webp"])
  func transparentPixelsLieOverBlack(name: String) throws {
    let frame = try ImageReader.read(Self.picture(name))
    let half = Self.patches.map { RGB($0.r / 2, $0.g / 2, $0.b / 2) }
    #expect(Self.difference(Self.centres(frame), half) <= 1)
  }

  /// EXIF 2.32, tag 274: which edge of the scene the first row and the first column show.
  @Test(arguments: [
    (2, [3, 2, 1, 0, 7, 6, 5, 4]), (3, [7, 6, 5, 4, 3, 2, 1, 0]), (4, [4, 5, 6, 7, 0, 1, 2, 3]),
    (5, [0, 4, 1, 5, 2, 6, 3, 7]), (6, [4, 0, 5, 1, 6, 2, 7, 3]), (7, [7, 3, 6, 2, 5, 1, 4, 0]),
    (8, [3, 7, 2, 6, 1, 5, 0, 4]),
  ])
  func aPhotographIsTurnedUpright(orientation: Int, order: [Int]) throws {
    let frame = try ImageReader.read(Self.picture("exif\(orientation).jpg"))
    #expect(frame.width == (orientation < 5 ? 32 : 16))
    #expect(Self.difference(Self.centres(frame), order.map { Self.patches[$0] }) <= 2)
  }

  @Test(arguments: [
    "rgb.png", "grey16.png", "full.jpg", "progressive.jpg", "lossless.webp", "lossy.webp",
    "rgb.bmp", "rgb.tiff",
  ])
  func aPictureCutShortIsDamaged(name: String) throws {
    let whole = try readBytes(Self.picture(name))
    for percent in [20, 40, 60, 80] {
      let error = failure {
        _ = try ImageReader.decode(Array(whole.prefix(whole.count * percent / 100)), name: name)
      }
      #expect(error?.kind == .badData, "\(percent) % of \(name)")
      #expect(error?.message.contains(name) == true)
    }
  }

  @Test func headersThatClaimTooMuchAreRefused() throws {
    let sides: [UInt8] = [0, 1, 0x86, 0xA0]  // 100000
    var png = try readBytes(Self.picture("rgb.png"))
    png.replaceSubrange(16..<24, with: sides + sides)
    png.replaceSubrange(29..<33, with: [0x27, 0x30, 0x9C, 0x9F])  // the header's new CRC
    let error = failure { _ = try ImageReader.decode(png, name: "huge.png") }
    #expect(error?.kind == .badData)
    #expect(error?.message.contains("100000x100000") == true)

    var bmp = try readBytes(Self.picture("rgb.bmp"))
    bmp.replaceSubrange(18..<26, with: sides.reversed() + sides.reversed())
    #expect(failure { _ = try ImageReader.decode(bmp, name: "huge.bmp") }?.kind == .badData)

    var jpeg = try readBytes(Self.picture("full.jpg"))
    let start = try #require(jpeg.indices.first { jpeg[$0...].starts(with: [0xFF, 0xC0]) })
    jpeg.replaceSubrange(start + 5..<start + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
    #expect(failure { _ = try ImageReader.decode(jpeg, name: "huge.jpg") }?.kind == .badData)
  }

  @Test func whatIsNotAPictureIsNamed() throws {
    let scratch = try Scratch()
    let cases: [(String, [UInt8])] = [
      ("empty.png", []), ("one", [0x89]), ("text.png", Array("hello".utf8)),
      ("svg", Array("<svg/>".utf8)), ("other.gif", try readBytes(Self.picture("other.gif"))),
      ("magic.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
      ("magic.jpg", [0xFF, 0xD8, 0xFF]), ("magic.bmp", Array("BM".utf8)),
      ("magic.webp", Array("RIFF0000WEBP".utf8)), ("magic.tiff", [0x49, 0x49, 0x2A, 0]),
    ]
    for (name, bytes) in cases {
      try writeBytes(bytes, to: scratch.file(name))
      let error = failure { _ = try ImageReader.read(scratch.file(name)) }
      #expect(error?.kind == .badData, "\(name)")
      #expect(error?.message.contains(scratch.file(name)) == true)
    }
  }

  @Test func aFlippedBitInAPNGIsNoticed() throws {
    let whole = try readBytes(Self.picture("rgb.png"))
    for byte in [17, 25, 45, 60, whole.count - 14] {
      var damaged = whole
      damaged[byte] ^= 0x10
      #expect(failure { _ = try ImageReader.decode(damaged, name: "x") }?.kind == .badData)
    }
  }

  @Test func aMissingPictureIsAMissingInput() throws {
    let scratch = try Scratch()
    for path in [scratch.file("no.png"), scratch.path, scratch.file("no/no.png"), ""] {
      #expect(failure { _ = try ImageReader.read(path) }?.kind == .inputMissing)
    }
  }
}
