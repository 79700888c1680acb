import Foundation
import Frames
import Motion
import Testing
import Tracks

/// Three points: one for the whole clip, one that is hidden in turns and given up, and one that
/// begins later in its place.
private func store(tileFrames: Int, frames: Int = 23) throws -> TrackSpill {
  let spill = try TrackSpill(
    folder: NSTemporaryDirectory(), name: "out.json", tileFrames: tileFrames)
  var alive: [FollowedPoint] = []
  for frame in 0..<frames {
    for index in alive.indices {
      let isSeen = alive[index].id != 1 || (frame % 5 != 0 && frame < 9)
      alive[index].move(
        to: SIMD2(Float(10 * alive[index].id + frame), Float(frame) / 3), isSeen: isSeen)
    }
    if frame == 12 {
      alive.removeAll { $0.id == 1 }
      spill.end(1)
    }
    for _ in 0..<(frame == 0 ? 2 : frame == 13 ? 1 : 0) {
      alive.append(FollowedPoint(id: try spill.begin(), place: SIMD2(Float(frame), 5)))
    }
    try spill.add(alive)
  }
  try spill.finish()
  return spill
}

@Suite struct TrackSpillTests {
  private let header = TrackDocument(
    width: 64, height: 48, fps: .number(16), frameCount: 23, tracks: [])

  private func file(_ spill: TrackSpill, asNPZ: Bool) throws -> Data {
    var file = Data()
    try header.encode(spill, asNPZ: asNPZ) { file += $0 }
    return file
  }

  @Test func endsATrackWhereItsPointWasLastSeenAndUsesItsPlaceAgain() throws {
    let spill = try store(tileFrames: 4)
    #expect(spill.spans == [0..<23, 0..<9, 13..<23])
    let document = try TrackDocument.parse(file(spill, asNPZ: false), name: "f").document
    guard case .points(let later) = document.tracks[2].motion else { return }
    #expect(document.tracks[2].startFrame == 13 && later.count == 10)
    #expect(later[0] == TrackPosition(x: 13, y: 5) && later[9]?.x == 42)
    let seen = document.tracks[1].visibility
    #expect((0..<9).map { seen.isVisible(at: $0) } == (0..<9).map { $0 == 0 || $0 % 5 != 0 })
  }

  @Test(arguments: [1, 3, 4, 22, 23, 24, 64])
  func theFileDoesNotDependOnTheTiles(tileFrames: Int) throws {
    let (one, other) = (try store(tileFrames: 8), try store(tileFrames: tileFrames))
    for asNPZ in [false, true] {
      #expect(try file(one, asNPZ: asNPZ) == file(other, asNPZ: asNPZ))
    }
  }

  @Test func writesWhatADocumentOfTheSameTracksWrites() throws {
    let spill = try store(tileFrames: 5)
    let json = try file(spill, asNPZ: false)
    let document = try TrackDocument.parse(json, name: "f").document
    #expect(document.encode() == json)
    #expect(try TrackNPZ.encode(document, name: "f") == file(spill, asNPZ: true))
  }

  @Test func handsOutAFileInSmallPieces() throws {
    let spill = try store(tileFrames: 4, frames: 400)
    for asNPZ in [false, true] {
      var (largest, total) = (0, 0)
      try header.encode(spill, asNPZ: asNPZ) {
        largest = max(largest, $0.count)
        total += $0.count
      }
      #expect(largest < 1000 && total > 10 * largest, "\(largest) of \(total) bytes")
    }
  }

  @Test func leavesNoFileBehind() throws {
    let folder = NSTemporaryDirectory() + "/spill-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let spill = try TrackSpill(folder: folder, name: "out.npz")
    // Not even while it is in use: so nothing has to be cleared away after a kill.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    #expect(try spill.begin() == 0)
  }

  @Test func saysWhereItsFileCannotBe() throws {
    #expect {
      _ = try TrackSpill(folder: "/nowhere", name: "out.npz")
    } throws: { error in
      (error as? TrackError)?.kind == .cannotCreate
        && "\(error)" == "out.npz: cannot create a temporary file in /nowhere: "
          + "No such file or directory"
    }
  }
}
