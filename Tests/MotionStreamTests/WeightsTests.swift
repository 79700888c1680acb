import Foundation
import MotionStream
import Testing

@Suite struct WeightsTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// Writes F32 tensors of ones as a safetensors file.
  private func write(
    _ name: String, _ tensors: [(name: String, shape: [Int], dtype: String)]
  ) throws {
    var fields: [String] = []
    var end = 0
    for tensor in tensors {
      let start = end
      end += tensor.shape.reduce(tensor.dtype == "I64" ? 8 : 4, *)
      fields.append(
        #""\#(tensor.name)":{"dtype":"\#(tensor.dtype)","shape":\#(tensor.shape),"#
          + #""data_offsets":[\#(start),\#(end)]}"#)
    }
    let header = Data("{\(fields.joined(separator: ","))}".utf8)
    var bytes = Data()
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes += header
    for _ in 0..<end / 4 { bytes.append(contentsOf: [0, 0, 0x80, 0x3F]) }
    _ = try folder.write(name, bytes)
  }

  private func error(_ body: () throws(ModelError) -> Void) -> ModelError? {
    do throws(ModelError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test("One error names all missing, mis-shaped and unexpected tensors")
  func findings() throws {
    try write(
      "m.safetensors",
      [
        ("a.weight", [3, 2], "F32"), ("a.bias", [2], "F32"), ("n.weight", [4], "I64"),
        ("extra", [1], "F32"), ("kept", [1], "F32"),
      ])
    let files = try WeightFiles(directory: folder.path, stem: "m")
    func make(_ weights: Weights) throws(ModelError) {
      _ = try weights.linear("a", outputs: 3, inputs: 2)
      _ = try weights.tensor("n.weight", 4)
      _ = try weights.scoped("b", 0).tensor("weight", 5)
      weights.ignore("kept")
    }
    let findings = try Weights.findings(files) { weights throws(ModelError) in try make(weights) }
    #expect(findings.missing == ["b.0.weight"])
    #expect(findings.unexpected == ["extra"])
    #expect(
      findings.misshaped == [
        "a.bias: expected [3], found [2]",
        "n.weight: expected F32, F16 or BF16 values, found I64",
      ])
    let error = try #require(
      error { () throws(ModelError) in
        try Weights.build(files) { weights throws(ModelError) in try make(weights) }
      })
    #expect(error.kind == .badModel)
    for name in ["b.0.weight", "extra", "a.bias: expected [3], found [2]", "n.weight"] {
      #expect(error.description.contains(name), "\(error)")
    }
    #expect(!error.description.contains("kept"))
  }

  private func writeIndex(_ map: String) throws {
    _ = try folder.write("m.safetensors.index.json", Data(map.utf8))
  }

  @Test("Shards are found through their index")
  func shards() throws {
    try write("m-1.safetensors", [("a", [2], "F32")])
    try write("m-2.safetensors", [("b", [3], "F32"), ("c", [1], "F32")])
    try writeIndex(
      """
      {"metadata": {"total_size": 24}, "weight_map":
       {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-2.safetensors"}}
      """)
    let files = try WeightFiles(directory: folder.path, stem: "m")
    #expect(files.files.count == 2)
    let sum = try Weights.build(files) { weights throws(ModelError) in
      try weights.tensor("a", 2).values + weights.tensor("b", 3).values
        + weights.tensor("c", 1).values
    }
    #expect(sum == [Float](repeating: 1, count: 6))
  }

  @Test(
    "An index that does not fit its shards is refused",
    arguments: [
      (#"{"weight_map": {"a": "m-1.safetensors", "z": "m-1.safetensors"}}"#, "z"),
      (#"{"weight_map": {"z": "m-1.safetensors"}}"#, "the index says nothing of it"),
      (#"{"weight_map": {"a": "m-1.safetensors", "b": "m-3.safetensors"}}"#, "m-3"),
      (#"{"weight_map": {"a": "../m-1.safetensors"}}"#, "not a plain file name"),
      (#"{"weight_map": {"a": "/etc/passwd"}}"#, "not a plain file name"),
      (#"{"weight_map": {"a": ""}}"#, "not a plain file name"),
      (#"{"weight_map": ["a"]}"#, "weight_map"),
      (#"{}"#, "weight_map"),
      ("no json", "weight_map"),
    ])
  func badIndex(_ index: String, _ message: String) throws {
    try write("m-1.safetensors", [("a", [2], "F32")])
    try writeIndex(index)
    let error = try #require(
      error { () throws(ModelError) in _ = try WeightFiles(directory: folder.path, stem: "m") })
    #expect(error.description.contains(message), "\(error)")
  }

  @Test("Without a file or an index the file is reported missing")
  func nothing() throws {
    let error = error { () throws(ModelError) in
      _ = try WeightFiles(directory: folder.path, stem: "m")
    }
    #expect(error?.kind == .missing)
  }
}
