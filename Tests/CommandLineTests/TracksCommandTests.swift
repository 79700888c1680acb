import Foundation
import Testing

@Suite struct TracksCommandTests {
  @Test func theSchemaIsJSON() throws {
    let result = try Program.run(["tracks", "schema"])
    #expect(result.code == 0)
    let object = try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any]
    #expect(object?["$schema"] != nil)
  }

  @Test func validateAcceptsAGoodFileAndNamesThePlaceInABadOne() throws {
    let work = try Workspace()
    let good = try work.write("good.json", Fixtures.tracks)
    let bad = try work.write(
      "bad.json", Fixtures.tracks.replacingOccurrences(of: #""x":40"#, with: #""x":"far""#))
    #expect(try Program.run(["tracks", "validate", good]).code == 0)
    let result = try Program.run(["tracks", "validate", good, bad])
    #expect(result.code == 65)
    #expect(String(decoding: result.output, as: UTF8.self) == "\(good): valid, 2 tracks\n")
    #expect(result.messages.contains("keyframes[1]"), "\(result.messages)")
    #expect(try Program.run(["tracks", "validate", "/nowhere"]).code == 66)
  }

  @Test func infoDescribesEveryTrack() throws {
    let result = try Program.run(["tracks", "info", "-"], input: Array(Fixtures.tracks.utf8))
    let text = String(decoding: result.output, as: UTF8.self)
    #expect(result.code == 0)
    #expect(text.contains("48x32") && text.contains("32 frames, 2.00 s"), "\(text)")
    #expect(text.contains("id 3: 2 keyframes") && text.contains("id 9: static at 24.5, 16.5"))
  }

  @Test func jsonToNPZAndBackKeepsThePoints() throws {
    let work = try Workspace()
    let json = try work.write("a.json", Fixtures.tracks)
    let npz = work.file("a.npz")
    #expect(try Program.run(["tracks", "convert", json, "-o", npz]).code == 0)
    #expect(try Program.run(["tracks", "convert", json, "-o", npz]).code == 73)
    let back = try Program.run(["tracks", "convert", npz, "-o", "-"])
    #expect(back.code == 0)
    let text = String(decoding: back.output, as: UTF8.self)
    #expect(text.contains(#""id": 3"#) && text.contains("24.5"), "\(text.prefix(300))")
    #expect(try Program.run(["tracks", "convert", json, "-o", "a.csv"]).code == 64)
  }

  @Test func otherProgramsFilesAreReadWhenTheMissingFactsAreGiven() throws {
    let csv = "frame,track,x,y\n0,5,10,12\n1,5,11,12\n"
    let missing = try Program.run(
      ["tracks", "convert", "-", "--from", "csv", "-o", "-"], input: Array(csv.utf8))
    #expect(missing.code == 65, "\(missing.messages)")
    let given = try Program.run(
      [
        "tracks", "convert", "-", "--from", "csv", "--track-size", "48x32", "--track-fps", "16",
        "-o", "-",
      ], input: Array(csv.utf8))
    #expect(given.code == 0, "\(given.messages)")
    #expect(String(decoding: given.output, as: UTF8.self).contains(#""id": 5"#))
  }
}
