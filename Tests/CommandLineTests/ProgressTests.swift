import MotionStreamCLI
import Testing

@Suite struct ProgressTests {
  private func state(frames: Int, of total: Int?) -> ProgressState {
    var state = ProgressState(totalFrames: total, totalChunks: total.map { $0 / 12 })
    state.frames = frames
    state.chunks = frames / 12
    state.elapsed = 4
    state.elapsedAtChunk = 4
    return state
  }

  @Test func theBarShowsCountsRateAndETA() {
    let bar = state(frames: 48, of: 96).bar(columns: 100)
    #expect(bar.hasSuffix("48/96 frames  12.0 fps  chunk 4/8  ETA 0:04"))
    #expect(bar.hasPrefix("[==============>               ]"))
  }

  @Test(arguments: 0...120) func theBarNeverWrapsTheLine(columns: Int) {
    #expect(state(frames: 48, of: 96).bar(columns: columns).count <= max(columns - 1, 0))
  }

  @Test func anEndlessRunShowsNoETA() {
    #expect(state(frames: 48, of: nil).plain() == "48 frames, 12.0 fps, chunk 4, 0:04")
  }

  @Test func beforeTheFirstChunkThereIsNoRate() {
    let state = ProgressState(totalFrames: 81, totalChunks: 7)
    #expect(state.rate == nil && state.remaining == nil)
    #expect(state.plain() == "0/81 frames, chunk 0/7, 0:00")
  }

  @Test func theETAFallsWhileAChunkIsMade() {
    var state = state(frames: 48, of: 96)
    state.elapsed = 5
    #expect(state.remaining == 3)
    state.elapsed = 50
    #expect(state.remaining == 0)
  }

  @Test func jsonIsOneObject() {
    #expect(
      state(frames: 48, of: 96).json()
        == #"{"type":"progress","frames":48,"chunks":4,"total_frames":96,"total_chunks":8,"#
        + #""seconds":4.000,"fps":12.000,"eta":4.0}"#)
  }

  @Test(arguments: [(0.4, "0:00"), (61.0, "1:01"), (3723.0, "1:02:03")])
  func timesReadAsClocks(_ seconds: Double, _ text: String) {
    #expect(ProgressState.clock(seconds) == text)
  }
}
