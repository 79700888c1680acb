import Foundation
import Frames
import Motion
import Testing
import Tracks

/// A clip in memory, run through an extractor and the JSON that it is written as.
private func extract(
  _ frames: Int, seeds: [TrackPosition], settings: ExtractionSettings = ExtractionSettings(),
  frame: (Int) -> RGBFrame
) throws -> [Track] {
  let store = try TrackSpill(folder: NSTemporaryDirectory(), name: "clip", tileFrames: 4)
  let extractor = TrackExtractor(seeds: seeds, settings: settings, name: "clip", store: store)
  for index in 0..<frames { try extractor.add(frame(index)) }
  try extractor.finish()
  var file = Data()
  try TrackDocument(width: 1000, height: 1000, fps: .number(16), frameCount: frames, tracks: [])
    .encode(store, asNPZ: false) { file += $0 }
  return try TrackDocument.parse(file, name: "clip").document.tracks
}

private func points(_ track: Track) -> [TrackPosition?] {
  guard case .points(let points) = track.motion else { return [] }
  return points
}

@Suite struct TrackExtractorTests {
  private let texture = WaveTexture(seed: 7)
  private let width = 128
  private let height = 96

  @Test(arguments: ExtractionSettings.Method.allCases)
  func followsAShiftedTextureToAFractionOfAPixel(method: ExtractionSettings.Method) throws {
    var settings = ExtractionSettings()
    settings.method = method
    let seeds = PointGrid(columns: 8, rows: 6).points(width: 80, height: 60)
    let step = (x: 2.3, y: 1.7)
    let tracks = try extract(9, seeds: seeds, settings: settings) { t in
      picture(width, height) { texture.color($0 - step.x * Double(t), $1 - step.y * Double(t)) }
    }
    #expect(tracks.count == seeds.count)
    var errors: [Double] = []
    for (track, seed) in zip(tracks, seeds) {
      let path = points(track)
      #expect(path.count == 9)
      for (t, place) in path.enumerated() {
        let place = try #require(place)
        let (x, y) = (seed.x + step.x * Double(t), seed.y + step.y * Double(t))
        errors.append(hypot(place.x - x, place.y - y))
      }
    }
    errors.sort()
    #expect(errors[errors.count / 2] < (method == .lk ? 0.05 : 0.25))
    #expect(errors[errors.count * 95 / 100] < (method == .lk ? 0.2 : 1))
  }

  @Test func endsTracksThatASolidCovers() throws {
    // A dark block moves in from the left, over a still texture.
    let seeds = PointGrid(columns: 12, rows: 1).points(width: width, height: height)
    let frames = 20
    let tracks = try extract(frames, seeds: seeds) { t in
      picture(width, height) { x, y in
        let inside = x < 4 * Double(t) && y > 30 && y < 66
        return inside ? SIMD3(20, 20, 60) : texture.color(x, y)
      }
    }
    for (track, seed) in zip(tracks, seeds) {
      let covered = Int(seed.x / 4)  // the first frame in which the block's edge has passed it
      let lifetime = points(track).count
      if covered >= frames {
        #expect(lifetime == frames)
      } else {
        #expect(abs(lifetime - covered) <= 3, "seed at \(seed.x): lived \(lifetime) frames")
      }
    }
  }

  @Test func endsTracksThatLeaveThePicture() throws {
    let tracks = try extract(10, seeds: [TrackPosition(x: 120, y: 48)]) { t in
      picture(width, height) { texture.color($0 - 2 * Double(t), $1) }
    }
    #expect(points(tracks[0]).count == 4)  // 120, 122, 124, 126, and then 128 is outside
  }

  @Test func coversBarePlacesWithNewIDs() throws {
    var settings = ExtractionSettings()
    settings.redetectFrames = 5
    let seeds = PointGrid(columns: 8, rows: 6).points(width: width, height: height)
    let tracks = try extract(11, seeds: seeds, settings: settings) { t in
      picture(width, height) { texture.color($0 - 5 * Double(t), $1) }
    }
    let added = tracks.dropFirst(seeds.count)
    #expect(tracks.map(\.id) == Array(0..<tracks.count))
    #expect(!added.isEmpty)
    for track in added {
      #expect(track.startFrame == 5 || track.startFrame == 10)
      #expect(try #require(points(track)[0]).x < 60)  // on the side that was uncovered
    }
  }

  @Test func keepsPlainGroundWhereOnlyASmallObjectMoves() throws {
    // All there is to see is a textured square that moves over plain ground.
    let corner = TrackPosition(x: 110, y: 80)
    let tracks = try extract(8, seeds: [corner, TrackPosition(x: 30, y: 40)]) { t in
      picture(width, height) { x, y in
        let u = x - 2 * Double(t)
        return u > 20 && u < 40 && y > 30 && y < 50 ? texture.color(u, y) : SIMD3(150, 140, 120)
      }
    }
    let path = points(tracks[0])
    #expect(path.count == 8)
    #expect(path.allSatisfy { $0 == corner }, "\(path)")
    #expect(abs(try #require(points(tracks[1]).last ?? nil).x - 44) < 0.5)
  }

  @Test func carriesPlainGroundWithTheDominantMotion() throws {
    // A plain square in the middle of a moving texture, part of the same surface.
    let seed = TrackPosition(x: 64, y: 48)
    let others = PointGrid(columns: 12, rows: 8).points(width: width, height: height)
    let tracks = try extract(6, seeds: [seed] + others) { t in
      picture(width, height) { x, y in
        let (u, v) = (x - 1.5 * Double(t), y)
        return abs(u - 64) < 22 && abs(v - 48) < 22 ? SIMD3(120, 90, 60) : texture.color(u, v)
      }
    }
    let path = points(tracks[0])
    #expect(path.count == 6)
    #expect(abs(try #require(path.last ?? nil).x - 71.5) < 0.5)
  }

  @Test func refusesAFrameOfAnotherSize() throws {
    let extractor = TrackExtractor(
      seeds: [TrackPosition(x: 5, y: 5)], settings: ExtractionSettings(), name: "clip.mp4",
      store: try TrackSpill(folder: NSTemporaryDirectory(), name: "clip"))
    try extractor.add(picture(32, 32) { texture.color($0, $1) })
    #expect {
      try extractor.add(picture(32, 30) { texture.color($0, $1) })
    } throws: { "\($0)" == "clip.mp4: frame 1: expected 32x32 pixels as before, found 32x30" }
  }
}
