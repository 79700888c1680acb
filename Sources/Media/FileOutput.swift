import Glibc

/// Where bytes go.
public enum OutputTarget: Sendable, Hashable {
  /// A file. It appears under this name only when it is complete; an existing one is replaced only
  /// if `overwrite` says so. A device or a named pipe is written directly.
  case file(String, overwrite: Bool)
  /// A descriptor that is open for writing; it stays open.
  case descriptor(Int32)

  /// Standard output.
  public static let standardOutput = OutputTarget.descriptor(STDOUT_FILENO)

  /// How messages call it.
  public var name: String {
    switch self {
    case .file(let path, _): return path
    case .descriptor(STDOUT_FILENO): return "standard output"
    case .descriptor(let number): return "descriptor \(number)"
    }
  }
}

/// The one place that creates, writes, syncs and renames output files.
///
/// A file is written as `.NAME.PID.part` in the folder of its final name, so that the rename at
/// the end is atomic and a reader never sees half a file under the name it waits for.
final class FileOutput {
  let name: String
  private var descriptor: Int32
  private let ownsDescriptor: Bool
  private let finalPath: String?
  private let overwrite: Bool
  /// The unfinished file; `nil` for pipes and devices, and once it has its final name.
  private(set) var partialPath: String?

  init(_ target: OutputTarget) throws {
    name = target.name
    switch target {
    case .descriptor(let number):
      (descriptor, ownsDescriptor, finalPath, overwrite) = (number, false, nil, false)
    case .file(let path, let overwrite):
      self.overwrite = overwrite
      ownsDescriptor = true
      if try Self.isSpecial(path, overwrite: overwrite) {
        finalPath = nil
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.creationError(path, errno) }
      } else {
        let resolved = Self.followLinks(path)
        finalPath = resolved
        let (number, partial) = try Self.createPartial(for: resolved)
        descriptor = number
        partialPath = partial
      }
    }
  }

  deinit { close() }

  /// Whether earlier bytes can be written again, as a muxer wants to.
  var isSeekable: Bool { partialPath != nil }

  /// Writes all bytes, waiting where the reader of a pipe is slow.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Glibc.write(descriptor, part.baseAddress, part.count)
      if count >= 0 {
        rest = rest.dropFirst(count)
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Standard output may have been made non-blocking by whoever shares it.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&ready, 1, -1)
      case let code: throw writeError(code)
      }
    }
  }

  /// Moves to a byte position; negative on failure, as `lseek`.
  func seek(to offset: Int64, from origin: Int32) -> Int64 {
    Int64(lseek(descriptor, off_t(offset), origin))
  }

  /// The bytes written so far.
  var size: Int64 {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : -1
  }

  /// Brings the bytes to the disk and gives the file its final name.
  func commit() throws {
    if let partial = partialPath, let final = finalPath {
      guard fsync(descriptor) == 0 else { throw writeError(errno) }
      close()
      try rename(partial, to: final)
      partialPath = nil
      Self.syncFolder(of: final)
    } else {
      close()
    }
  }

  /// Ends without the final name. The partial file stays only if `keep`, and its path is returned.
  func discard(keep: Bool) -> String? {
    close()
    guard let partial = partialPath else { return nil }
    partialPath = nil
    if keep { return partial }
    unlink(partial)
    return nil
  }

  private func close() {
    if ownsDescriptor, descriptor >= 0 { _ = Glibc.close(descriptor) }
    descriptor = -1
  }

  private func rename(_ partial: String, to final: String) throws {
    if overwrite {
      guard Glibc.rename(partial, final) == 0 else { throw Self.creationError(final, errno) }
      return
    }
    // `link` refuses a name that someone else made in the meantime; `rename` would replace it.
    if link(partial, final) == 0 {
      unlink(partial)
      return
    }
    guard errno != EEXIST else { throw Self.existsError(final) }
    // Some file systems have no hard links.
    guard access(final, F_OK) != 0 else { throw Self.existsError(final) }
    guard Glibc.rename(partial, final) == 0 else { throw Self.creationError(final, errno) }
  }

  private func writeError(_ code: Int32) -> MediaError {
    if code == EPIPE { return MediaError(.closedPipe, "\(name): the reader closed the pipe") }
    return MediaError(.inputOutput, "\(name): cannot write: \(MediaError.systemText(code))")
  }
}

extension FileOutput {
  /// True for an existing device or pipe, which is written in place; throws where nothing may be
  /// written.
  private static func isSpecial(_ path: String, overwrite: Bool) throws -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      guard overwrite else { throw existsError(path) }
      return false
    case S_IFDIR:
      throw MediaError(.cannotCreate, "\(path): expected a file name, found a folder")
    default: return true
    }
  }

  /// The file that a link points to, so that replacing the file keeps the link.
  private static func followLinks(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func createPartial(for path: String) throws -> (Int32, String) {
    let (folder, base) = split(path)
    guard !base.isEmpty else { throw MediaError(.cannotCreate, "\(path): not a file name") }
    for attempt in 0..<100 {
      let suffix = attempt == 0 ? "" : "-\(attempt)"
      let partial = "\(folder).\(base).\(getpid())\(suffix).part"
      let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, partial) }
      guard errno == EEXIST else { throw creationError(path, errno) }
    }
    throw MediaError(.cannotCreate, "\(path): 100 unfinished files of this name are in the way")
  }

  /// The folder with its closing slash (empty for the current one), and the name in it.
  static func split(_ path: String) -> (folder: String, base: String) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path) }
    let start = path.index(after: slash)
    return (String(path[..<start]), String(path[start...]))
  }

  /// Makes a rename survive a power cut, where the file system can.
  private static func syncFolder(of path: String) {
    let folder = split(path).folder
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    _ = Glibc.close(descriptor)
  }

  static func existsError(_ path: String) -> MediaError {
    MediaError(.cannotCreate, "\(path): already exists, and replacing it was not asked for")
  }

  static func creationError(_ path: String, _ code: Int32) -> MediaError {
    MediaError(.cannotCreate, "\(path): cannot create: \(MediaError.systemText(code))")
  }
}
