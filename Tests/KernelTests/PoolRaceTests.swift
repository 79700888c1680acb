import CKernels
import Testing

@Suite struct PoolRaceTests {
  /// How often each tile of a job ran.
  private final class Tally {
    let hits: UnsafeMutablePointer<Int32>
    let count: Int
    var stray: Int32 = 0

    init(capacity: Int, count: Int) {
      hits = .allocate(capacity: capacity)
      hits.initialize(repeating: 0, count: capacity)
      self.count = count
    }

    deinit { hits.deallocate() }
  }

  /// A worker that is late for one job must not run a tile of the next with the old ticket: jobs of
  /// growing length, started as fast as possible, each with a context of its own.
  @Test func everyTileOfManyShortJobsRunsExactlyOnce() throws {
    let pool = try #require(ms_pool_create(3))
    defer { ms_pool_destroy(pool) }
    for job in 0..<300_000 {
      let tally = Tally(capacity: 64, count: 2 + job * 31 % 60)
      let context = Unmanaged.passUnretained(tally).toOpaque()
      ms_pool_run(
        pool, Int64(tally.count),
        { context, tile in
          guard let context else { return }
          let tally = Unmanaged<Tally>.fromOpaque(context).takeUnretainedValue()
          // Two threads never share a tile, so each counter has one writer; a stray one shows as 2.
          if tile < Int64(tally.count) { tally.hits[Int(tile)] += 1 } else { tally.stray += 1 }
        }, context)
      let once = (0..<tally.count).allSatisfy { tally.hits[$0] == 1 }
      guard once, tally.stray == 0 else {
        Issue.record("job \(job): a tile ran twice, or not at all")
        return
      }
    }
  }
}
