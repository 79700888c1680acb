import MotionStream
import Testing

@Suite struct CacheTests {
  struct Case: Decodable {
    enum CodingKeys: String, CodingKey {
      case chunks, positions
      case sinkFrames = "sink_frames"
      case windowFrames = "window_frames"
      case ropePositions = "rope_positions"
      case cachedAfterCommit = "cached_after_commit"
    }
    let chunks: [Int]
    let sinkFrames: Int
    let windowFrames: Int
    let positions: String
    let ropePositions: [[Int]]
    let cachedAfterCommit: [[Int]]

    var rules: CacheIndex.Rules {
      CacheIndex.Rules(
        sinkFrames: sinkFrames, windowFrames: windowFrames, maximumChunk: chunks.max() ?? 0,
        positions: positions == "slot" ? .slot : .absolute)
    }
  }
  struct Parameters: Decodable { let cases: [String: Case] }

  static let names = [
    "c3s1w1-slot", "first1-sink1-window2-slot", "window6-absolute", "sink2-window3-absolute",
  ]

  static func example(_ name: String) throws -> Case {
    let parameters: Parameters = try Fixture.parameters("transformer-stream")
    return try #require(parameters.cases[name])
  }

  @Test("Cached frames and their temporal indexes are the twin's in every chunk", arguments: names)
  func bookkeeping(_ name: String) throws {
    let example = try CacheTests.example(name)
    var index = CacheIndex(example.rules)
    for (number, chunk) in example.chunks.enumerated() {
      #expect(index.positions(chunk: chunk) == example.ropePositions[number], "chunk \(number)")
      _ = index.commit(chunk: chunk)
      #expect(index.frames == example.cachedAfterCommit[number], "chunk \(number)")
    }
  }

  @Test("Sink, window and chunk in other sizes")
  func tables() {
    // (sink, window, chunks, frames cached in the end)
    let table: [(Int, Int, [Int], [Int])] = [
      (0, 0, [3, 3], []),
      (0, 2, [3, 3], [4, 5]),
      (1, 0, [3, 3], [0]),
      (4, 2, [3, 3], [0, 1, 2, 3, 4, 5]),  // a sink that the second chunk completes
      (4, 2, [3, 3, 3], [0, 1, 2, 3, 7, 8]),
      (2, 3, [1, 1, 1, 1, 1, 1, 1], [0, 1, 4, 5, 6]),
      (1, 5, [1, 3, 3, 3], [0, 5, 6, 7, 8, 9]),
    ]
    for (sink, window, chunks, expected) in table {
      var index = CacheIndex(
        CacheIndex.Rules(
          sinkFrames: sink, windowFrames: window, maximumChunk: 3, positions: .slot))
      for chunk in chunks { _ = index.commit(chunk: chunk) }
      #expect(index.frames == expected, "sink \(sink), window \(window), chunks \(chunks)")
      #expect(index.nextFrame == chunks.reduce(0, +))
    }
  }

  @Test("Kept frames only ever move towards the front, so they can be moved in place")
  func moves() {
    for sink in 0...4 {
      for window in 0...7 {
        var index = CacheIndex(
          CacheIndex.Rules(
            sinkFrames: sink, windowFrames: window, maximumChunk: 3, positions: .absolute))
        for number in 0..<12 {
          let kept = index.commit(chunk: number % 3 + 1)
          #expect(kept.count <= sink + window)
          for (slot, source) in kept.enumerated() { #expect(source >= slot) }
          #expect(index.frames.prefix(sink).elementsEqual(0..<min(sink, index.frames.count)))
        }
      }
    }
  }

  @Test("The sink keeps its values for ever, the window the latest")
  func values() throws {
    let rules = CacheIndex.Rules(
      sinkFrames: 1, windowFrames: 2, maximumChunk: 3, positions: .slot)
    let cache = KVCache(rules: rules, tokensPerFrame: 2, layers: 2, width: 4)
    let bytes = cache.byteCount
    var frame = 0
    for chunk in [1, 3, 3, 3, 3] {
      for layer in 0..<2 {
        let current = cache.current(layer, tokens: chunk * 2)
        for row in 0..<chunk * 2 {
          let value = Float(layer * 1000 + frame + row / 2)
          current.rawKeys.rows(row..<row + 1).fill(value)
          current.values.rows(row..<row + 1).fill(-value)
        }
      }
      cache.commit(chunk: chunk)
      frame += chunk
      for layer in 0..<2 {
        for (slot, cached) in cache.index.frames.enumerated() {
          let expected = [Float](repeating: Float(layer * 1000 + cached), count: 8)
          #expect(cache.rawKeys(layer: layer, slot: slot) == expected)
        }
      }
    }
    #expect(cache.index.frames == [0, 11, 12])
    #expect(cache.byteCount == bytes)
    let copy = cache.copy()
    cache.current(0, tokens: 2).rawKeys.fill(5)
    cache.commit(chunk: 1)
    #expect(copy.index.frames == [0, 11, 12])
    #expect(copy.rawKeys(layer: 0, slot: 2) == [Float](repeating: 12, count: 8))
  }
}
