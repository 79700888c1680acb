import Foundation

extension ClipRequest {
  /// SHA-256 of everything that decides the clip: contents of inputs rather than their places, the
  /// model's hash rather than its folder. Two requests of the same hash make the same frames.
  package func configurationHash() throws -> String {
    var decisive = self
    decisive.model = model.map { Model(path: "", hash: $0.hash) }
    decisive.image = image.map { Input(path: "", sha256: $0.sha256) }
    decisive.tracks = tracks.map { Input(path: "", sha256: $0.sha256) }
    return SHA256.hex(of: Array(try JSONText.encoded(decisive).utf8))
  }
}

/// What is there of an item already.
enum ItemState: Equatable {
  /// A complete sidecar of this very configuration, and the clip.
  case done
  /// Nothing, or what an attempt at this configuration left; it may be replaced.
  case open(replaces: Bool)
  /// A clip of something else.
  case taken(String)

  /// Looks at the output and its sidecar.
  init(output: String, configuration: String) {
    let sidecar = Sidecar.path(for: output)
    let exists = Self.exists(output)
    guard
      let bytes = try? InputFile.read(sidecar, role: "sidecar", limit: 64 << 20),
      let record = try? Sidecar.decode(bytes, name: sidecar)
    else {
      let found = access(sidecar, F_OK) == 0 ? sidecar : exists ? output : nil
      self = found.map { .taken($0) } ?? .open(replaces: false)
      return
    }
    guard (try? record.request.configurationHash()) == configuration else {
      self = .taken(sidecar)
      return
    }
    self = exists && record.status == .complete ? .done : .open(replaces: true)
  }

  /// Whether a clip is there: a file that is not empty, or a folder or pattern of pictures with the
  /// first one.
  private static func exists(_ output: String) -> Bool {
    var status = stat()
    if stat(output, &status) == 0 {
      return status.st_mode & S_IFMT == S_IFDIR ? hasEntries(output) : status.st_size > 0
    }
    guard output.contains("%") else { return false }
    let url = URL(fileURLWithPath: output)
    let prefix = url.lastPathComponent.prefix { $0 != "%" }
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: url.deletingLastPathComponent().path)
    return names?.contains { $0.hasPrefix(prefix) && !$0.hasSuffix(".json") } ?? false
  }

  private static func hasEntries(_ folder: String) -> Bool {
    !((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).isEmpty
  }
}
