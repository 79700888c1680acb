import Foundation
import Testing

@Suite struct InspectAndBenchTests {
  private func object(_ bytes: [UInt8]) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
  }

  @Test func inspectNamesEveryPart() throws {
    let result = try Program.run(["inspect", Fixtures.tinyModel])
    let text = String(decoding: result.output, as: UTF8.self)
    #expect(result.code == 0, "\(result.messages)")
    for part in ["tiny-motionstream", "48x32 at 16 fps", "3 latents = 9 frames", "text_encoder"] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
  }

  @Test func inspectPrintsJSON() throws {
    let result = try Program.run(["inspect", Fixtures.tinyModel, "--json"])
    let report = try object(result.output)
    #expect(report["complete"] as? Bool == true)
    #expect(report["chunk_frames"] as? Int == 12 && report["width_multiple"] as? Int == 16)
    #expect((report["components"] as? [Any])?.count == 3)
  }

  @Test func inspectListsMissingAndUnexpectedTensors() throws {
    let work = try Workspace()
    let model = try work.copyOfTinyModel()
    let url = URL(
      fileURLWithPath: model + "/transformer/diffusion_pytorch_model.safetensors")
    var bytes = try Data(contentsOf: url)
    let range = try #require(bytes.range(of: Data("proj_out.weight".utf8)))
    bytes.replaceSubrange(range, with: Data("proj_out.weighs".utf8))
    try bytes.write(to: url)
    let result = try Program.run(["inspect", model])
    let text = String(decoding: result.output, as: UTF8.self)
    #expect(result.code == 78)
    #expect(text.contains("missing     proj_out.weight"), "\(text)")
    #expect(text.contains("unexpected  proj_out.weighs"), "\(text)")
  }

  @Test func benchPrintsRatesLatenciesAndShares() throws {
    let result = try Program.run(["bench", "-m", Fixtures.tinyModel, "--chunks", "3"])
    let text = String(decoding: result.output, as: UTF8.self)
    #expect(result.code == 0, "\(result.messages)")
    let rows = [
      "denoise step 3", "commit", "decode", "frames per second", "first frame after",
      "later frames after", "peak memory",
    ]
    for row in rows { #expect(text.contains(row), "\(row) in \(text)") }
  }

  @Test func benchPrintsJSONWhoseSharesAddUpToOne() throws {
    let report = try object(
      Program.run(["bench", "-m", Fixtures.tinyModel, "--chunks", "4", "--json"]).output)
    #expect((report["chunks"] as? [Double])?.count == 4)
    let shares = try #require(report["stage_shares"] as? [String: Any])
    let single = ["conditions", "commit", "decode"].compactMap { shares[$0] as? Double }
    let steps = try #require(shares["denoise"] as? [Double])
    #expect(single.count == 3 && steps.count == 3)
    #expect(abs((single + steps).reduce(0, +) - 1) < 1e-9)
    #expect((report["frames_per_second"] as? Double ?? 0) > 0)
  }
}
