import Foundation
import Testing

/// One way to get it wrong, the exit code it must lead to, and a text that names the place.
struct BadInput: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let code: Int32
  let place: String
  /// Prepares files and gives the whole command line.
  let arguments: @Sendable (Workspace) throws -> [String]

  init(
    _ name: String, _ code: Int32, names place: String,
    _ arguments: @escaping @Sendable (Workspace) throws -> [String]
  ) {
    testDescription = name
    self.code = code
    self.place = place
    self.arguments = arguments
  }

  /// A good command line but for `extra`.
  static func flags(_ extra: String..., code: Int32 = 64, names place: String) -> BadInput {
    BadInput(extra.joined(separator: " "), code, names: place) { base($0) + extra }
  }

  /// A track file with this text.
  static func tracks(_ name: String, _ text: String, names place: String) -> BadInput {
    BadInput("tracks: " + name, 65, names: place) { work in
      base(work) + ["-k", try work.write("tracks.json", text)]
    }
  }

  /// A track document whose list of tracks is this.
  static func track(_ name: String, _ list: String, names place: String) -> BadInput {
    tracks(
      name,
      #"{"format":"motionstream-tracks","version":1,"width":48,"height":32,"fps":16,"tracks":"#
        + list + "}", names: place)
  }

  /// A picture with these bytes.
  static func picture(_ name: String, _ bytes: [UInt8], names place: String) -> BadInput {
    BadInput("picture: " + name, 65, names: place) { work in
      base(work) + ["-i", try work.write("first.png", bytes: bytes)]
    }
  }

  /// A model one file of which went through `change`; nil removes it.
  static func model(
    _ name: String, _ file: String, code: Int32 = 78, names place: String,
    _ change: @escaping @Sendable ([UInt8]) -> [UInt8]?
  ) -> BadInput {
    BadInput("model: " + name, code, names: place) { work in
      let url = URL(fileURLWithPath: try work.copyOfTinyModel() + "/" + file)
      if let bytes = change(try [UInt8](Data(contentsOf: url))) {
        try Data(bytes).write(to: url)
      } else {
        try FileManager.default.removeItem(at: url)
      }
      return ["-m", work.file("model"), "-p", "x", "--frames", "3", "-o", work.file("clip.mp4")]
    }
  }

  /// A model one file of which had a text replaced.
  static func model(
    _ name: String, _ file: String, replace old: String, by new: String, code: Int32 = 78,
    names place: String
  ) -> BadInput {
    model(name, file, code: code, names: place) { bytes in
      let (bytes, from, to) = (Data(bytes), Data(old.utf8), Data(new.utf8))
      guard let range = bytes.range(of: from) else {
        Issue.record("\(file) has no \(old) to replace")
        return [UInt8](bytes)
      }
      return [UInt8](bytes[..<range.lowerBound] + to + bytes[range.upperBound...])
    }
  }

  /// A sidecar with this text.
  static func sidecar(_ name: String, _ text: String, names place: String) -> BadInput {
    BadInput("sidecar: " + name, 65, names: place) { work in
      base(work) + ["--from-metadata", try work.write("old.json", text)]
    }
  }

  /// A command line that works.
  static func base(_ work: Workspace) -> [String] {
    ["-m", Fixtures.tinyModel, "-p", "x", "--frames", "3", "-o", work.file("clip.mp4")]
  }
}
