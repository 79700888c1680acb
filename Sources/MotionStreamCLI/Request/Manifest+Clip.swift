import Media
import MotionStream

extension MotionStreamManifest {
  /// The model's own frame rate.
  var frameRate: Media.FrameRate {
    guard let rate = Media.FrameRate("\(fps)") ?? Media.FrameRate(Int((fps * 1000).rounded()), 1000)
    else { preconditionFailure("\(name): the manifest let \(fps) frames a second pass") }
    return rate
  }

  /// Frames that chunk `index` decodes to: the very first latent is one frame, every later one
  /// `temporalCompression`.
  func frames(inChunk index: Int) -> Int {
    index == 0 ? 1 + (firstChunk - 1) * temporalCompression : chunk * temporalCompression
  }
}

extension ModelDirectory {
  /// Pixels that width and height must be multiples of: a latent pixel times a patch.
  var sizeMultiple: (width: Int, height: Int) {
    (
      manifest.spatialCompression * transformer.patchWidth,
      manifest.spatialCompression * transformer.patchHeight
    )
  }
}
