/// What went wrong with a model, its inputs or a run, in words for the person at the terminal.
public struct ModelError: Error, CustomStringConvertible, Equatable {
  /// The class of a failure; a command line maps it to its exit code.
  public enum Kind: Sendable, Equatable {
    /// A file or folder is not there.
    case missing
    /// A model's files contradict each other, the format or their own configuration.
    case badModel
    /// An input of this run (picture, tracks, prompt) cannot be used.
    case badData
    /// A value was asked for that this model cannot do.
    case usage
    /// A check inside the engine failed: the numbers cannot be trusted.
    case internalCheck
    /// Memory ran out.
    case outOfMemory
  }

  /// The class of the failure.
  public let kind: Kind
  /// What was expected, what was found, and where.
  public let description: String

  /// Makes an error.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
