/// Everything that decides what a clip shows and how it is stored: what the command line asks for,
/// and what a sidecar remembers. A field that is nil leaves the choice to the model or the program.
package struct ClipRequest: Codable, Equatable, Sendable {
  /// The model directory and its content hash.
  package struct Model: Codable, Equatable, Sendable {
    /// The directory.
    package var path: String
    /// The name in its manifest.
    package var name: String?
    /// What `ModelDirectory.contentHash` gave.
    package var hash: String?

    /// Names a directory.
    package init(path: String, name: String? = nil, hash: String? = nil) {
      self.path = path
      self.name = name
      self.hash = hash
    }
  }

  /// A file that the clip was made from.
  package struct Input: Codable, Equatable, Sendable {
    /// Where it was; `-` for standard input.
    package var path: String
    /// SHA-256 of its bytes.
    package var sha256: String?
    /// The text itself, kept for track files that are small or came from standard input.
    package var content: String?

    /// Names a file.
    package init(path: String, sha256: String? = nil, content: String? = nil) {
      self.path = path
      self.sha256 = sha256
      self.content = content
    }
  }

  /// The model.
  package var model: Model?
  /// The prompt's text.
  package var prompt: String?
  /// The first frame.
  package var image: Input?
  /// `crop`, `pad` or `stretch`.
  package var imageFit: String?
  /// The track file.
  package var tracks: Input?
  /// Frames of the clip.
  package var frames: Int?
  /// Seconds of the clip; turned into `frames` as soon as the playback rate is known.
  package var duration: Double?
  /// Whether the clip goes on until it is stopped.
  package var endless: Bool?
  /// Pixels across.
  package var width: Int?
  /// Pixels down.
  package var height: Int?
  /// Playback rate, `16` or `30000/1001`.
  package var fps: String?
  /// Seed of the noise.
  package var seed: UInt64?
  /// Denoising steps per chunk.
  package var steps: Int?
  /// `mp4`, `mkv`, `webm`, `y4m`, `raw` or `png`.
  package var format: String?
  /// The encoder's name.
  package var codec: String?
  /// The encoder's quality.
  package var crf: Int?

  enum CodingKeys: String, CodingKey {
    case model, prompt, image, tracks, frames, duration, endless, width, height
    case fps, seed, steps, format, codec, crf
    case imageFit = "image_fit"
  }

  /// Asks for nothing in particular.
  package init() {}

  /// This request where it says something, `other` where it does not. The length (`frames`,
  /// `duration`, `endless`) counts as one thing, and so does an input file.
  package func filled(from other: ClipRequest) -> ClipRequest {
    var result = self
    result.model = model ?? other.model
    result.prompt = prompt ?? other.prompt
    result.image = image ?? other.image
    result.imageFit = imageFit ?? other.imageFit
    result.tracks = tracks ?? other.tracks
    if frames == nil && duration == nil && endless == nil {
      result.frames = other.frames
      result.duration = other.duration
      result.endless = other.endless
    }
    result.width = width ?? other.width
    result.height = height ?? other.height
    result.fps = fps ?? other.fps
    result.seed = seed ?? other.seed
    result.steps = steps ?? other.steps
    result.format = format ?? other.format
    result.codec = codec ?? other.codec
    result.crf = crf ?? other.crf
    return result
  }
}
