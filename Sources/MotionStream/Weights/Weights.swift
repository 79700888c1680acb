/// The tensors of a component as its layers ask for them: by name below a prefix, with the shape
/// that the configuration implies.
///
/// A network is built twice from the same initialisers. The first time over an inventory: nothing
/// is read, every request is noted, and `check` then names all missing, mis-shaped and unexpected
/// tensors at once. The second time the values are read, layer by layer, and packed.
package struct Weights {
  private let inventory: Inventory
  private let prefix: String
  private let loads: Bool

  private init(_ inventory: Inventory, prefix: String, loads: Bool) {
    self.inventory = inventory
    self.prefix = prefix
    self.loads = loads
  }

  /// Builds a network: takes inventory, throws one error if the files do not fit, then loads.
  package static func build<Network>(
    _ files: WeightFiles, _ make: (Weights) throws(ModelError) -> Network
  ) throws(ModelError) -> Network {
    try make(checked(files, make))
  }

  /// The tensors of files that fit a network, for one that is loaded and dropped part by part.
  package static func checked<Network>(
    _ files: WeightFiles, _ make: (Weights) throws(ModelError) -> Network
  ) throws(ModelError) -> Weights {
    let inventory = Inventory(files)
    _ = try make(Weights(inventory, prefix: "", loads: false))
    try inventory.check()
    return Weights(inventory, prefix: "", loads: true)
  }

  /// What would be wrong with loading, without loading.
  package static func findings<Network>(
    _ files: WeightFiles, _ make: (Weights) throws(ModelError) -> Network
  ) throws(ModelError) -> WeightFindings {
    let inventory = Inventory(files)
    _ = try make(Weights(inventory, prefix: "", loads: false))
    return inventory.findings
  }

  /// The tensors below `name`.
  package func scoped(_ name: String) -> Weights {
    Weights(inventory, prefix: path(name), loads: loads)
  }

  /// The tensors below `name.index`.
  package func scoped(_ name: String, _ index: Int) -> Weights { scoped("\(name).\(index)") }

  /// Whether the files hold a tensor, for parts that a checkpoint may or may not have.
  package func contains(_ name: String) -> Bool { inventory.files.tensors[path(name)] != nil }

  /// Accepts a tensor that the network has no use for.
  package func ignore(_ name: String) { inventory.ignored.insert(path(name)) }

  /// The stored shape of a tensor, for those of which only a part is used.
  package func storedShape(_ name: String) -> [Int]? {
    inventory.files.tensors[path(name)]?.entry.shape
  }

  /// A tensor's values.
  package func tensor(_ name: String, _ shape: Int...) throws(ModelError) -> Tensor {
    try tensor(name, shape: shape)
  }

  /// A tensor's values; empty during inventory.
  package func tensor(_ name: String, shape: [Int]) throws(ModelError) -> Tensor {
    guard let location = inventory.request(path(name), shape), loads else { return Tensor(0) }
    let tensor = Tensor(shape)
    location.file.read(location.entry, into: tensor.pointer)
    return tensor
  }

  /// Copies row `row` of a stored tensor `name` [rows, target.columns] to the single row `target`:
  /// for tables of which a run uses little. Only after loading has begun; the table must have been
  /// asked for with `table`.
  package func read(_ name: String, row: Int, into target: Matrix) {
    guard let location = inventory.files.tensors[path(name)] else {
      preconditionFailure("\(path(name)): not in the files")
    }
    precondition(
      target.rows == 1 && location.entry.shape.count == 2
        && location.entry.shape[1] == target.columns && (0..<location.entry.shape[0]) ~= row)
    location.file.read(
      location.entry, from: row * target.columns, count: target.columns, into: target.base)
  }

  /// Asks for a tensor [rows, columns] that stays in its file, see `read`.
  package func table(_ name: String, rows: Int, columns: Int) {
    _ = inventory.request(path(name), [rows, columns])
  }

  /// `name.weight` [outputs, …inputs] and `name.bias` [outputs] as a linear layer. `weightShape`
  /// is what the file holds when that is not simply [outputs, inputs] (a patchifying convolution).
  package func linear(
    _ name: String, outputs: Int, inputs: Int, bias: Bool = true, weightShape: [Int]? = nil
  ) throws(ModelError) -> LinearLayer {
    let weight = try tensor("\(name).weight", shape: weightShape ?? [outputs, inputs])
    let bias = bias ? try tensor("\(name).bias", outputs) : nil
    guard loads else { return LinearLayer(unpreparedOutputs: outputs, inputs: inputs) }
    precondition(weight.count == outputs * inputs, "\(name): \(weight.shape)")
    return try LinearLayer(
      weight: weight.pointer, bias: bias?.pointer, outputs: outputs, inputs: inputs)
  }

  /// `name.weight` [outputs, inputs, kernel, kernel] and `name.bias` [outputs] as a convolution.
  /// When the stored weight has more rows than needed, the last ones are used (`lastRows`).
  package func convolution(
    _ name: String, outputs: Int, inputs: Int, kernel: Int, stride: Int = 1, bias: Bool = true,
    lastRows: Bool = false
  ) throws(ModelError) -> ConvLayer {
    var stored = outputs
    if lastRows, let rows = storedShape("\(name).weight")?.first, rows > outputs { stored = rows }
    let weight = try tensor("\(name).weight", stored, inputs, kernel, kernel)
    let bias = bias ? try tensor("\(name).bias", outputs) : nil
    guard loads else {
      return ConvLayer(unpreparedOutputs: outputs, inputs: inputs, kernel: kernel, stride: stride)
    }
    return try ConvLayer(
      weight: weight.pointer + (stored - outputs) * inputs * kernel * kernel, bias: bias?.pointer,
      outputs: outputs, inputs: inputs, kernel: kernel, stride: stride)
  }

  private func path(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }
}

