import Logging

/// Sends log messages to standard error, one line each, warnings and errors named as such.
struct StandardErrorLogHandler: LogHandler {
  let console: Console
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    console.line(prefix(of: event.level) + "\(event.message)")
  }

  private func prefix(of level: Logger.Level) -> String {
    switch level {
    case .trace, .debug, .info, .notice: ""
    case .warning: colored("warning: ", code: "33")
    case .error, .critical: colored("error: ", code: "31")
    }
  }

  private func colored(_ text: String, code: String) -> String {
    console.usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension Logger {
  /// A logger to `console`: errors only when quiet, everything when verbose.
  init(console: Console, volume: VolumeOptions) {
    let level: Logger.Level = volume.quiet ? .error : volume.verbose ? .debug : .info
    self.init(label: "motionstream") { _ in
      StandardErrorLogHandler(console: console, logLevel: level)
    }
  }
}
