import Foundation
import Testing

@Suite struct BadInputTests {
  @Test(arguments: BadInput.all)
  func aBadInputHasItsCodeNamesThePlaceAndLeavesNoFile(_ bad: BadInput) throws {
    let work = try Workspace()
    let arguments = try bad.arguments(work)
    let before = Set(try work.names())
    let result = try Program.run(arguments)
    #expect(result.code == bad.code, "\(result.messages)")
    #expect(result.messages.contains(bad.place), "\(result.messages)")
    #expect(result.output.isEmpty)
    #expect(Set(try work.names()) == before)
  }

  @Test func thereAreAtLeastSixtyBadInputs() {
    #expect(BadInput.all.count >= 60)
  }

  @Test func theCommandLineTheyAllStartFromWorks() throws {
    let work = try Workspace()
    let result = try Program.run(BadInput.base(work))
    #expect(result.code == 0, "\(result.messages)")
  }

  // The tiny model needs 30 GiB for the largest picture.
  @Test(.enabled(if: ProcessInfo.processInfo.physicalMemory < 28 << 30))
  func aSizeThatCannotFitInThisMachineIsRefused() throws {
    let work = try Workspace()
    let size = ["-W", "16384", "-H", "16384", "--format", "raw"]
    let result = try Program.run(BadInput.base(work) + size)
    #expect(result.code == 71, "\(result.messages)")
    #expect(result.messages.contains("size 16384x16384: needs about"))
    #expect(try work.names().isEmpty)
  }

  @Test func aTerminalIsRefusedAsVideoOutput() throws {
    let work = try Workspace()
    let log = work.file("typescript")
    let script = Process()
    script.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    let command = "'\(Program.path)' -m '\(Fixtures.tinyModel)' -p x --frames 3 -o -"
    script.arguments = ["-qec", command, log]
    script.standardOutput = FileHandle.nullDevice
    script.standardInput = FileHandle.nullDevice
    try script.run()
    script.waitUntilExit()
    #expect(script.terminationStatus == 64)
    #expect(try String(contentsOfFile: log, encoding: .utf8).contains("terminal"))
  }
}
