import CSentencePiece
import Foundation

/// A prompt as ids for the text encoder.
public struct Tokens: Sendable, Equatable {
  /// Piece ids, the end token last.
  public let ids: [Int32]
  /// Content tokens cut from the end because the prompt was too long; 0 when all fit.
  public let truncatedCount: Int
}

/// SentencePiece tokenizer with the end token and truncation of umT5's Hugging Face tokenizer.
///
/// Special pieces written out in a prompt (`</s>`, `<extra_id_0>`) are read as ordinary text.
public final class Tokenizer: Sendable {
  /// Pieces in the vocabulary: every id is below this.
  public let pieceCount: Int
  /// The end token; 1 in umT5.
  public let endID: Int32
  /// The token of unknown text; 2 in umT5.
  public let unknownID: Int32

  // SentencePiece's encode is const and keeps no state: safe from any thread.
  private nonisolated(unsafe) let model: OpaquePointer

  /// Reads `spiece.model` at `path`. Throws `.missing` or `.badModel`.
  public init(path: String) throws(ModelError) {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw ModelError(.missing, "\(path): expected a SentencePiece model, found no readable file")
    }
    if let fault = bytes.withUnsafeBytes({ CharacterRules.fault(inModel: $0) }) {
      throw ModelError(.badModel, "\(path): expected a SentencePiece model, found \(fault)")
    }
    var message: UnsafeMutablePointer<CChar>?
    let loaded = bytes.withUnsafeBytes { sp_load($0.baseAddress, $0.count, &message) }
    guard let loaded else {
      throw ModelError(
        .badModel, "\(path): expected a SentencePiece model, found \(Self.take(message))")
    }
    model = loaded
    pieceCount = Int(sp_piece_count(loaded))
    endID = sp_end_id(loaded)
    unknownID = sp_unknown_id(loaded)
    guard endID >= 0 else {
      throw ModelError(.badModel, "\(path): expected an end token (</s>), found none")
    }
  }

  deinit { sp_unload(model) }

  /// Cleans and splits `text`: at most `maxTokens` >= 1 ids, of which the last is the end token.
  public func encode(_ text: String, maxTokens: Int) throws(ModelError) -> Tokens {
    precondition(maxTokens >= 1, "no room for the end token")
    var content = try pieces(of: PromptCleaning.clean(text))
    let truncated = max(0, content.count - (maxTokens - 1))
    content.removeLast(truncated)
    return Tokens(ids: content + [endID], truncatedCount: truncated)
  }

  private func pieces(of text: String) throws(ModelError) -> [Int32] {
    var text = text
    var message: UnsafeMutablePointer<CChar>?
    var ids: UnsafeMutablePointer<Int32>?
    let count = text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) {
        sp_encode(model, $0.baseAddress, $0.count, &ids, &message)
      }
    }
    guard count >= 0, let ids else {
      throw ModelError(.badModel, "the tokenizer refused the prompt: \(Self.take(message))")
    }
    defer { sp_free(ids) }
    return Array(UnsafeBufferPointer(start: ids, count: Int(count)))
  }

  /// Copies an error text of the shim and releases it.
  private static func take(_ message: UnsafeMutablePointer<CChar>?) -> String {
    guard let message else { return "no reason given" }
    defer { sp_free(message) }
    return String(cString: message)
  }
}
