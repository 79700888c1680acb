/// A share of a manifest: item k belongs to shard k mod `count`.
package struct Shard: Equatable, Sendable {
  /// 0 to `count` − 1.
  package let index: Int
  /// Number of shards.
  package let count: Int

  /// All items.
  package static let all = Shard(unchecked: 0, 1)

  private init(unchecked index: Int, _ count: Int) { (self.index, self.count) = (index, count) }

  /// Whether an item is in this share.
  package func contains(_ item: Int) -> Bool { item % count == index }

  /// `i/n`, with i from 0, or `auto`.
  ///
  /// - Parameters:
  ///   - count: number of shards for `auto` where the scheduler does not say; nil for none.
  ///   - environment: where `auto` looks for the variables of Slurm, Cloud Run, Kubernetes and AWS
  ///     Batch.
  /// - Throws: `CommandError` with `.usage`.
  package init(
    _ text: String, count: Int? = nil, environment: [String: String]
  ) throws(CommandError) {
    if text == "auto" {
      self = try Self.scheduled(count: count, environment)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], count > 0,
      (0..<count).contains(index)
    else {
      throw CommandError(
        .usage, "--shard: expected i/n with i from 0 to n-1, such as 0/4, or auto, found \(text)")
    }
    self.init(unchecked: index, count)
  }

  /// The variables that say which task this is, and those that say of how many.
  private static let schedulers: [(index: String, count: String)] = [
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"),
    ("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
  ]

  private static func scheduled(
    count asked: Int?, _ environment: [String: String]
  ) throws(CommandError) -> Shard {
    guard let scheduler = schedulers.first(where: { environment[$0.index] != nil }) else {
      let names = schedulers.map(\.index).joined(separator: ", ")
      throw CommandError(.usage, "--shard auto: none of these variables is set: \(names)")
    }
    func number(_ name: String) throws(CommandError) -> Int? {
      guard let text = environment[name] else { return nil }
      guard let value = Int(text), value >= 0 else {
        throw CommandError(.usage, "--shard auto: \(name): expected a number, found \(text)")
      }
      return value
    }
    let scheduled = try number(scheduler.count)
    guard let count = asked ?? scheduled, count > 0 else {
      throw CommandError(
        .usage,
        "--shard auto: \(scheduler.index) is set but \(scheduler.count) is not; give --shard-count")
    }
    var index = try number(scheduler.index) ?? 0
    if scheduler.index == "SLURM_ARRAY_TASK_ID" {
      // Arrays need not start at 0 nor go in steps of 1: --array=1-40:10.
      let step = try max(number("SLURM_ARRAY_TASK_STEP") ?? 1, 1)
      let first = try number("SLURM_ARRAY_TASK_MIN") ?? 0
      guard index >= first, (index - first) % step == 0 else {
        throw CommandError(
          .usage,
          "--shard auto: task \(index) is not one of an even array that starts at \(first) in steps "
            + "of \(step); give --shard i/n")
      }
      index = (index - first) / step
    }
    guard index < count else {
      throw CommandError(
        .usage,
        "--shard auto: \(scheduler.index): task \(index) of \(count), counted from 0, "
          + "does not exist; give --shard i/n")
    }
    return Shard(unchecked: index, count)
  }
}

/// The seed of an item that gives none.
package enum ItemSeed {
  /// From the batch's seed and the item's id alone, so that neither shards nor order matter; 32
  /// bits, as the seeds that `generate` draws.
  package static func derived(from seed: UInt64, id: String) -> UInt64 {
    let digest = SHA256.hex(of: Array("motionstream batch\n\(seed)\n\(id)".utf8))
    return UInt64(digest.prefix(8), radix: 16) ?? 0
  }
}
