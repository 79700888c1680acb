import Foundation
import Frames
import Media
import MotionStreamCLI
import Testing
import Tracks

private typealias FrameRate = Media.FrameRate

@Suite struct EvaluationTests {
  private static func flat(_ value: UInt8, width: Int = 16, height: Int = 12) -> RGBFrame {
    RGBFrame(
      width: width, height: height,
      pixels: [UInt8](repeating: value, count: width * height * 3))
  }

  private static func pinned(
    _ id: Int, _ x: Double, _ y: Double, _ visibility: Visibility = .always
  ) -> Track {
    Track(id: id, motion: .pinned(TrackPosition(x: x, y: y)), visibility: visibility)
  }

  private static func document(width: Int = 200, height: Int = 100, _ tracks: [Track])
    -> TrackDocument
  {
    TrackDocument(width: width, height: height, fps: .number(16), frameCount: 4, tracks: tracks)
  }

  // MARK: EPE

  @Test func theErrorIsTheMeanDistanceOverVisiblePoints() throws {
    let reference = Self.document([
      Self.pinned(1, 50, 50), Self.pinned(2, 20, 20, Visibility([true, true, false, false])),
    ])
    // 3-4-5 off, 10 off.
    let estimate = Self.document([Self.pinned(2, 20, 30), Self.pinned(1, 53, 54)])
    let error = try EndPointError(
      reference: reference, estimate: estimate, frames: nil, names: ("a", "b"))
    #expect(error.frames.map(\.mean) == [7.5, 7.5, 5, 5])
    #expect(error.frames.map(\.points) == [2, 2, 1, 1])
    let mean = try #require(error.total.mean)
    #expect(abs(mean - 40 / 6.0) < 1e-9)
  }

  @Test func anotherCanvasIsStretchedToTheReference() throws {
    let error = try EndPointError(
      reference: Self.document([Self.pinned(1, 100, 50)]),
      estimate: Self.document(width: 400, height: 100, [Self.pinned(1, 200, 56)]), frames: 2,
      names: ("a", "b"))
    #expect(error.frames.map(\.mean) == [6, 6])
  }

  @Test func pointsThatAreNotThereAreCountedApart() throws {
    let error = try EndPointError(
      reference: Self.document([Self.pinned(1, 10, 10), Self.pinned(2, 20, 20)]),
      estimate: Self.document([Self.pinned(1, 10, 10), Self.pinned(7, 0, 0)]), frames: nil,
      names: ("a", "b"))
    #expect(error.total == EndPointError.Frame(points: 4, missing: 4, sum: 0))
  }

  @Test func tracksWithoutAnIdInCommonAreAnError() {
    let error = #expect(throws: CommandError.self) {
      _ = try EndPointError(
        reference: Self.document([Self.pinned(1, 1, 1)]),
        estimate: Self.document([Self.pinned(2, 1, 1)]), frames: nil, names: ("a", "b"))
    }
    #expect(error?.status == .badData)
  }

  // MARK: PSNR and SSIM

  @Test(arguments: [1, 5, 100]) func theNoiseOfAConstantDifferenceIsKnown(_ difference: Int) {
    let error = ImageQuality.meanSquaredError(
      Self.flat(50), Self.flat(UInt8(50 + difference)))
    #expect(error == Double(difference * difference))
    #expect(
      abs(ImageQuality.psnr(meanSquaredError: error) - 20 * log10(255 / Double(difference))) < 1e-12
    )
  }

  @Test func equalPicturesHaveNoNoise() {
    #expect(ImageQuality.psnr(meanSquaredError: 0) == .infinity)
  }

  @Test(arguments: [(10, 240), (0, 255), (100, 110)])
  func theSimilarityOfTwoGreysIsKnown(_ a: Int, _ b: Int) {
    let c1: Double = 2.55 * 2.55
    let (x, y) = (Double(a), Double(b))
    let expected = (2 * x * y + c1) / (x * x + y * y + c1)
    let found = ImageQuality.ssim(Luma(Self.flat(UInt8(a))), Luma(Self.flat(UInt8(b))))
    #expect(abs(found - expected) < 1e-3)
  }

  /// A checkerboard of single pixels.
  private static func board(inverted: Bool) -> RGBFrame {
    var frame = flat(0, width: 32, height: 32)
    for y in 0..<32 {
      for x in 0..<32 where (x + y) % 2 == (inverted ? 1 : 0) {
        for channel in 0..<3 { frame.pixels[3 * (y * 32 + x) + channel] = 255 }
      }
    }
    return frame
  }

  @Test func aPictureIsLikeItselfAndUnlikeItsNegative() {
    let board = Luma(Self.board(inverted: false))
    #expect(abs(ImageQuality.ssim(board, board) - 1) < 1e-6)
    // Equal means and variances, covariance of the opposite sign: (-2v + c2) / (2v + c2), where
    // the Gaussian leaves v = 127.5 squared.
    let c2: Double = 7.65 * 7.65
    let v: Double = 127.5 * 127.5
    let found = ImageQuality.ssim(board, Luma(Self.board(inverted: true)))
    #expect(abs(found - (-2 * v + c2) / (2 * v + c2)) < 1e-2)
  }

  // MARK: Drift

  @Test func aClipThatBrightensEvenlyHasThatSlope() throws {
    var drift = Drift(firstChunk: 1, chunk: 4)
    for frame in 0..<13 { drift.add(Self.flat(UInt8(10 + 3 * frame))) }
    #expect(drift.chunks.map(\.frames) == [1, 4, 4, 4])
    let slope = try #require(drift.slope(.lumaMean))
    #expect(abs(slope - 3) < 1e-4)
    #expect(abs(try #require(drift.slope(.cbMean))) < 1e-4)
    let last = try #require(drift.chunks.last).values
    #expect(abs(last[Drift.Measure.lumaMean.rawValue] - (10 + 3 * 10.5)) < 1e-3)
    // Four greys, 3 apart: a standard deviation of 3 times the root of 5/4.
    #expect(abs(last[Drift.Measure.lumaDeviation.rawValue] - 3 * sqrt(1.25)) < 1e-2)
    #expect(last[Drift.Measure.sharpness.rawValue] == 0)
  }

  @Test func aStillClipDoesNotDrift() throws {
    var drift = Drift(firstChunk: 3, chunk: 3)
    for _ in 0..<7 { drift.add(Self.board(inverted: false)) }
    #expect(drift.chunks.map(\.frames) == [3, 3, 1])
    for measure in Drift.Measure.allCases {
      #expect(abs(try #require(drift.slope(measure))) < 1e-6, "\(measure)")
    }
    // The Laplacian of the board is 4 times 255 up or down.
    let first = try #require(drift.chunks.first).values
    #expect(abs(first[Drift.Measure.sharpness.rawValue] - 1020 * 1020) < 1)
    #expect(abs(first[Drift.Measure.ssimToFirst.rawValue] - 1) < 1e-6)
  }

  @Test func oneChunkHasNoSlope() {
    var drift = Drift(firstChunk: 9, chunk: 12)
    drift.add(Self.flat(1))
    #expect(drift.slope(.lumaMean) == nil)
  }
}

