import Foundation
import Media

/// Where a clip goes, settled and checked as far as that is possible without creating it.
struct OutputPlan {
  /// For the sink.
  let settings: OutputSettings
  /// As the user named it.
  let name: String
  /// Where the record goes; nil when there is none.
  let sidecar: String?

  /// Whether frames go to standard output.
  var isStandardOutput: Bool { name == "-" }

  /// Settles format and target. `request` carries format, codec and quality; the size and rate are
  /// the plan's.
  init(_ options: OutputOptions, plan: GenerationPlan, standardOutputIsTerminal: Bool) throws {
    name = options.output
    let toPipe = name == "-"
    let format = try Self.format(of: plan.request, name: name)
    if toPipe, standardOutputIsTerminal {
      throw CommandError(
        .usage, "--output -: standard output is a terminal; pipe it, or name a file")
    }
    var encoding = EncodingSettings(codec: plan.request.codec, crf: plan.request.crf)
    encoding.comment = "motionstream \(MotionStreamCommand.version), seed \(plan.seed)"
    settings = OutputSettings(
      target: toPipe ? .standardOutput : .file(name, overwrite: options.overwrite),
      format: format, width: plan.width, height: plan.height, frameRate: plan.frameRate,
      encoding: encoding)
    if let preview = options.preview { try Self.checkFolder(of: preview) }
    let regular = !toPipe && !Self.isDevice(name)
    sidecar = options.sidecar && regular ? Sidecar.path(for: name) : nil
    if let sidecar, !options.overwrite, FileManager.default.fileExists(atPath: sidecar) {
      throw CommandError(
        .cannotCreate, "\(sidecar): already exists; --overwrite replaces it, --no-sidecar skips it")
    }
  }

  /// The format asked for, else the one that the name stands for.
  static func format(
    of request: ClipRequest, name: String
  ) throws(CommandError) -> OutputFormat {
    if let asked = request.format {
      guard let format = OutputFormat(rawValue: asked) else {
        throw CommandError(.badData, "format: expected one of \(formatNames), found \(asked)")
      }
      return format
    }
    if name == "-" { return .y4m }
    if let format = OutputFormat(inferredFrom: name) { return format }
    throw CommandError(
      .usage, "\(name): cannot tell the format from the name; give --format \(formatNames)")
  }

  private static var formatNames: String {
    OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
  }

  /// A preview that cannot be written should be known before hours of work.
  private static func checkFolder(of preview: String) throws(CommandError) {
    let folder = URL(fileURLWithPath: preview).deletingLastPathComponent().path
    guard access(folder, W_OK) == 0 else {
      throw CommandError(
        .cannotCreate, "--preview: cannot write to the folder \(folder): \(systemMessage())")
    }
  }

  private static func isDevice(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    let kind = status.st_mode & S_IFMT
    return kind != S_IFREG && kind != S_IFDIR
  }
}

extension OutputPlan {
  /// Whether the output is a device or a named pipe, which is written in place.
  var isDevice: Bool { !isStandardOutput && Self.isDevice(name) }

  /// Frames in the finished output, counted by reading it again; nil where that cannot be done.
  func countFrames() throws -> Int? {
    guard !isStandardOutput, !isDevice else { return nil }
    switch settings.format {
    case .png: return nil  // each picture was completed and named on its own
    case .raw:
      var status = stat()
      guard stat(name, &status) == 0 else { return 0 }
      return Int(status.st_size) / (settings.width * settings.height * 3)
    case .mp4, .mkv, .webm, .y4m:
      let reader = try VideoReader(name)
      var count = 0
      while try reader.next() != nil { count += 1 }
      return count
    }
  }

  /// Where Media keeps the unfinished file (`.NAME.PID.part`), as long as there is one.
  var partialPath: String? {
    guard !isStandardOutput, !isDevice else { return nil }
    let url = URL(fileURLWithPath: name).resolvingSymlinksInPath()
    let folder = url.deletingLastPathComponent().path
    let start = ".\(url.lastPathComponent).\(getpid())"
    let entries = try? FileManager.default.contentsOfDirectory(atPath: folder)
    return entries?.first { $0.hasPrefix(start) && $0.hasSuffix(".part") }.map {
      folder + "/" + $0
    }
  }
}
