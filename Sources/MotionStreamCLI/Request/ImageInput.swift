import Frames
import Media

/// The first picture, read and brought to the clip's size.
struct ImageInput {
  /// What the sidecar says about it.
  let record: ClipRequest.Input
  /// The picture at the clip's size.
  let frame: RGBFrame
  /// Its own width and height.
  let originalSize: (width: Int, height: Int)

  /// Reads and fits the picture. A request that comes from a sidecar carries the hash to expect.
  init(
    _ request: ClipRequest.Input, fit: ImageFit, width: Int, height: Int, warn: (String) -> Void
  ) throws {
    let bytes = try InputFile.read(
      request.path, role: "--image", limit: ImageReader.largestFileSize)
    let hash = SHA256.hex(of: bytes)
    if let expected = request.sha256, expected != hash {
      warn("\(request.path): the picture is not the one the clip was made from (SHA-256 differs)")
    }
    let picture = try ImageReader.decode(bytes, name: request.path)
    originalSize = (picture.width, picture.height)
    frame = ImageScaler.scale(picture, toWidth: width, height: height, fit: fit)
    record = ClipRequest.Input(path: InputFile.absolute(request.path), sha256: hash)
    let ratio = Double(picture.width * height) / Double(picture.height * width)
    if abs(ratio - 1) > 0.01 {
      let action = fit == .crop ? "cut" : fit == .pad ? "padded with black" : "distorted"
      warn(
        "\(request.path): \(picture.width)x\(picture.height) does not have the shape of "
          + "\(width)x\(height); it is \(action) (--image-fit \(fit.rawValue))")
    }
  }
}
