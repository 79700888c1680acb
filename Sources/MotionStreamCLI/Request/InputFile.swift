import Foundation

/// Files that the user names, read whole, with errors that say which one and what it was for.
enum InputFile {
  /// Reads `path` (`-` is standard input, when `allowStandardInput`), at most `limit` bytes.
  static func read(
    _ path: String, role: String, allowStandardInput: Bool = false, limit: Int = 1 << 30
  ) throws(CommandError) -> [UInt8] {
    let fromInput = allowStandardInput && path == "-"
    var bytes: [UInt8] = []
    try pieces(of: fromInput ? nil : path, role: role) { piece throws(CommandError) in
      bytes += piece
      guard bytes.count <= limit else {
        let name = fromInput ? "standard input" : path
        throw CommandError(.badData, "\(role): \(name) is larger than \(limit >> 20) MiB")
      }
    }
    return bytes
  }

  /// The hash of a file of any size, as 64 hexadecimal digits.
  static func sha256(_ path: String, role: String) throws(CommandError) -> String {
    var hash = SHA256()
    try pieces(of: path, role: role) { piece throws(CommandError) in hash.add(piece) }
    return hash.hex()
  }

  /// Hands out the bytes of a file, or of standard input for nil, some at a time.
  private static func pieces(
    of path: String?, role: String, _ take: (ArraySlice<UInt8>) throws(CommandError) -> Void
  ) throws(CommandError) {
    let name = path ?? "standard input"
    let descriptor = path.map { open($0, O_RDONLY | O_CLOEXEC) } ?? STDIN_FILENO
    guard descriptor >= 0 else {
      throw CommandError(.missingInput, "\(role): cannot open \(name): \(systemMessage())")
    }
    defer { if path != nil { close(descriptor) } }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw CommandError(.missingInput, "\(role): cannot read \(name): \(systemMessage())")
      }
      try take(buffer.prefix(count))
    }
  }

  /// Reads a file as UTF-8 text.
  static func readText(
    _ path: String, role: String, allowStandardInput: Bool = false
  ) throws(CommandError) -> String {
    let bytes = try read(path, role: role, allowStandardInput: allowStandardInput, limit: 64 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandError(.badData, "\(role): \(path) is not UTF-8 text")
    }
    return text
  }

  /// The path made absolute, for records that are read from elsewhere.
  static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

/// The text of the current `errno`.
func systemMessage(_ number: Int32 = errno) -> String {
  String(cString: strerror(number))
}
