import Foundation

/// Files that the user names, read whole, with errors that say which one and what it was for.
enum InputFile {
  /// Reads `path` (`-` is standard input, when `allowStandardInput`), at most `limit` bytes.
  static func read(
    _ path: String, role: String, allowStandardInput: Bool = false, limit: Int = 1 << 30
  ) throws(CommandError) -> [UInt8] {
    let fromInput = allowStandardInput && path == "-"
    let name = fromInput ? "standard input" : path
    let descriptor = fromInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandError(.missingInput, "\(role): cannot open \(name): \(systemMessage())")
    }
    defer { if !fromInput { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw CommandError(.missingInput, "\(role): cannot read \(name): \(systemMessage())")
      }
      bytes += buffer.prefix(count)
      guard bytes.count <= limit else {
        throw CommandError(.badData, "\(role): \(name) is larger than \(limit >> 20) MiB")
      }
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
