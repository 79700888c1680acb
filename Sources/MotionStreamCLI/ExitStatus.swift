/// What the program's exit code says, after BSD's sysexits.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Everything asked for was written, and the frames were counted.
  case done = 0
  /// Something nobody foresaw.
  case failure = 1
  /// The command line itself is wrong.
  case usage = 64
  /// An input was read and is not what it should be (tracks, image, metadata).
  case badData = 65
  /// An input is not there or may not be read.
  case missingInput = 66
  /// The machine lacks something (a codec).
  case unavailable = 69
  /// A check of our own failed (a number that is not finite, a wrong frame count).
  case internalCheck = 70
  /// Not enough memory.
  case outOfMemory = 71
  /// The output cannot be made, or is there already.
  case cannotCreate = 73
  /// Writing went wrong later on (disk full, reader gone).
  case inputOutput = 74
  /// Stopped before all was done, at a limit that was asked for; the same command goes on.
  case stoppedEarly = 75
  /// The model directory is broken or of a kind we do not know.
  case badModel = 78
  /// Stopped by SIGINT; what was made is playable.
  case interrupted = 130
  /// Stopped by SIGTERM; what was made is playable.
  case terminated = 143
}

/// An error of the command line's own, with the exit code it leads to.
package struct CommandError: Error, CustomStringConvertible {
  /// The exit code.
  package let status: ExitStatus
  /// One sentence for the user, naming the place.
  package let description: String

  /// Makes an error.
  package init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }
}
