/// A parsed JSON value that remembers where it stood in its file.
///
/// Two values are equal when their contents are; the place is ignored.
public struct JSONValue: Sendable, Equatable {
  /// What the value is.
  public indirect enum Kind: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// Any number. Not finite only if the reader was told to let such tokens through.
    case number(Double)
    /// A string, escapes resolved.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// An object, members in file order, names unique.
    case object([JSONMember])
  }

  /// What the value is.
  public var kind: Kind
  /// First byte of the value in its file; 0 for a value made in memory.
  public var offset: Int

  /// Makes a value.
  public init(_ kind: Kind, offset: Int = 0) {
    self.kind = kind
    self.offset = offset
  }

  /// Compares contents, not places.
  public static func == (lhs: JSONValue, rhs: JSONValue) -> Bool { lhs.kind == rhs.kind }

  /// The member of that name, if this is an object that has it.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = kind else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The items, if this is a list.
  public var array: [JSONValue]? {
    guard case .array(let items) = kind else { return nil }
    return items
  }

  /// The text, if this is a string.
  public var string: String? {
    guard case .string(let text) = kind else { return nil }
    return text
  }

  /// The number, if this is one.
  public var number: Double? {
    guard case .number(let value) = kind else { return nil }
    return value
  }

  /// A short description for error messages: `number 3.5`, `a list of 2`, `null`.
  public var summary: String {
    switch kind {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .number(let value):
      if value.isNaN { return "NaN" }
      return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "number \(plain(value))"
    case .string(let text): return "string \"\(text.prefix(40))\(text.count > 40 ? "…" : "")\""
    case .array(let items): return items.isEmpty ? "an empty list" : "a list of \(items.count)"
    case .object: return "an object"
    }
  }

  /// The first number inside that is NaN or infinite, if any.
  var firstNonFinite: JSONValue? {
    switch kind {
    case .number(let value): return value.isFinite ? nil : self
    case .array(let items): return items.lazy.compactMap(\.firstNonFinite).first
    case .object(let members): return members.lazy.compactMap(\.value.firstNonFinite).first
    default: return nil
    }
  }
}

/// One name and value of a JSON object.
public struct JSONMember: Sendable, Equatable {
  /// The member's name.
  public var name: String
  /// The member's value.
  public var value: JSONValue

  /// Makes a member.
  public init(name: String, value: JSONValue) {
    self.name = name
    self.value = value
  }
}

/// A number as people write it: no `.0` on whole numbers, otherwise the shortest text that reads
/// back to the same value.
func plain(_ value: Double) -> String {
  if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
  return "\(value)"
}
