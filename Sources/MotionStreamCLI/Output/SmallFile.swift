import Foundation

/// Small files written complete or not at all.
enum SmallFile {
  /// Writes to a temporary name, syncs and renames.
  static func write(_ bytes: [UInt8], to path: String, overwrite: Bool) throws(CommandError) {
    if !overwrite, access(path, F_OK) == 0 {
      throw CommandError(.cannotCreate, "\(path): already exists; --overwrite replaces it")
    }
    // Two containers that share a disk may both be process 1.
    let partial = path + ".\(getpid())-\(UInt32.random(in: .min ... .max)).part"
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw CommandError(.cannotCreate, "\(path): cannot create: \(systemMessage())")
    }
    var code = FileDescriptor.writeAll(bytes, to: descriptor)
    if code == 0, fsync(descriptor) != 0 { code = errno }
    close(descriptor)
    if code == 0, rename(partial, path) != 0 { code = errno }
    guard code == 0 else {
      unlink(partial)
      throw CommandError(.inputOutput, "\(path): cannot write: \(systemMessage(code))")
    }
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
