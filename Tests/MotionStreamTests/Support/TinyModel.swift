import Foundation
import Frames
import MotionStream
import Testing
import Tracks

/// Models of the fixtures, and what their rollouts were made from.
enum TinyModel {
  /// A model's folder in the fixtures.
  static func path(_ name: String) -> String { "\(Fixture.folder)/\(name)" }

  /// Loads a model of the fixtures.
  static func load(_ name: String = "tiny-model", threads: Int = 2) throws -> Model {
    try Model.load(ModelDirectory(path: path(name)), threads: threads)
  }

  /// The rows [T * C, H*W] of a clip stored as [C, T, H, W].
  static func framesFirst(_ clip: Tensor, _ frames: Range<Int>) -> Tensor {
    let (channels, count) = (clip.shape[0], clip.shape[1])
    let pixels = clip.shape[2] * clip.shape[3]
    let result = Tensor(frames.count * channels, pixels)
    for (index, frame) in frames.enumerated() {
      for channel in 0..<channels {
        (result.pointer + (index * channels + channel) * pixels).update(
          from: clip.pointer + (channel * count + frame) * pixels, count: pixels)
      }
    }
    return result
  }

  /// A picture stored as [3, H, W] in [0, 1].
  static func picture(_ tensor: Tensor) -> RGBFrame {
    let (height, width) = (tensor.shape[1], tensor.shape[2])
    var pixels = [UInt8](repeating: 0, count: height * width * 3)
    for channel in 0..<3 {
      for pixel in 0..<height * width {
        let value = tensor.pointer[channel * height * width + pixel]
        pixels[pixel * 3 + channel] = UInt8((value * 255).rounded())
      }
    }
    return RGBFrame(width: width, height: height, pixels: pixels)
  }

  /// Tracks stored as points [F, N, 2] in pixels and visible [F, N].
  static func sampler(
    points: Tensor, visible: Tensor, ids: [Int], width: Int = 48, height: Int = 32,
    change: (Int, TrackPosition) -> TrackPosition = { $1 }
  ) -> TrackSampler {
    let frames = points.shape[0]
    let tracks = ids.enumerated().map { index, id in
      let places: [TrackPosition?] = (0..<frames).map { frame in
        let row = (frame * ids.count + index) * 2
        return change(
          frame,
          TrackPosition(x: Double(points.pointer[row]), y: Double(points.pointer[row + 1])))
      }
      let flags = (0..<frames).map { visible.pointer[$0 * ids.count + index] != 0 }
      return Track(id: id, motion: .points(places), visibility: Visibility(flags), after: .hold)
    }
    let document = TrackDocument(width: width, height: height, fps: .number(16), tracks: tracks)
    return TrackSampler(document, fps: 16, fit: .stretch, output: (width, height))
  }
}

/// A rollout of the fixtures: what it was made from and what came out.
struct RolloutFixture {
  struct Parameters: Decodable {
    let model: String
    let prompt: String
    let seed: String
    let chunks: Int
    let frames: [Int]
    let ids: [Int]?
    let image: Bool
  }

  let fixture: Fixture
  let parameters: Parameters

  init(_ name: String) throws {
    fixture = try Fixture(name)
    parameters = try Fixture.parameters(name)
  }

  /// A pipeline over the fixture's inputs. `change` moves the tracks.
  func pipeline(
    _ model: Model, change: (Int, TrackPosition) -> TrackPosition = { $1 }
  ) throws -> StreamingPipeline {
    var tracks: TrackSampler?
    if let ids = parameters.ids {
      tracks = TinyModel.sampler(
        points: try fixture("input.points"), visible: try fixture("input.visible"), ids: ids,
        change: change)
    }
    let seed = try #require(UInt64(parameters.seed))
    let pipeline = try StreamingPipeline(
      model: model, configuration: GenerationConfiguration(model.manifest, seed: seed),
      prompt: model.encodePrompt(parameters.prompt),
      image: parameters.image ? TinyModel.picture(fixture("input.image")) : nil, tracks: tracks)
    pipeline.keepsLatents = true
    return pipeline
  }
}
