import Foundation
import Frames
import Media
import Testing
import Tracks

/// A track document that a command printed.
private func document(_ result: Program.Result) throws -> TrackDocument {
  #expect(result.code == 0, "\(result.messages)")
  return try TrackDocument.parse(Data(result.output), name: "output").document
}

private func points(_ track: Track) -> [TrackPosition] {
  guard case .points(let points) = track.motion else { return [] }
  return points.compactMap { $0 }
}

/// One command line that must fail, its exit code, and what it must say.
struct BadMotionCommand: Sendable, CustomTestStringConvertible {
  let arguments: [String]
  let code: Int32
  let message: String
  var testDescription: String { arguments.joined(separator: " ") }

  init(_ text: String, _ code: Int32, _ message: String) {
    (arguments, self.code, self.message) = (
      text.split(separator: " ").map(String.init), code, message
    )
  }
}

@Suite struct TracksMotionTests {
  /// A texture that moves by 1.5 pixels a frame to the right and 0.5 down.
  private func movingClip(_ work: Workspace, frames: Int = 5) throws -> String {
    let (width, height) = (96, 64)
    var bytes = Array("YUV4MPEG2 W\(width) H\(height) F16:1 Ip A1:1 C444\n".utf8)
    for t in 0..<frames {
      bytes += Array("FRAME\n".utf8)
      for y in 0..<height {
        for x in 0..<width {
          let (u, v) = (Double(x) - 1.5 * Double(t), Double(y) - 0.5 * Double(t))
          let grey = 128 + 40 * sin(0.35 * u + 0.1 * v) + 40 * sin(0.3 * v - 0.15 * u + 1)
          bytes.append(UInt8(grey))
        }
      }
      bytes += [UInt8](repeating: 128, count: 2 * width * height)
    }
    return try work.write("clip.y4m", bytes: bytes)
  }

  @Test func extractFollowsAMovingTexture() throws {
    let work = try Workspace()
    let clip = try movingClip(work)
    let result = try Program.run([
      "tracks", "extract", clip, "-o", "-", "--points", "30,20;50.5,40",
    ])
    let found = try document(result)
    #expect(found.width == 96 && found.height == 64 && found.frameCount == 5)
    #expect(found.fps.value == 16)
    #expect(found.tracks.map(\.id) == [0, 1])
    for (track, start) in zip(found.tracks, [(30.0, 20.0), (50.5, 40.0)]) {
      let path = points(track)
      try #require(path.count == 5)
      for (t, place) in path.enumerated() {
        #expect(abs(place.x - start.0 - 1.5 * Double(t)) < 0.1, "frame \(t): \(place)")
        #expect(abs(place.y - start.1 - 0.5 * Double(t)) < 0.1, "frame \(t): \(place)")
      }
    }
  }

  @Test func extractWritesAGridToNPZ() throws {
    let work = try Workspace()
    let (clip, npz) = (try movingClip(work), work.file("tracks.npz"))
    let result = try Program.run(
      ["tracks", "extract", clip, "-o", npz, "--grid", "6x4", "--frames", "3", "-q"])
    #expect(result.code == 0 && result.messages.isEmpty, "\(result.messages)")
    let back = try document(Program.run(["tracks", "convert", npz, "-o", "-"]))
    #expect(back.tracks.count == 24 && back.frameCount == 3)
    #expect(try Program.run(["tracks", "extract", clip, "-o", npz]).code == 73)
  }

