import Foundation
import MotionStream
import Testing

@Suite struct TokenizerTests {
  struct Case: Decodable {
    let text: String?
    let rows: Int
    let ids: [Int32]
  }
  struct Parameters: Decodable { let cases: [String: Case] }

  static let path = Fixture.folder + "/tiny-model/tokenizer/spiece.model"

  @Test func promptsGiveTheIdsOfTheReference() throws {
    let tokenizer = try Tokenizer(path: Self.path)
    let parameters: Parameters = try Fixture.parameters("text-encoder")
    for (name, example) in parameters.cases {
      guard let text = example.text else { continue }
      #expect(try tokenizer.encode(text, maxTokens: example.rows).ids == example.ids, "\(name)")
    }
  }

  @Test func anEmptyPromptIsTheEndTokenAlone() throws {
    let tokenizer = try Tokenizer(path: Self.path)
    for text in ["", " \n\t\u{3000} "] {
      let tokens = try tokenizer.encode(text, maxTokens: 4)
      #expect(tokens.ids == [tokenizer.endID])
      #expect(tokens.truncatedCount == 0)
    }
  }

  @Test func truncationKeepsTheEndTokenAndCountsWhatWasCut() throws {
    let tokenizer = try Tokenizer(path: Self.path)
    let text = "a red ball rolls over the green floor"
    let whole = try tokenizer.encode(text, maxTokens: 1000)
    #expect(whole.truncatedCount == 0)
    let exact = try tokenizer.encode(text, maxTokens: whole.ids.count)
    #expect(exact == whole)
    let cut = try tokenizer.encode(text, maxTokens: whole.ids.count - 3)
    #expect(cut.ids == Array(whole.ids.prefix(whole.ids.count - 4)) + [tokenizer.endID])
    #expect(cut.truncatedCount == 3)
    #expect(try tokenizer.encode(text, maxTokens: 1).ids == [tokenizer.endID])
  }

  @Test func everyIdIsInTheVocabulary() throws {
    let tokenizer = try Tokenizer(path: Self.path)
    let tokens = try tokenizer.encode("ein Ξ 北京 \u{1F600} \u{0} word", maxTokens: 100)
    #expect(tokens.ids.allSatisfy { (0..<Int32(tokenizer.pieceCount)).contains($0) })
    #expect(tokens.ids.contains(tokenizer.unknownID))
  }

  @Test func aMissingFileIsNamed() {
    let error = #expect(throws: ModelError.self) { try Tokenizer(path: "/nowhere/spiece.model") }
    #expect(error?.kind == .missing)
    #expect(error?.description.contains("/nowhere/spiece.model") == true)
  }

  @Test func damagedFilesAreRefused() throws {
    let folder = try ScratchFolder()
    let good = try Data(contentsOf: URL(fileURLWithPath: Self.path))
    let damaged: [(name: String, data: Data)] = [
      ("empty", Data()),
      ("text", Data("this is not a model\n".utf8)),
      ("halved", good.prefix(good.count / 2)),
      ("one byte short", good.dropLast()),
      ("zeros", Data(count: 4096)),
      ("noise", Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })),
    ]
    for (name, data) in damaged {
      let path = try folder.write("spiece.model", Data(data))
      let error = #expect(throws: ModelError.self, "\(name)") { try Tokenizer(path: path) }
      #expect(error?.kind == .badModel, "\(name)")
      #expect(error?.description.contains(path) == true, "\(name)")
    }
  }

  /// The fixture's model with character rules: 256 transitions, of which the first is `root`, and
  /// one empty replacement.
  static func model(root: UInt32) throws -> Data {
    var rules = withUnsafeBytes(of: UInt32(1024).littleEndian) { Data($0) }
    rules += withUnsafeBytes(of: root.littleEndian) { Data($0) } + Data(count: 1020) + [0]
    // Fields 3 (normalizer_spec) and in it 2 (precompiled_charsmap), with their lengths as varints.
    func field(_ number: UInt8, _ content: Data) -> Data {
      [number << 3 | 2, UInt8(content.count & 0x7F) | 0x80, UInt8(content.count >> 7)] + content
    }
    return try Data(contentsOf: URL(fileURLWithPath: path)) + field(3, field(2, rules))
  }

  @Test func characterRulesThatLeadOutsideTheirTableAreRefused() throws {
    let folder = try ScratchFolder()
    let harmless = try Tokenizer(path: folder.write("harmless.model", Self.model(root: 0)))
    let plain = try Tokenizer(path: Self.path)
    #expect(
      try harmless.encode("a red ball", maxTokens: 20) == plain.encode("a red ball", maxTokens: 20))
    // A next state far away; a match at the root whose place holds none; a replacement past the end.
    for root: UInt32 in [0x3FFF_FC00, 0x100, 0x8000_0001] {
      let path = try folder.write("spiece.model", Self.model(root: root))
      let error = #expect(throws: ModelError.self, "\(root)") { try Tokenizer(path: path) }
      #expect(error?.kind == .badModel)
    }
  }

  @Test(arguments: [
    ("two  words\n\t x ", "two words x"),
    ("&lt;b&gt; &amp;amp; &quot;q&quot;", "<b> & \"q\""),
    ("&amp;lt;", "<"),
    ("caf&eacute; &#233;&#xE9; &#xe9", "café éé é"),
    ("&copy 2026 &notit; &unknown; &", "© 2026 ¬it; &unknown; &"),
    ("&#128; &#0; &#xD800; &#99999999999; &#; &#x;", "€ \u{FFFD} \u{FFFD} \u{FFFD} &#; &#x;"),
    ("cafÃ©", "café"),
    ("café", "café"),
    ("itâ€™s", "it's"),
    ("\u{201C}it\u{2019}s\u{201D}", "\"it's\""),
    ("&nbsp;a&nbsp;", "a"),
  ])
  func cleaningFollowsWan(_ text: String, _ expected: String) {
    #expect(PromptCleaning.clean(text) == expected)
  }
}
