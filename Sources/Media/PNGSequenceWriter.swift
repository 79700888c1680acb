public import Frames
import Glibc

/// Writes each frame as its own PNG file, numbered from 0 as tracks number them.
///
/// Each file appears complete under its name as soon as its frame is written. `abandon` keeps
/// them, as each can be shown on its own.
public final class PNGSequenceWriter: FrameSink, @unchecked Sendable {
  private let names: Names
  private let width: Int
  private let height: Int
  private let overwrite: Bool
  private let madeFolder: Bool
  private var buffer: [UInt8] = []
  private var framesWritten = 0

  /// Checks that the pictures can be written, making the last folder of the path if need be.
  ///
  /// - Parameter path: a folder, where the files are called `00000.png`, `00001.png` and so on, or
  ///   a name with one `%d` or `%05d`, as in `out/frame-%05d.png`. Pictures of that pattern that
  ///   are already there are refused, or with `overwrite` replaced; left-overs of a longer earlier
  ///   sequence are removed by `finish`.
  public init(path: String, width: Int, height: Int, overwrite: Bool) throws {
    try OutputSettings.checkSize(width: width, height: height)
    names = try Names(path)
    (self.width, self.height, self.overwrite) = (width, height, overwrite)
    madeFolder = try Self.prepareFolder(names.folder)
    if !overwrite, let found = names.existing(in: Self.entries(of: names.folder)).first {
      throw FileOutput.existsError(names.folder + found.name)
    }
  }

  /// Writes the next numbered file.
  public func write(_ frame: RGBFrame) throws {
    precondition(frame.width == width && frame.height == height, "frame of another size")
    let target = OutputTarget.file(names.path(framesWritten), overwrite: overwrite)
    try PNGWriter.write(frame, to: target, buffer: &buffer, fast: true)
    framesWritten += 1
  }

  /// Nothing is held back between frames.
  public func flush() throws {}

  /// Removes left-overs of a longer earlier sequence.
  public func finish() throws {
    guard overwrite else { return }
    for old in names.existing(in: Self.entries(of: names.folder)) where old.index >= framesWritten {
      unlink(names.folder + old.name)
    }
  }

  /// Keeps the pictures; removes the folder if it was made here and is empty.
  @discardableResult public func abandon() -> String? {
    if framesWritten > 0 { return names.folder }
    if madeFolder { rmdir(names.folder) }
    return nil
  }

  private static func prepareFolder(_ folder: String) throws -> Bool {
    var status = stat()
    if stat(folder, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw MediaError(.cannotCreate, "\(folder): expected a folder, found a file")
      }
      guard access(folder, W_OK) == 0 else { throw FileOutput.creationError(folder, errno) }
      return false
    }
    guard mkdir(folder, 0o777) == 0 else { throw FileOutput.creationError(folder, errno) }
    return true
  }

  private static func entries(of folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }
}

extension PNGSequenceWriter {
  /// File names of the form prefix, number with at least `digits` digits, suffix.
  private struct Names {
    let folder: String
    private let prefix: String
    private let digits: Int
    private let suffix: String

    init(_ path: String) throws {
      guard path.contains("%") else {
        guard path.hasSuffix("/") || !path.lowercased().hasSuffix(".png") else {
          throw MediaError(
            .invalidSettings,
            "\(path): many pictures need a folder or a name with a number, like frame-%05d.png")
        }
        folder = path.hasSuffix("/") ? path : path + "/"
        (prefix, digits, suffix) = ("", 5, ".png")
        return
      }
      let (folder, base) = FileOutput.split(path)
      let parts = base.split(separator: "%", omittingEmptySubsequences: false)
      let number = parts.count == 2 ? parts[1].prefix { $0.isASCII && $0.isNumber } : ""
      let width = number.isEmpty ? 1 : Int(number) ?? 0
      guard !folder.contains("%"), parts.count == 2, (1...9).contains(width),
        parts[1].dropFirst(number.count).first == "d"
      else {
        throw MediaError(
          .invalidSettings,
          "\(path): expected one number like %05d in the file name, and no other % sign")
      }
      self.folder = folder.isEmpty ? "./" : folder
      prefix = String(parts[0])
      digits = width
      suffix = String(parts[1].dropFirst(number.count + 1))
    }

    func path(_ index: Int) -> String {
      let number = String(index)
      let zeros = String(repeating: "0", count: max(0, digits - number.count))
      return folder + prefix + zeros + number + suffix
    }

    func existing(in entries: [String]) -> [(name: String, index: Int)] {
      entries.compactMap { name in
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        let number = name.dropFirst(prefix.count).dropLast(suffix.count)
        guard number.count >= digits, number.allSatisfy({ $0.isASCII && $0.isNumber }),
          let index = Int(number)
        else { return nil }
        return (name, index)
      }
    }
  }
}
