import Frames
import Media
import Testing

@Suite struct ImageScalerTests {
  private func close(_ frame: RGBFrame, to expected: [[Int]]) -> Bool {
    let flat = expected.flatMap { $0 }
    return flat.count == frame.pixels.count
      && zip(frame.pixels, flat).allSatisfy { abs(Int($0) - $1) <= 1 }
  }

  /// Made by Pillow 13: `Image.fromarray(pattern(3, 37, 53)).resize((5, 7), Image.LANCZOS)`, which
  /// rounds to 8 bits between the two passes.
  @Test func shrinkingAgreesWithPillow() {
    let scaled = ImageScaler.scale(
      pattern(3, width: 37, height: 53), toWidth: 5, height: 7, fit: .stretch)
    let expected = [
      [16, 17, 27, 45, 17, 34, 75, 17, 42, 105, 17, 50, 134, 17, 57],
      [16, 54, 35, 45, 54, 42, 75, 54, 50, 105, 54, 58, 134, 54, 65],
      [16, 93, 43, 45, 93, 50, 75, 93, 58, 105, 93, 66, 134, 93, 73],
      [16, 130, 50, 45, 130, 57, 75, 130, 65, 105, 130, 73, 134, 130, 80],
      [16, 166, 57, 45, 166, 64, 75, 166, 72, 105, 166, 80, 134, 166, 87],
      [16, 211, 65, 45, 211, 72, 75, 211, 80, 105, 211, 88, 134, 211, 95],
      [16, 218, 73, 45, 218, 80, 75, 218, 88, 105, 218, 96, 134, 218, 103],
    ]
    #expect(close(scaled, to: expected))
  }

  /// As above, of the 3 x 4 pixels at the upper left.
  @Test func enlargingAgreesWithPillow() {
    let scaled = ImageScaler.scale(
      pattern(3, width: 3, height: 4), toWidth: 5, height: 6, fit: .stretch)
    let expected = [
      [3, 0, 21, 4, 0, 21, 7, 0, 22, 10, 0, 23, 11, 0, 23],
      [3, 2, 21, 4, 2, 21, 7, 2, 22, 10, 2, 23, 11, 2, 23],
      [3, 6, 22, 4, 6, 22, 7, 6, 23, 10, 6, 24, 11, 6, 24],
      [3, 9, 23, 4, 9, 23, 7, 9, 24, 10, 9, 25, 11, 9, 25],
      [3, 13, 24, 4, 13, 24, 7, 13, 25, 10, 13, 26, 11, 13, 26],
      [3, 15, 24, 4, 15, 24, 7, 15, 25, 10, 15, 26, 11, 15, 26],
    ]
    #expect(close(scaled, to: expected))
  }

  @Test func theSameSizeIsLeftAlone() {
    for fit in ImageFit.allCases {
      #expect(ImageScaler.scale(pattern(1), toWidth: 64, height: 48, fit: fit) == pattern(1))
    }
  }

  @Test(arguments: [(160, 96), (7, 3), (1, 1), (64, 200)])
  func aFlatPictureStaysFlat(width: Int, height: Int) {
    let color: RGB = (74, 203, 221)
    for fit in [ImageFit.crop, .stretch] {
      let scaled = ImageScaler.scale(flat(color), toWidth: width, height: height, fit: fit)
      #expect(scaled == flat(color, width: width, height: height))
    }
  }

  @Test func padLeavesABlackBorderWhereTheTransformPutsIt() {
    // 64 x 48 into 80 x 30: scaled to 40 x 30, 20 columns of black on each side.
    let scaled = ImageScaler.scale(flat((9, 99, 200)), toWidth: 80, height: 30, fit: .pad)
    for x in 0..<80 {
      let pixel = Array(scaled.pixels[(15 * 80 + x) * 3..<(15 * 80 + x) * 3 + 3])
      #expect(pixel == ((20..<60).contains(x) ? [9, 99, 200] : [0, 0, 0]), "column \(x)")
    }
  }

  @Test func cropKeepsTheMiddle() {
    // 4 x 1 into 2 x 1 at scale 1: the two middle pixels.
    let source = RGBFrame(width: 4, height: 1, pixels: [1, 1, 1, 50, 60, 70, 80, 90, 99, 2, 2, 2])
    let scaled = ImageScaler.scale(source, toWidth: 2, height: 1, fit: .crop)
    #expect(scaled.pixels == [50, 60, 70, 80, 90, 99])
  }
}
