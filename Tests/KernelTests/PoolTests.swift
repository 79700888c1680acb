import CKernels
import Synchronization
import Testing

@Suite struct PoolTests {
  /// Counts how often each index ran.
  private final class Tally: Sendable {
    let counts: Mutex<[Int]>
    init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
  }

  private func tally(_ pool: OpaquePointer, _ count: Int) -> [Int] {
    let tally = Tally(count)
    withExtendedLifetime(tally) {
      ms_pool_run(
        pool, Int64(count),
        { context, index in
          guard let context else { return }
          let tally = Unmanaged<Tally>.fromOpaque(context).takeUnretainedValue()
          tally.counts.withLock { $0[Int(index)] += 1 }
        }, Unmanaged.passUnretained(tally).toOpaque())
    }
    return tally.counts.withLock { $0 }
  }

  @Test(arguments: [Int32(1), 2, 3, 8])
  func everyIndexRunsOnce(threads: Int32) throws {
    let pool = try Pool(threads: threads)
    #expect(ms_pool_threads(pool.handle) == threads)
    for count in [0, 1, 2, 3, 100, 1000] {
      #expect(tally(pool.handle, count) == [Int](repeating: 1, count: count))
    }
  }

  @Test func manyShortJobsFollowEachOtherWithoutLosingOne() throws {
    let pool = try Pool(threads: 3)
    for round in 0..<3000 {
      let count = 2 + round % 5
      #expect(tally(pool.handle, count) == [Int](repeating: 1, count: count))
    }
  }

  @Test func callersOnSeveralThreadsTakeTurns() async throws {
    let pool = try Pool(threads: 2)
    let address = UInt(bitPattern: pool.handle)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          guard let handle = OpaquePointer(bitPattern: address) else { return false }
          return (0..<200).allSatisfy { _ in
            self.tally(handle, 7) == [Int](repeating: 1, count: 7)
          }
        }
      }
      for await good in group { #expect(good) }
    }
    withExtendedLifetime(pool) {}
  }

  @Test func aPoolNeedsAThread() {
    #expect(ms_pool_create(0) == nil)
    #expect(ms_pool_create(-3) == nil)
  }

  @Test func thePathIsOneOfTheKnownAndUnknownOnesAreRefused() {
    #expect(["avx512", "avx2", "baseline"].contains(String(cString: ms_kernel_path())))
    #expect(!ms_force_kernel_path("riscv"))
  }
}