  @Test func extractSaysWhatIsWrongWithAClipOrPoints() throws {
    let work = try Workspace()
    let text = try work.write("text.mp4", "no clip")
    let broken = try Program.run(["tracks", "extract", text, "-o", "-"])
    #expect(broken.code == 65 && broken.messages.contains("text.mp4: cannot open as a video clip"))
    let outside = try Program.run(
      ["tracks", "extract", try movingClip(work), "-o", "-", "--points", "1,1;96,5"])
    #expect(outside.code == 64)
    #expect(
      outside.messages.contains("point 1 at 96.0, 5.0 is outside the clip's 96x64 pixels"),
      "\(outside.messages)")
  }

  @Test func extractLeavesNothingBehindWhenItFails() throws {
    let work = try Workspace()
    let folder = work.file("out")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // The second frame is cut short.
    let whole = try movingClip(work, frames: 3)
    let bytes = try #require(FileManager.default.contents(atPath: whole))
    let broken = try work.write("broken.mp4", bytes: Array(bytes.prefix(30)))
    let result = try Program.run(["tracks", "extract", broken, "-o", folder + "/a.npz", "-q"])
    #expect(result.code == 65, "\(result.messages)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    let nowhere = try Program.run(["tracks", "extract", whole, "-o", "/nowhere/a.npz", "-q"])
    #expect(nowhere.code == 73, "\(nowhere.messages)")
    #expect(nowhere.messages.contains("/nowhere/a.npz: cannot create a temporary file"))
  }

  @Test(arguments: [
    "extract", "camera", "grid", "preview", "resample", "lint", "convert", "info", "validate",
  ])
  func everyTrackCommandCanBeQuiet(command: String) throws {
    let help = try Program.run(["tracks", command, "--help"])
    #expect(String(decoding: help.output, as: UTF8.self).contains("-q, --quiet"))
  }

  @Test func quietLeavesWarningsOut() throws {
    let work = try Workspace()
    let odd = try work.write(
      "odd.json", Fixtures.tracks.replacingOccurrences(of: #""width""#, with: #""odd":1,"width""#))
    #expect(try Program.run(["tracks", "validate", odd]).messages.contains("warning: "))
    #expect(try Program.run(["tracks", "validate", odd, "-q"]).messages.isEmpty)
  }

  @Test func cameraTurnsAPresetIntoTracks() throws {
    let result = try Program.run([
      "tracks", "camera", "--preset", "pan-left", "--amount", "10", "--ease", "linear", "--size",
      "48x32", "--focal", "40", "--frames", "3", "--grid", "1x1", "-o", "-",
    ])
    let found = try document(result)
    #expect(found.frameCount == 3 && found.tracks.count == 1)
    // The middle of the picture, seen 5 and 10 degrees beside the axis of a camera turned left.
    let path = points(found.tracks[0])
    try #require(path.count == 3)
    for (place, degrees) in zip(path, [0.0, 5, 10]) {
      #expect(abs(place.x - 24 - 40 * tan(degrees * .pi / 180)) < 1e-3, "\(place)")
      #expect(abs(place.y - 16) < 1e-3)
    }
  }

  @Test func cameraReadsPosesAndDepth() throws {
    let work = try Workspace()
    // The camera moves by 0.1 to the right: a plane at depth 2 goes left by focal * 0.1 / 2.
    let poses = try work.write(
      "poses.txt",
      """
      https://example.org
      0 0.5 0.75 0.5 0.5 0 0 1 0 0 0 0 1 0 0 0 0 1 0
      1 0.5 0.75 0.5 0.5 0 0 1 0 0 -0.1 0 1 0 0 0 0 1 0
      """)
    // A PFM of one number: depth 2 everywhere.
    let depth = try work.write("depth.pfm", bytes: Array("Pf\n1 1\n-1\n".utf8) + [0, 0, 0, 0x40])
    let result = try Program.run([
      "tracks", "camera", "--realestate", poses, "--depth", depth, "--size", "48x32", "--grid",
      "1x1", "-o", "-",
    ])
    let path = points(try document(result).tracks[0])
    try #require(path.count == 2)
    #expect(abs(path[1].x - (24 - 24 * 0.1 / 2)) < 1e-3 && abs(path[1].y - 16) < 1e-3, "\(path)")
  }

  @Test func previewDrawsOnAPictureAndOverAClip() throws {
    let work = try Workspace()
    let tracks = try work.write("tracks.json", Fixtures.tracks)
    let picture = try work.picture()
    let (png, mkv) = (work.file("out.png"), work.file("out.mkv"))
    let drawn = try Program.run(["tracks", "preview", tracks, "--over", picture, "-o", png])
    #expect(drawn.code == 0, "\(drawn.messages)")
    let (before, after) = (try ImageReader.read(picture), try ImageReader.read(png))
    #expect(after.width == 48 && after.height == 32)
    func changed(_ x: Int, _ y: Int) -> Bool {
      (0..<3).contains {
        before.pixels[(y * 48 + x) * 3 + $0] != after.pixels[(y * 48 + x) * 3 + $0]
      }
    }
    // On the path, on the pinned point, and nowhere else.
    #expect(changed(25, 15) && changed(24, 16) && !changed(5, 28) && !changed(44, 4))
    let clip = try Program.run(["tracks", "preview", tracks, "-o", mkv])
    #expect(clip.code == 0, "\(clip.messages)")
    #expect(try frameCount(mkv) == 32)
  }

  @Test func resampleKeepsTimeOrSpreadsTheWholeLength() throws {
    let input = Array(Fixtures.tracks.utf8)
    let half = try document(
      Program.run(["tracks", "resample", "-", "--fps", "8", "-o", "-"], input: input))
    #expect(half.fps.value == 8)
    let path = points(half.tracks[0])
    // Frame 5 of 8 a second is frame 10 of 16 a second.
    #expect(abs(path[5].x - (10 + 30 * 10 / 31.0)) < 1e-6, "\(path[5])")
    let slow = try document(
      Program.run(["tracks", "resample", "-", "--frames", "63", "-o", "-"], input: input))
    #expect(slow.fps.value == 16 && points(slow.tracks[0]).count == 63)
    #expect(abs(points(slow.tracks[0])[62].x - 40) < 1e-6)
  }

  @Test func gridPinsThePoints() throws {
    let found = try document(
      Program.run(["tracks", "grid", "--size", "48x32", "--grid", "3x2", "-o", "-"]))
    let places = found.tracks.map(\.motion)
    #expect(found.frameCount == nil && found.tracks.map(\.id) == Array(0..<6))
    #expect(places.first == .pinned(TrackPosition(x: 8, y: 8)))
    #expect(places.last == .pinned(TrackPosition(x: 40, y: 24)))
  }

  @Test func lintFindsAJumpAndFixSmoothsIt() throws {
    let work = try Workspace()
    let places = (0..<24).map { $0 < 12 ? "[4,4]" : "[16,4]" }.joined(separator: ",")
    let rough = try work.write(
      "rough.json",
      #"{"format":"motionstream-tracks","version":1,"width":48,"height":32,"fps":16,"#
        + #""frame_count":24,"tracks":[{"id":5,"points":[\#(places)]}]}"#)
    let found = try Program.run(["tracks", "lint", rough])
    #expect(found.code == 65)
    let said = String(decoding: found.output, as: UTF8.self)
    #expect(
      said.contains(
        "rough.json: track 5, frame 12: moves 25.0 % of the width in one frame; expected at most"),
      "\(said)")
    let smooth = work.file("smooth.json")
    let fixed = try Program.run(["tracks", "lint", rough, "--fix", smooth])
    #expect(
      fixed.code == 0 && fixed.output.isEmpty, "\(String(decoding: fixed.output, as: UTF8.self))")
    let path = points(
      try document(Program.run(["tracks", "convert", smooth, "-o", "-"])).tracks[0])
    #expect(path.count == 24 && path.first?.x == 4 && path.last?.x == 16)
    for (one, next) in zip(path, path.dropFirst()) {
      #expect(abs(next.x - one.x) <= 0.075 * 48 + 1e-9)
    }
    #expect(try Program.run(["tracks", "lint", smooth]).code == 0)
  }

  @Test(arguments: [
    BadMotionCommand("extract /nowhere.mp4 -o -", 66, "/nowhere.mp4: cannot open as a video clip"),
    BadMotionCommand("extract a.mp4 -o - --grid 5", 64, "columns x rows such as 50x50, found 5"),
    BadMotionCommand("extract a.mp4 -o a.csv", 64, "ending in .json or .npz, found a.csv"),
    BadMotionCommand("camera --size 48x32 -o -", 64, "exactly one of --preset, --realestate"),
    BadMotionCommand("camera --preset sideways --size 48x32 -o -", 64, "pan-left"),
    BadMotionCommand("camera --realestate /nowhere.txt --size 48x32 -o -", 66, "/nowhere.txt"),
    BadMotionCommand("preview /nowhere.json -o a.png", 66, "/nowhere.json"),
    BadMotionCommand("preview a.json -o a.gif", 64, ".png, .mp4, .mkv, .webm or .y4m, found a.gif"),
    BadMotionCommand("resample a.json -o -", 64, "--fps, --frames or both"),
    BadMotionCommand("resample a.json -o - --fps fast", 64, "such as 16 or 30000/1001, found fast"),
    BadMotionCommand("grid --size 48 -o -", 64, "WxH such as 832x480, found 48"),
    BadMotionCommand("grid --size 48x32 -o a.npz", 64, "--frames: needed for a .npz file"),
    BadMotionCommand("lint a.json --speed=-1", 64, "percentage above 0, found -1.0"),
    BadMotionCommand("lint a.json --fix a.txt", 64, ".json or .npz, found a.txt"),
  ])
  func badCommandLinesSayWhatWasExpected(_ bad: BadMotionCommand) throws {
    let result = try Program.run(["tracks"] + bad.arguments)
    #expect(result.code == bad.code, "\(result.messages)")
    #expect(result.messages.contains(bad.message), "\(result.messages)")
    #expect(result.output.isEmpty)
  }
}
