import Foundation
import MotionStreamCLI
import Testing

@Suite struct ModelLocatorTests {
  private func tree(_ models: String) throws -> Workspace {
    let workspace = try Workspace()
    let folder = workspace.file(models)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try workspace.write(models + "/default.txt", "shipped\n")
    return workspace
  }

  @Test func aBuildFindsTheRepositorysModels() throws {
    let workspace = try tree("Models")
    let program = workspace.file(".build/x86_64-unknown-linux-gnu/release/motionstream")
    let found = try ModelLocator(environment: [:], executable: program).locate()
    #expect(found == workspace.file("Models/shipped"))
  }

  @Test func anInstallFindsTheModelsInShare() throws {
    let workspace = try tree("share/motionstream/Models")
    let program = workspace.file("bin/motionstream")
    let found = try ModelLocator(environment: [:], executable: program).locate()
    #expect(found == workspace.file("share/motionstream/Models/shipped"))
  }

  @Test func theEnvironmentComesFirst() throws {
    let workspace = try tree("Models")
    let locator = ModelLocator(
      environment: ["MOTIONSTREAM_MODEL": "/elsewhere"], executable: workspace.file("motionstream"))
    #expect(try locator.locate() == "/elsewhere")
  }

  @Test func withoutAnyModelTheErrorSaysWhereItLooked() throws {
    let locator = ModelLocator(environment: [:], executable: "/nowhere/motionstream")
    let error = #expect(throws: CommandError.self) { _ = try locator.locate() }
    #expect(error?.status == .missingInput)
    #expect(error?.description.contains("/nowhere/motionstream") == true)
  }
}
