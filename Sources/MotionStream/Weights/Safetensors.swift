import Glibc

/// A memory-mapped safetensors file: an 8-byte length, a JSON header, then the values.
///
/// Everything the header says is checked before anything is read, as the format's reference reader
/// does: offsets inside the file, no overlap, no holes, sizes that match shape and type.
package final class Safetensors: Sendable {
  /// How a tensor's values are stored.
  package enum DType: String, Sendable, CaseIterable {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f8e4m3 = "F8_E4M3"
    case f8e5m2 = "F8_E5M2"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// Bytes a value.
    package var size: Int {
      switch self {
      case .f64, .i64, .u64: 8
      case .f32, .i32, .u32: 4
      case .f16, .bf16, .i16, .u16: 2
      case .f8e4m3, .f8e5m2, .i8, .u8, .bool: 1
      }
    }

    /// Whether `read` can widen it to float32.
    package var isReadable: Bool { self == .f32 || self == .f16 || self == .bf16 }
  }

  /// One tensor of the file.
  package struct Entry: Sendable, Equatable {
    /// The name, as stored.
    package let name: String
    /// The stored type.
    package let dtype: DType
    /// Sizes, slowest first.
    package let shape: [Int]
    /// Number of values.
    package let count: Int
    /// Where the values start, in bytes from the start of the file.
    package let offset: Int

    /// Bytes in the file.
    package var byteCount: Int { count * dtype.size }
  }

  /// The reference reader's limit too.
  package static let maximumHeaderLength = 100_000_000

  /// Where the file is.
  package let path: String
  /// The file's size in bytes.
  package let fileSize: Int
  /// The tensors, in file order.
  package let entries: [Entry]
  // Read-only memory, valid until deinit.
  nonisolated(unsafe) private let map: UnsafeRawPointer

  /// Maps and checks a file.
  package init(path: String) throws(ModelError) {
    self.path = path
    let (map, size) = try Safetensors.map(path)
    do throws(HeaderScanner.Failure) {
      entries = try Safetensors.checkedEntries(UnsafeRawBufferPointer(start: map, count: size))
    } catch {
      munmap(UnsafeMutableRawPointer(mutating: map), size)
      throw ModelError(.badModel, "\(path): \(error.reason)")
    }
    self.map = map
    fileSize = size
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: map), fileSize) }

  /// Widens a tensor's values to float32.
  package func read(_ entry: Entry, into target: UnsafeMutablePointer<Float>) {
    read(entry, from: 0, count: entry.count, into: target)
  }

  /// Widens `count` values of a tensor, beginning at value `start`, to float32.
  package func read(
    _ entry: Entry, from start: Int, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    precondition(start >= 0 && count >= 0 && start + count <= entry.count, "\(entry.name)")
    let source = map + entry.offset + start * entry.dtype.size
    switch entry.dtype {
    case .f32: memcpy(target, source, count * entry.dtype.size)
    case .f16: widen(float16: source, into: target, count: count)
    case .bf16: widen(bfloat16: source, into: target, count: count)
    default: preconditionFailure("\(entry.name): \(entry.dtype) cannot be read as float32")
    }
  }

  /// The stored bytes of the whole file, for hashing; valid inside `body` only.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    body(UnsafeRawBufferPointer(start: map, count: fileSize))
  }

  private static func map(_ path: String) throws(ModelError) -> (UnsafeRawPointer, Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw ModelError(
        errno == ENOENT ? .missing : .badModel, "\(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      throw ModelError(.badModel, "\(path): not a regular file")
    }
    let size = Int(information.st_size)
    guard size >= 8 else {
      throw ModelError(
        .badModel, "\(path): \(size) bytes, too short for the length of a safetensors header")
    }
    guard let map = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), map != MAP_FAILED
    else {
      throw ModelError(
        .outOfMemory, "\(path): cannot be mapped: \(String(cString: strerror(errno)))")
    }
    return (UnsafeRawPointer(map), size)
  }

  private static func checkedEntries(
    _ file: UnsafeRawBufferPointer
  ) throws(HeaderScanner.Failure) -> [Entry] {
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(maximumHeaderLength) else {
      throw HeaderScanner.Failure(
        reason: "a header of \(length) bytes, at most \(maximumHeaderLength) are allowed")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= file.count else {
      throw HeaderScanner.Failure(
        reason: "a header of \(length) bytes in a file of \(file.count) bytes")
    }
    let written = try HeaderScanner.entries(UnsafeRawBufferPointer(rebasing: file[8..<dataStart]))
    var entries: [Entry] = []
    entries.reserveCapacity(written.count)
    for tensor in written {
      entries.append(try checked(tensor, dataStart: dataStart, fileSize: file.count))
    }
    try checkCoverage(written, dataSize: file.count - dataStart)
    return entries
  }

  private static func checked(
    _ tensor: HeaderScanner.Entry, dataStart: Int, fileSize: Int
  ) throws(HeaderScanner.Failure) -> Entry {
    guard let dtype = DType(rawValue: tensor.dtype) else {
      throw HeaderScanner.Failure(reason: "\(tensor.name): unknown dtype \"\(tensor.dtype)\"")
    }
    var count = 1
    var bytes = dtype.size
    for size in tensor.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      count = product
      let (total, byteOverflow) = product.multipliedReportingOverflow(by: dtype.size)
      bytes = total
      guard !overflow && !byteOverflow else {
        throw HeaderScanner.Failure(reason: "\(tensor.name): shape \(tensor.shape) is too large")
      }
    }
    guard tensor.begin <= tensor.end, tensor.end <= fileSize - dataStart else {
      throw HeaderScanner.Failure(
        reason: """
          \(tensor.name): data_offsets [\(tensor.begin), \(tensor.end)] \
          outside the \(fileSize - dataStart) bytes of data
          """)
    }
    guard tensor.end - tensor.begin == bytes else {
      throw HeaderScanner.Failure(
        reason: """
          \(tensor.name): \(tensor.dtype) \(tensor.shape) needs \(bytes) bytes, \
          data_offsets span \(tensor.end - tensor.begin)
          """)
    }
    return Entry(
      name: tensor.name, dtype: dtype, shape: tensor.shape, count: count,
      offset: dataStart + tensor.begin)
  }

  /// The tensors must fill the data exactly: bytes no tensor owns could hide anything.
  private static func checkCoverage(
    _ tensors: [HeaderScanner.Entry], dataSize: Int
  ) throws(HeaderScanner.Failure) {
    var reached = 0
    for tensor in tensors.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard tensor.begin == reached else {
        let what = tensor.begin < reached ? "overlaps the tensor before it" : "leaves a hole"
        throw HeaderScanner.Failure(
          reason: "\(tensor.name): data starts at \(tensor.begin), expected \(reached): it \(what)")
      }
      reached = tensor.end
    }
    guard reached == dataSize else {
      throw HeaderScanner.Failure(
        reason: "the tensors end at byte \(reached) of the data, which has \(dataSize)")
    }
  }
}
