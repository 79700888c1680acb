import Yams

/// Manifests in YAML: a list of mappings, or a mapping whose `items` is such a list.
enum YAMLManifest {
  static func rows(of text: String, name: String) -> (rows: [ManifestRow], problems: [String]) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      return ([], ["\(name): not YAML: \(error)"])
    }
    guard let list = root?.sequence ?? root?.mapping?["items"]?.sequence else {
      return ([], ["\(name):1: expected a list of items, or items: and a list"])
    }
    var rows: [ManifestRow] = []
    var problems: [String] = []
    for (index, node) in list.enumerated() {
      var row = ManifestRow(place: "\(name):\(node.mark?.line ?? index + 1)")
      guard let mapping = node.mapping else {
        problems.append("\(row.place): expected name: value pairs for an item")
        continue
      }
      for (key, value) in mapping {
        guard let field = key.scalar?.string else {
          problems.append("\(row.place): expected a text as a field's name")
          continue
        }
        guard let scalar = value.scalar else {
          problems.append("\(row.place): \(field): expected a text, a number or true, found a list")
          continue
        }
        if value.null != nil { continue }
        // `true` as it is, but never a quoted "true" or a prompt that says no.
        let flag = scalar.style == .plain ? ["true": true, "false": false][scalar.string] : nil
        let problem = row.add(field, flag.map { .flag($0) } ?? .text(scalar.string))
        if let problem { problems.append(problem) }
      }
      rows.append(row)
    }
    return (rows, problems)
  }
}
