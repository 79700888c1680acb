import Logging
import Synchronization

/// What one run tells the user: messages on standard error, and events for programs.
final class RunReporter: Sendable {
  /// Standard error.
  let console: Console
  private let logger: Logger
  private let events: EventLog?

  init(options: ReportOptions) throws(CommandError) {
    console = Console()
    logger = Logger(console: console, volume: options.volume)
    if let path = options.events { events = try EventLog(path: path) } else { events = nil }
  }

  /// Says only warnings and errors, and writes no events.
  init() {
    console = Console()
    logger = Logger(label: "motionstream") { [console] _ in
      StandardErrorLogHandler(console: console, logLevel: .warning)
    }
    events = nil
  }

  /// Says nothing.
  init(silent console: Console) {
    self.console = console
    logger = Logger(label: "motionstream") { _ in SwiftLogNoOpLogHandler() }
    events = nil
  }

  /// A result or a decision.
  func info(_ text: String) { logger.info("\(text)") }

  /// Something only the curious want.
  func detail(_ text: String) { logger.debug("\(text)") }

  /// Something that may not be what the user meant.
  func warn(_ text: String) {
    logger.warning("\(text)")
    events?.write(.warning(Event.Warning(message: text)))
  }

  /// Something that ends the run, or nearly did.
  func error(_ text: String) { logger.error("\(text)") }

  /// A line for programs.
  func event(_ event: Event) { events?.write(event) }
}
