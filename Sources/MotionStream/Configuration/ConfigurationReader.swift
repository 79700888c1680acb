import Foundation
import Tracks

/// Takes the fields of one JSON object of a configuration file, with messages that name file,
/// field, expectation and finding.
struct ConfigurationReader {
  /// How messages call the file.
  let file: String
  private let place: String
  private let members: [JSONMember]
  private var taken: Set<String> = []

  /// The largest configuration file read, in bytes; real ones have a few hundred.
  private static let maximumLength = 1 << 20

  /// Reads `DIRECTORY/file`; `file` is also how messages call it.
  init(directory: String, file: String) throws(ModelError) {
    let path = "\(directory)/\(file)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw ModelError(.missing, "\(path): no such file")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ModelError(.badModel, "\(path): cannot be read")
    }
    guard data.count <= ConfigurationReader.maximumLength else {
      throw ModelError(
        .badModel, "\(path): \(data.count) bytes, a configuration has at most 1 MiB")
    }
    try self.init(data, file: path)
  }

  /// Reads a text; `file` is how messages call it.
  init(_ data: Data, file: String) throws(ModelError) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONReader.parse(data)
    } catch {
      let (line, column) = JSONReader.place(of: error.offset, in: data)
      throw ModelError(.badModel, "\(file):\(line):\(column): \(error.reason)")
    }
    try self.init(value, file: file, place: "")
  }

  private init(_ value: JSONValue, file: String, place: String) throws(ModelError) {
    self.file = file
    self.place = place
    guard case .object(let members) = value.kind else {
      throw ModelError(
        .badModel,
        "\(file): \(place.isEmpty ? "" : place + ": ")expected an object, found "
          + value.summary)
    }
    self.members = members
  }

  /// A whole number in `range`.
  mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(ModelError) -> Int {
    let value = try take(name)
    guard let integer = whole(value), range.contains(integer) else {
      throw wrong(name, "a whole number from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return integer
  }

  /// A whole number in `range`, or nil for null or absent.
  mutating func optionalInteger(
    _ name: String, in range: ClosedRange<Int>
  ) throws(ModelError) -> Int? {
    isNull(name) ? nil : try integer(name, in: range)
  }

  /// A list of so many whole numbers in `range`.
  mutating func integers(
    _ name: String, count: ClosedRange<Int>, in range: ClosedRange<Int>
  ) throws(ModelError) -> [Int] {
    let value = try take(name)
    let numbers = value.array?.compactMap(whole).filter(range.contains)
    guard let numbers, count.contains(numbers.count), numbers.count == value.array?.count else {
      let many =
        count.lowerBound == count.upperBound
        ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
      throw wrong(
        name, "\(many) whole numbers from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return numbers
  }

  /// A list of so many whole numbers in `range`, or nil for null or absent.
  mutating func optionalIntegers(
    _ name: String, count: ClosedRange<Int>, in range: ClosedRange<Int>
  ) throws(ModelError) -> [Int]? {
    isNull(name) ? nil : try integers(name, count: count, in: range)
  }

  /// A number in `range`.
  mutating func number(_ name: String, in range: ClosedRange<Double>) throws(ModelError) -> Double {
    let value = try take(name)
    guard let number = value.number, range.contains(number) else {
      throw wrong(name, "a number from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return number
  }

  /// A number in `range`, or nil for null or absent.
  mutating func optionalNumber(
    _ name: String, in range: ClosedRange<Double>
  ) throws(ModelError) -> Double? {
    isNull(name) ? nil : try number(name, in: range)
  }

  /// A list of 1 to `atMost` numbers in `range`.
  mutating func numbers(
    _ name: String, atMost: Int, in range: ClosedRange<Double>
  ) throws(ModelError) -> [Double] {
    let value = try take(name)
    let numbers = value.array?.compactMap(\.number).filter(range.contains)
    guard let numbers, (1...atMost).contains(numbers.count), numbers.count == value.array?.count
    else {
      throw wrong(
        name, "1 to \(atMost) numbers from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return numbers
  }

  /// `true` or `false`.
  mutating func bool(_ name: String) throws(ModelError) -> Bool {
    let value = try take(name)
    guard case .bool(let flag) = value.kind else { throw wrong(name, "true or false", value) }
    return flag
  }

  /// A text of 1 to 200 characters.
  mutating func text(_ name: String) throws(ModelError) -> String {
    let value = try take(name)
    guard let text = value.string, (1...200).contains(text.count) else {
      throw wrong(name, "a text of 1 to 200 characters", value)
    }
    return text
  }

  /// One of the words of `Choice`.
  mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _: Choice.Type = Choice.self
  ) throws(ModelError) -> Choice where Choice.RawValue == String {
    let value = try take(name)
    guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
      throw wrong(name, "one of " + words(Choice.self), value)
    }
    return choice
  }

  /// One of the words of `Choice`, or nil for null or absent.
  mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _: Choice.Type = Choice.self
  ) throws(ModelError) -> Choice? where Choice.RawValue == String {
    isNull(name) ? nil : try choice(name)
  }

  /// A list of different words of `Choice`.
  mutating func choices<Choice: RawRepresentable & CaseIterable & Hashable>(
    _ name: String, _: Choice.Type = Choice.self
  ) throws(ModelError) -> [Choice] where Choice.RawValue == String {
    let value = try take(name)
    let choices = value.array?.compactMap { $0.string.flatMap(Choice.init(rawValue:)) }
    guard let choices, choices.count == value.array?.count, Set(choices).count == choices.count
    else { throw wrong(name, "a list of different words of " + words(Choice.self), value) }
    return choices
  }

  /// The object `name`.
  mutating func object(_ name: String) throws(ModelError) -> ConfigurationReader {
    try ConfigurationReader(try take(name), file: file, place: path(name))
  }

  /// The object `name`, or nil for null. With `required`, null must be written out.
  mutating func optionalObject(
    _ name: String, required: Bool
  ) throws(ModelError) -> ConfigurationReader? {
    if required { _ = try take(name) }
    return isNull(name) ? nil : try object(name)
  }

  /// Refuses fields that nobody took, except those that start with "x-".
  func refuseUnknown() throws(ModelError) {
    let unknown = members.map(\.name).filter { !taken.contains($0) && !$0.hasPrefix("x-") }
    if let first = unknown.first {
      let others = unknown.count > 1 ? " (and \(unknown.count - 1) more)" : ""
      throw ModelError(.badModel, "\(file): \(path(first)): unknown field\(others)")
    }
  }

  /// An error about a field whose value contradicts another.
  func contradiction(_ name: String, _ reason: String) -> ModelError {
    ModelError(.badModel, "\(file): \(path(name)): \(reason)")
  }

  // MARK: Private parts

  private mutating func take(_ name: String) throws(ModelError) -> JSONValue {
    taken.insert(name)
    guard let value = members.first(where: { $0.name == name })?.value else {
      throw ModelError(.badModel, "\(file): \(path(name)): missing")
    }
    return value
  }

  private mutating func isNull(_ name: String) -> Bool {
    taken.insert(name)
    guard let value = members.first(where: { $0.name == name })?.value else { return true }
    return value.kind == .null
  }

  private func whole(_ value: JSONValue) -> Int? { value.number.flatMap(Int.init(exactly:)) }

  private func words<Choice: RawRepresentable & CaseIterable>(
    _: Choice.Type
  ) -> String where Choice.RawValue == String {
    Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
  }

  private func wrong(_ name: String, _ expected: String, _ found: JSONValue) -> ModelError {
    ModelError(.badModel, "\(file): \(path(name)): expected \(expected), found \(found.summary)")
  }

  private func path(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }
}
