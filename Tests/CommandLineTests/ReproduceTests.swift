import Foundation
import MotionStreamCLI
import Testing

@Suite struct ReproduceTests {
  /// Makes a clip from a picture and tracks and returns the sidecar's path and the frames.
  private func makeClip(_ work: Workspace) throws -> (sidecar: String, frames: [UInt8]) {
    let tracks = try work.write("tracks.json", Fixtures.tracks)
    let picture = try work.picture()
    let clip = work.file("clip.raw")
    let result = try Program.run([
      "-m", Fixtures.tinyModel, "-p", "a red ball", "-i", picture, "-k", tracks, "--frames", "20",
      "--steps", "2", "-o", clip,
    ])
    #expect(result.code == 0, "\(result.messages)")
    return (clip + ".json", try [UInt8](Data(contentsOf: URL(fileURLWithPath: clip))))
  }

  private func again(_ sidecar: String, _ extra: String...) throws -> Program.Result {
    let result = try Program.run(
      ["--from-metadata", sidecar, "-o", "-", "--format", "raw"] + extra)
    #expect(result.code == 0, "\(result.messages)")
    return result
  }

  @Test func theSidecarMakesTheSameClipAgain() throws {
    let work = try Workspace()
    let (sidecar, frames) = try makeClip(work)
    #expect(frames.count == 20 * 48 * 32 * 3)
    let result = try again(sidecar)
    #expect(result.output == frames)
    #expect(!result.messages.contains("warning"), "\(result.messages)")
  }

  @Test func optionsOnTheCommandLineWin() throws {
    let work = try Workspace()
    let (sidecar, frames) = try makeClip(work)
    #expect(try again(sidecar, "--frames", "9").output == Array(frames.prefix(9 * 48 * 32 * 3)))
    #expect(try again(sidecar, "-s", "1").output != frames)
  }

  @Test func changedTracksAreNoticedAndTheCopyIsUsed() throws {
    let work = try Workspace()
    let (sidecar, frames) = try makeClip(work)
    let other = Fixtures.tracks.replacingOccurrences(of: #""x":40"#, with: #""x":20"#)
    _ = try work.write("tracks.json", other)
    let changed = try again(sidecar)
    #expect(changed.output == frames)
    #expect(changed.messages.contains("has changed"), "\(changed.messages)")
    try FileManager.default.removeItem(atPath: work.file("tracks.json"))
    let gone = try again(sidecar)
    #expect(gone.output == frames)
    #expect(gone.messages.contains("is gone"), "\(gone.messages)")
  }

  @Test func aChangedPictureIsNoticed() throws {
    let work = try Workspace()
    let (sidecar, frames) = try makeClip(work)
    _ = try work.picture(width: 24, height: 16)
    #expect(try again(sidecar).messages.contains("SHA-256 differs"))
    try FileManager.default.removeItem(atPath: work.file("picture.png"))
    let result = try Program.run(["--from-metadata", sidecar, "-o", work.file("x.mp4")])
    #expect(result.code == 66 && result.messages.contains("picture.png"))
    #expect(!frames.isEmpty)
  }

  @Test func anotherModelIsNoticed() throws {
    let work = try Workspace()
    let (sidecar, _) = try makeClip(work)
    let model = try work.copyOfTinyModel()
    let file = model + "/motionstream.json"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacingOccurrences(of: #""shift": 6.0"#, with: #""shift": 5.0"#)
      .write(toFile: file, atomically: false, encoding: .utf8)
    // Point the sidecar at the changed copy, keeping the hash it remembers.
    let record = try Sidecar.decode(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: sidecar))), name: sidecar)
    var changed = record
    changed.request.model?.path = model
    let path = try work.write("changed.json", changed.encoded())
    #expect(try again(path).messages.contains("the model is not the one"))
  }

  @Test func theSidecarSaysWhatWasMade() throws {
    let work = try Workspace()
    let (path, _) = try makeClip(work)
    let sidecar = try Sidecar.decode(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: path))), name: path)
    #expect(sidecar.status == .complete)
    #expect(sidecar.output.frames == 20 && sidecar.output.seconds == 1.25)
    #expect(sidecar.request.prompt == "a red ball" && sidecar.request.steps == 2)
    #expect(sidecar.request.width == 48 && sidecar.request.height == 32)
    #expect(sidecar.request.tracks?.content == Fixtures.tracks)
    #expect(sidecar.request.tracks?.sha256 == SHA256.hex(of: Array(Fixtures.tracks.utf8)))
    #expect(sidecar.request.model?.hash?.isEmpty == false)
  }
}
