import Foundation
import MotionStream
import Testing

@Suite struct SafetensorsTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// A file with this header and so many bytes of data.
  private func file(
    _ header: String, data: Int = 0, length: UInt64? = nil, name: String = "x.safetensors"
  ) throws -> String {
    try file(Data(header.utf8), data: Data((0..<data).map { UInt8($0 & 0x7F) }), length, name)
  }

  private func file(
    _ header: Data, data: Data, _ length: UInt64? = nil, _ name: String = "x.safetensors"
  ) throws -> String {
    var bytes = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) {
      bytes.append(contentsOf: $0)
    }
    return try folder.write(name, bytes + header + data)
  }

  private func refusal(_ path: String) -> ModelError? {
    do throws(ModelError) {
      _ = try Safetensors(path: path)
      return nil
    } catch {
      return error
    }
  }

  /// A header with one tensor.
  private static func one(
    _ name: String = "a", dtype: String = "F32", shape: String = "[2]", offsets: String = "[0,8]"
  ) -> String {
    #"{"\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
  }

  private static func two(_ first: String, _ second: String) -> String {
    """
    {"a":{"dtype":"F32","shape":[2],"data_offsets":\(first)},
     "b":{"dtype":"F32","shape":[2],"data_offsets":\(second)}}
    """
  }

  struct Hostile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let header: String
    let data: Int
    let message: String

    init(_ what: String, _ header: String, data: Int = 8, _ message: String) {
      testDescription = what
      self.header = header
      self.data = data
      self.message = message
    }
  }

  static let hostile: [Hostile] = [
    Hostile("not JSON", "hello", "expected '{'"),
    Hostile("nothing", "", "expected '{'"),
    Hostile("a list", "[]", "expected '{'"),
    Hostile("an open object", "{", "expected '\"'"),
    Hostile("text after the end", one() + "x", "the end of the header"),
    Hostile("an open name", #"{"a"#, "ends inside a name"),
    Hostile("a control character", "{\"a\u{1}\":{}}", "control character"),
    Hostile("a wrong escape", #"{"\q":{}}"#, "expected an escape"),
    Hostile("half a surrogate pair", #"{"\ud800x":{}}"#, "expected '\\'"),
    Hostile(
      "a name twice",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "appears twice"),
    Hostile("metadata twice", #"{"__metadata__":{},"__metadata__":{}}"#, data: 0, "appears twice"),
    Hostile("metadata of numbers", #"{"__metadata__":{"a":1}}"#, data: 0, "expected '\"'"),
    Hostile("no dtype", #"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, "expected dtype"),
    Hostile("no shape", #"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, "expected dtype"),
    Hostile("no offsets", #"{"a":{"dtype":"F32","shape":[2]}}"#, "expected dtype"),
    Hostile("one offset", one(offsets: "[0]"), "two data_offsets"),
    Hostile("three offsets", one(offsets: "[0,8,9]"), "two data_offsets"),
    Hostile("an unknown field", #"{"a":{"dtype":"F32","x":1}}"#, #"field "x""#),
    Hostile("a field twice", #"{"a":{"dtype":"F32","dtype":"F16"}}"#, #"field "dtype""#),
    Hostile("an unknown dtype", one(dtype: "F99"), #"unknown dtype "F99""#),
    Hostile("a dtype in small letters", one(dtype: "f32"), #"unknown dtype "f32""#),
    Hostile("a negative size", one(shape: "[-2]"), "non-negative whole number"),
    Hostile("a fraction", one(shape: "[2.0]"), "expected ']'"),
    Hostile("an exponent", one(shape: "[2e0]"), "expected ']'"),
    Hostile("a negative offset", one(offsets: "[-8,0]"), "non-negative whole number"),
    Hostile("a number beyond 64 bits", one(shape: "[99999999999999999999]"), "too large"),
    Hostile("a product beyond 64 bits", one(shape: "[4294967296,4294967296]"), "too large"),
    Hostile("bytes beyond 64 bits", one(shape: "[4611686018427387904]"), "too large"),
    Hostile(
      "zero times too much", one(shape: "[9223372036854775807,3,0]", offsets: "[0,0]"),
      data: 0, "too large"),
    Hostile("offsets the wrong way round", one(offsets: "[8,0]"), "outside"),
    Hostile("offsets outside the file", one(shape: "[4]", offsets: "[0,16]"), "outside the 8"),
    Hostile("fewer bytes than the shape needs", one(shape: "[3]"), "needs 12 bytes"),
    Hostile("more bytes than the shape needs", one(shape: "[1]"), "needs 4 bytes"),
    Hostile("an overlap", two("[0,8]", "[4,12]"), data: 12, "overlaps"),
    Hostile("the same bytes twice", two("[0,8]", "[0,8]"), "overlaps"),
    Hostile("a hole", two("[0,8]", "[12,20]"), data: 20, "leaves a hole"),
    Hostile("a hole at the start", one(offsets: "[4,12]"), data: 12, "leaves a hole"),
    Hostile("bytes after the last tensor", one(), data: 9, "which has 9"),
    Hostile("data without tensors", "{}", data: 4, "which has 4"),
  ]

  @Test("A hostile header is refused with the reason", arguments: hostile)
  func hostileHeaders(_ hostile: Hostile) throws {
    let path = try file(hostile.header, data: hostile.data)
    let error = try #require(refusal(path))
    #expect(error.kind == .badModel)
    #expect(error.description.hasPrefix(path))
    #expect(error.description.contains(hostile.message), "\(error)")
  }

  @Test("A wrong header length is refused")
  func lengths() throws {
    for (length, message) in [
      (UInt64.max, "at most 100000000"), (100_000_001, "at most 100000000"), (1000, "in a file of"),
    ] {
      let error = try #require(refusal(try file(Self.one(), data: 8, length: length)))
      #expect(error.description.contains(message), "\(error)")
    }
    for count in 0..<8 {
      let path = try folder.write("short", Data(repeating: 0, count: count))
      #expect(refusal(path)?.description.contains("too short") == true)
    }
  }

  @Test("A name that is not UTF-8 is refused")
  func invalidUTF8() throws {
    var header = Data(#"{""#.utf8)
    header.append(contentsOf: [0xFF, 0xFE])
    header.append(Data(#"":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#.utf8))
    #expect(refusal(try file(header, data: Data()))?.description.contains("not UTF-8") == true)
  }

  @Test("Every truncation of a good file is refused, and never read past its end")
  func truncations() throws {
    let header =
      #"{"__metadata__":{"format":"pt"},"#
      + #""a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}"#
    let path = try file(header, data: 8)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(refusal(path) == nil)
    for count in 0..<whole.count {
      #expect(refusal(try folder.write("cut", whole.prefix(count))) != nil, "\(count) bytes")
    }
  }

  @Test("A missing file is missing; a folder is not a model file")
  func notAFile() {
    #expect(refusal("\(folder.path)/nothing")?.kind == .missing)
    #expect(refusal(folder.path)?.kind == .badModel)
  }

  @Test("F32, F16 and BF16 are widened exactly; spaces, escapes and any order are read")
  func goodFile() throws {
    let header = """
       { "b\\u00e9\\ud83d\\ude00" : { "shape" : [ ] , "dtype" : "F32" , "data_offsets" : [ 8 , 12 ] },
      "h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},
      "z":{"dtype":"I64","shape":[0,3],"data_offsets":[4,4]},
      "f":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]}}
      """
    var data = Data([0x00, 0x3C, 0x01, 0x00])  // 1, 2^-24
    data.append(contentsOf: [0xC0, 0xBF, 0x80, 0x7F])  // -1.5, infinity
    data.append(contentsOf: [0xDB, 0x0F, 0x49, 0x40])  // pi
    let file = try Safetensors(path: try file(Data(header.utf8), data: data))
    var values: [String: [Float]] = [:]
    for entry in file.entries where entry.dtype.isReadable {
      let tensor = Tensor(entry.shape)
      file.read(entry, into: tensor.pointer)
      values[entry.name] = tensor.values
    }
    #expect(values["bé😀"] == [Float(bitPattern: 0x4049_0FDB)])
    #expect(values["h"] == [1, 0x1p-24])
    #expect(values["f"] == [-1.5, .infinity])
    #expect(file.entries.map(\.shape) == [[], [2], [0, 3], [1, 2]])
  }
}
