/// Everything that decides how a clip is written; `makeSink` turns it into the writer.
public struct OutputSettings: Sendable, Equatable {
  /// Where to.
  public var target: OutputTarget
  /// As what.
  public var format: OutputFormat
  /// Width of all frames in pixels.
  public var width: Int
  /// Height of all frames in pixels.
  public var height: Int
  /// Frames per second.
  public var frameRate: FrameRate
  /// Codec, quality and comment; only for formats with an encoder.
  public var encoding: EncodingSettings

  /// Collects the settings.
  public init(
    target: OutputTarget, format: OutputFormat, width: Int, height: Int, frameRate: FrameRate,
    encoding: EncodingSettings = EncodingSettings()
  ) {
    (self.target, self.format) = (target, format)
    (self.width, self.height, self.frameRate) = (width, height, frameRate)
    self.encoding = encoding
  }

  /// Opens the output. Throws `MediaError`, and then leaves nothing behind.
  public func makeSink() throws -> any FrameSink {
    if !format.isEncoded, encoding.codec != nil || encoding.crf != nil {
      throw MediaError(
        .invalidSettings, "\(target.name): \(format.rawValue) has no encoder to take a codec or crf"
      )
    }
    switch format {
    case .mp4, .mkv, .webm:
      return try VideoEncoder(
        target, format: format, width: width, height: height, frameRate: frameRate,
        encoding: encoding)
    case .y4m:
      return try Y4MWriter(target, width: width, height: height, frameRate: frameRate)
    case .raw:
      return try RawWriter(target, width: width, height: height, frameRate: frameRate)
    case .png:
      guard case .file(let path, let overwrite) = target else {
        throw MediaError(
          .invalidSettings, "\(target.name): PNG pictures need a folder or a name with %05d")
      }
      return try PNGSequenceWriter(path: path, width: width, height: height, overwrite: overwrite)
    }
  }

  /// The most pixels along one side of a clip: the limit of H.264 and VP9.
  static let largestSide = 16384

  static func checkSize(width: Int, height: Int) throws {
    let sides = 1...largestSide
    guard sides.contains(width), sides.contains(height) else {
      throw MediaError(
        .invalidSettings, "size \(width)x\(height): expected 1 to \(largestSide) pixels a side")
    }
  }
}

/// How the encoder is run.
public struct EncodingSettings: Sendable, Equatable {
  /// libavcodec's name of the encoder, such as `libx264`; `nil` is the format's own.
  public var codec: String?
  /// Constant quality, smaller is better, on the codec's own scale; `nil` is the codec's default.
  public var crf: Int?
  /// Encoder threads. One keeps the other cores for the model.
  public var threads: Int
  /// A text for the container's comment field, such as the parameters as JSON.
  public var comment: String?

  /// Collects the settings.
  public init(codec: String? = nil, crf: Int? = nil, threads: Int = 1, comment: String? = nil) {
    (self.codec, self.crf, self.threads, self.comment) = (codec, crf, threads, comment)
  }
}
