import Foundation

/// The text that After Effects puts on the clipboard: a header with rate and size, then groups of
/// rows. Groups whose columns are `Frame`, `X pixels`, `Y pixels` become tracks; others (scale,
/// rotation) do not. Positions between rows are linear, and the last one holds.
enum AfterEffectsFormat {
  static func read(
    _ request: ImportRequest
  ) throws(TrackError) -> (document: TrackDocument, warnings: [String]) {
    let text = try TextLines(request)
    guard let first = text.lines.first, first.text.hasPrefix("Adobe After Effects"),
      first.text.contains("Keyframe Data")
    else {
      throw text.fail(text.lines.first, "expected \"Adobe After Effects … Keyframe Data\"")
    }
    let firstFrame = request.options.firstFrame ?? 0
    var header: [String: Double] = [:]
    var warnings: [String] = []
    var tracks: [(name: String, keyframes: [Keyframe])] = []
    var group = ""
    var reading = false
    var ended = false
    for line in text.lines.dropFirst() {
      if line.text.hasPrefix("End of Keyframe Data") {
        ended = true
        break
      }
      let cells = line.text.split(separator: "\t").filter { !$0.allSatisfy(\.isWhitespace) }
      if !line.text.hasPrefix("\t") {
        group = cells.joined(separator: " ")
        reading = false
      } else if group.isEmpty {
        guard cells.count == 2 else { throw text.fail(line, "expected a name and a number") }
        header[String(cells[0])] = try text.number(cells[1], String(cells[0]), line)
      } else if cells.first == "Frame" {
        reading = cells.count >= 3 && cells[1] == "X pixels" && cells[2] == "Y pixels"
        if reading {
          tracks.append((group, []))
        } else {
          warnings.append("line \(line.number): \"\(group)\" is not a position; ignored")
        }
      } else if reading {
        guard cells.count >= 3 else { throw text.fail(line, "expected frame, x and y") }
        let frame = try text.whole(cells[0], "frame", line) - firstFrame
        guard (0...TrackLimits.frames).contains(frame) else {
          throw text.fail(line, "frame \(cells[0]) lies before the first frame \(firstFrame)")
        }
        if case .frame(let last) = tracks[tracks.count - 1].keyframes.last?.moment, last >= frame {
          throw text.fail(line, "frame \(cells[0]) does not follow the one before")
        }
        let position = TrackPosition(
          x: try text.number(cells[1], "x", line), y: try text.number(cells[2], "y", line))
        tracks[tracks.count - 1].keyframes.append(Keyframe(.frame(frame), position))
      }
    }
    guard ended else { throw text.fail(nil, "\"End of Keyframe Data\" is missing") }
    func field(_ name: String) throws(TrackError) -> Double {
      guard let value = header[name] else {
        throw text.fail(nil, "\"\(name)\" is missing from the header")
      }
      return value
    }
    guard try field("Source Pixel Aspect Ratio") == 1 else {
      throw text.fail(nil, "Source Pixel Aspect Ratio: only square pixels are read")
    }
    let width = try field("Source Width")
    let height = try field("Source Height")
    let sizes = 1...Double(TrackLimits.dimension)
    guard sizes.contains(width), sizes.contains(height), width == width.rounded(),
      height == height.rounded()
    else { throw text.fail(nil, "Source Width and Source Height: \(width) x \(height)") }
    let filled = tracks.filter { !$0.keyframes.isEmpty }
    if filled.isEmpty { throw text.fail(nil, "there are no positions (Frame, X pixels, Y pixels)") }
    let document = TrackDocument(
      width: Int(width), height: Int(height), fps: .number(try field("Units Per Second")),
      tracks: filled.enumerated().map { index, track in
        Track(id: index, name: track.name, motion: .keyframes(track.keyframes), after: .hold)
      })
    return (document, warnings)
  }
}