@Suite struct EvaluationCommandTests {
  private let work: Workspace

  init() throws { work = try Workspace() }

  /// An uncompressed clip of flat greys; y4m keeps them exact enough.
  private func clip(_ name: String, _ greys: [UInt8], size: Int = 16) throws -> String {
    let path = work.file(name)
    let frameRate = try #require(FrameRate("16"))
    let sink = try OutputSettings(
      target: .file(path, overwrite: true), format: .y4m, width: size, height: size,
      frameRate: frameRate
    ).makeSink()
    for grey in greys {
      try sink.write(
        RGBFrame(
          width: size, height: size, pixels: [UInt8](repeating: grey, count: size * size * 3)))
    }
    try sink.finish()
    return path
  }

  private func json(_ result: Program.Result) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any],
      "\(result.messages)")
  }

  @Test func psnrIsGivenAsJSONAndAsATable() throws {
    let (a, b) = (try clip("a.y4m", [100, 100]), try clip("b.y4m", [110, 100]))
    let table = work.file("t.csv")
    let result = try Program.run(["eval", "psnr", a, b, "--json", "--csv", table])
    #expect(result.code == 0, "\(result.messages)")
    let values = try json(result)
    let mse = try #require(values["mse"] as? Double)
    #expect(abs(mse - 50) < 10)  // half of 10 squared, within a grey of rounding in y4m
    let psnr = try #require(values["psnr"] as? Double)
    #expect(abs(psnr - 10 * log10(255 * 255 / mse)) < 1e-9)
    #expect(values["psnr_mean"] is NSNull)
    let lines = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines[0] == "frame,psnr,mse" && lines[2] == "1,inf,0")
  }

  @Test func equalClipsAreAlike() throws {
    let a = try clip("a.y4m", [10, 200])
    let result = try Program.run(["eval", "ssim", a, a, "--json"])
    #expect(try json(result)["ssim"] as? Double == 1)
  }

  @Test func driftHasARowForEveryChunk() throws {
    let a = try clip("a.y4m", [10, 20, 30, 40, 50])
    let result = try Program.run(
      ["eval", "drift", a, "--first-chunk", "1", "--chunk", "2", "--csv", "-"])
    let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 4 && lines[0].hasPrefix("chunk,first_frame,frames,luma_mean"))
    #expect(lines[3].hasPrefix("2,3,2,"))
  }

  @Test func clipsOfUnequalLengthAreComparedOnlyWhenAsked() throws {
    let (a, b) = (try clip("a.y4m", [9, 9, 9]), try clip("b.y4m", [9, 9]))
    let refused = try Program.run(["eval", "psnr", a, b])
    #expect(refused.code == 65 && refused.messages.contains("--shortest"), "\(refused.messages)")
    #expect(try Program.run(["eval", "psnr", a, b, "--shortest"]).code == 0)
  }

  @Test func clipsOfUnequalSizeAreRefused() throws {
    let (a, b) = (try clip("a.y4m", [9]), try clip("b.y4m", [9], size: 32))
    let result = try Program.run(["eval", "ssim", a, b])
    #expect(result.code == 65 && result.messages.contains("32x32"), "\(result.messages)")
  }

  @Test func epeOfAFileWithItselfIsZero() throws {
    let tracks = try work.write("t.json", Fixtures.tracks)
    let values = try json(Program.run(["eval", "epe", tracks, tracks, "--json"]))
    #expect(values["epe"] as? Double == 0 && values["percent_of_width"] as? Double == 0)
    #expect(values["points"] as? Double == 64 && values["missing"] as? Double == 0)
  }
}
