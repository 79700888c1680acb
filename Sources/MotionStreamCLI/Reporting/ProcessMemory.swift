import Foundation

/// What the kernel says about memory, in bytes; nil when /proc does not tell.
enum ProcessMemory {
  /// Memory of this process that is resident now.
  static var resident: Int? { field("VmRSS", of: "/proc/self/status") }
  /// The most that was ever resident.
  static var peak: Int? { field("VmHWM", of: "/proc/self/status") }
  /// What new work could take without swapping.
  static var available: Int? { field("MemAvailable", of: "/proc/meminfo") }

  /// What this process can have at most: the machine's memory and swap, or the control group's
  /// limit where that is less.
  static var limit: Int? {
    guard let memory = field("MemTotal", of: "/proc/meminfo") else { return nil }
    let machine = memory + (field("SwapTotal", of: "/proc/meminfo") ?? 0)
    let group = try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
    let words = group?.split(whereSeparator: \.isWhitespace) ?? []
    return words.first.flatMap { Int($0) }.map { min($0, machine) } ?? machine
  }

  private static func field(_ name: String, of file: String) -> Int? {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
      return kilobytes.flatMap { Int($0) }.map { $0 * 1024 }
    }
    return nil
  }
}
