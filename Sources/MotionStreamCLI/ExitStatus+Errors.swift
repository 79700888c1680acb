import Media
import MotionStream
import Tracks

extension ExitStatus {
  /// The exit code of an error of ours, this being the one place that decides; nil for errors of
  /// the argument parser, which knows its own codes.
  init?(_ error: any Error) {
    switch error {
    case let error as CommandError: self = error.status
    case let error as ModelError: self = Self.status(of: error.kind)
    case let error as MediaError: self = Self.status(of: error.kind)
    case let error as TrackError: self = Self.status(of: error.kind)
    default: return nil
    }
  }

  private static func status(of kind: ModelError.Kind) -> ExitStatus {
    switch kind {
    case .missing: .missingInput
    case .badModel: .badModel
    case .badData: .badData
    case .usage: .usage
    case .internalCheck: .internalCheck
    case .outOfMemory: .outOfMemory
    }
  }

  private static func status(of kind: MediaError.Kind) -> ExitStatus {
    switch kind {
    case .invalidSettings: .usage
    case .badData: .badData
    case .inputMissing: .missingInput
    case .unavailable: .unavailable
    case .cannotCreate: .cannotCreate
    case .inputOutput, .closedPipe: .inputOutput
    }
  }

  private static func status(of kind: TrackError.Kind) -> ExitStatus {
    switch kind {
    case .badData: .badData
    case .cannotCreate: .cannotCreate
    case .inputOutput: .inputOutput
    }
  }
}
