/// Checks the character rules inside a SentencePiece model before the library sees them.
///
/// The library follows that table (a "double array" of transitions between bytes, and a text of
/// replacements) without looking at its ends, so a damaged file could make it read anywhere. The
/// rest of a model it checks itself.
enum CharacterRules {
  /// What is wrong with the rules of a serialised model, or nil. Only the fields on the way to the
  /// rules are read: `normalizer_spec` (3) and `denormalizer_spec` (5), there
  /// `precompiled_charsmap` (2).
  static func fault(inModel bytes: UnsafeRawBufferPointer) -> String? {
    let valid = forEachField(bytes) { number, content in
      guard number == 3 || number == 5 else { return true }
      return forEachField(content) { number, content in
        number != 2 || content.isEmpty || areValid(content)
      }
    }
    return valid ? nil : "damaged fields or character rules"
  }

  /// Calls `body` with every length-delimited field of a protocol buffer message, until one is
  /// refused. False if that happens or the message is not well formed.
  private static func forEachField(
    _ message: UnsafeRawBufferPointer, _ body: (UInt64, UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    var rest = message[...]
    while !rest.isEmpty {
      guard let key = takeVarint(&rest) else { return false }
      let length: Int
      switch key & 7 {
      case 0:
        guard takeVarint(&rest) != nil else { return false }
        continue
      case 1: length = 8
      case 2:
        guard let written = takeVarint(&rest), written <= UInt64(rest.count) else { return false }
        length = Int(written)
      case 5: length = 4
      default: return false
      }
      guard length <= rest.count else { return false }
      let content = UnsafeRawBufferPointer(rebasing: rest.prefix(length))
      rest = rest.dropFirst(length)
      if key & 7 == 2, !body(key >> 3, content) { return false }
    }
    return true
  }

  private static func takeVarint(_ bytes: inout Slice<UnsafeRawBufferPointer>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// Rules are the byte count of the transitions, the transitions (32 bits each), and replacement
  /// texts that end in zero bytes.
  private static func areValid(_ rules: UnsafeRawBufferPointer) -> Bool {
    guard rules.count > 4 else { return false }
    let size = Int(UInt32(littleEndian: rules.loadUnaligned(as: UInt32.self)))
    guard size > 0, size % 4 == 0, size < rules.count - 4, rules.last == 0 else { return false }
    let count = size / 4
    let textCount = rules.count - 4 - size
    func unit(_ index: Int) -> UInt32 {
      UInt32(littleEndian: rules.loadUnaligned(fromByteOffset: 4 + 4 * index, as: UInt32.self))
    }
    for index in 0..<count {
      let value = unit(index)
      if value >> 31 == 1 {  // a match: where its replacement starts
        guard Int(value & 0x7FFF_FFFF) < textCount else { return false }
      } else {
        // A state: the next one lies in a block of 256, one place for every byte.
        let offset = Int(value >> 10) << Int((value & (1 << 9)) >> 6)
        let block = index ^ offset
        guard block | 0xFF < count else { return false }
        // Bit 8: the text so far is a match, which is the block's place for byte 0.
        if value & (1 << 8) != 0, unit(block) >> 31 == 0 { return false }
      }
    }
    return true
  }
}
