import Foundation

/// Small files written complete or not at all.
enum SmallFile {
  /// Writes to a temporary name, syncs and renames.
  static func write(_ bytes: [UInt8], to path: String, overwrite: Bool) throws(CommandError) {
    let file = try PartialFile(path, overwrite: overwrite)
    try file.write(bytes)
    try file.commit()
  }
}

/// A file written from front to end, which has its name only when it is complete; given up before
/// that, it is gone.
final class PartialFile {
  private let path: String
  private let partial: String
  private let descriptor: Int32
  private var isCommitted = false

  /// Begins a file.
  init(_ path: String, overwrite: Bool) throws(CommandError) {
    if !overwrite, access(path, F_OK) == 0 {
      throw CommandError(.cannotCreate, "\(path): already exists; --overwrite replaces it")
    }
    self.path = path
    // Two containers that share a disk may both be process 1.
    partial = path + ".\(getpid())-\(UInt32.random(in: .min ... .max)).part"
    descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw CommandError(.cannotCreate, "\(path): cannot create: \(systemMessage())")
    }
  }

  deinit {
    close(descriptor)
    if !isCommitted { unlink(partial) }
  }

  /// Adds bytes.
  func write(_ bytes: [UInt8]) throws(CommandError) {
    try check(FileDescriptor.writeAll(bytes, to: descriptor))
  }

  /// Syncs the file and gives it its name.
  func commit() throws(CommandError) {
    try check(fsync(descriptor) == 0 ? 0 : errno)
    try check(rename(partial, path) == 0 ? 0 : errno)
    isCommitted = true
  }

  private func check(_ code: Int32) throws(CommandError) {
    guard code != 0 else { return }
    throw CommandError(.inputOutput, "\(path): cannot write: \(systemMessage(code))")
  }
}

/// Standard output for commands whose result is text.
enum StandardOutput {
  /// Prints a line; a reader that went away is an error like any other.
  static func print(_ text: String) throws(CommandError) {
    try write(Array(text.utf8) + [UInt8(ascii: "\n")])
  }

  /// Writes bytes.
  static func write(_ bytes: [UInt8]) throws(CommandError) {
    let code = FileDescriptor.writeAll(bytes, to: STDOUT_FILENO)
    guard code == 0 else {
      throw CommandError(.inputOutput, "standard output: cannot write: \(systemMessage(code))")
    }
  }
}