/// How a component's files differ from what its configuration asks for.
public struct WeightFindings: Sendable, Equatable {
  /// Names asked for that no file has.
  public var missing: [String] = []
  /// Names no layer asked for.
  public var unexpected: [String] = []
  /// Tensors of the wrong shape or type, with both in words.
  public var misshaped: [String] = []

  /// Whether everything fits.
  public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty }
}

/// Which tensors were asked for while a network was built.
final class Inventory {
  let files: WeightFiles
  var ignored: Set<String> = []
  private var requested: Set<String> = []
  private var missing: Set<String> = []
  private var misshaped: [String: String] = [:]

  init(_ files: WeightFiles) { self.files = files }

  func request(_ name: String, _ shape: [Int]) -> WeightFiles.Location? {
    requested.insert(name)
    guard let location = files.tensors[name] else {
      missing.insert(name)
      return nil
    }
    let entry = location.entry
    if entry.shape != shape {
      misshaped[name] = "\(name): expected \(shape), found \(entry.shape)"
    } else if !entry.dtype.isReadable {
      misshaped[name] =
        "\(name): expected F32, F16 or BF16 values, found \(entry.dtype.rawValue)"
    }
    return location
  }

  var findings: WeightFindings {
    WeightFindings(
      missing: missing.sorted(),
      unexpected: files.tensors.keys.filter { !requested.contains($0) && !ignored.contains($0) }
        .sorted(),
      misshaped: misshaped.values.sorted())
  }

  func check() throws(ModelError) {
    let findings = findings
    if findings.isEmpty { return }
    func list(_ title: String, _ names: [String]) -> String {
      let shown = names.prefix(20).joined(separator: "\n    ")
      let rest = names.count > 20 ? "\n    … and \(names.count - 20) more" : ""
      return names.isEmpty ? "" : "\n  \(title) (\(names.count)):\n    \(shown)\(rest)"
    }
    throw ModelError(
      .badModel,
      "\(files.path) does not fit its configuration"
        + list("missing", findings.missing) + list("of the wrong shape or type", findings.misshaped)
        + list("unexpected", findings.unexpected))
  }
}
