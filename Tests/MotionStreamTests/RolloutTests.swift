import Frames
import MotionStream
import Testing

@Suite struct RolloutTests {
  @Test(
    "A whole stream gives the twin's latents and pictures, chunk by chunk",
    arguments: [
      "rollout", "rollout-no-condition", "rollout-track-v0", "rollout-self-forcing",
      "rollout-self-forcing-prefill", "rollout-guided", "rollout-guided-own",
    ])
  func wholeStream(_ name: String) throws {
    let rollout = try RolloutFixture(name)
    let model = try TinyModel.load(rollout.parameters.model)
    let pipeline = try rollout.pipeline(model)
    let expected = try rollout.fixture("expected.latents")
    let means = try rollout.fixture("expected.frame_means")
    let scale = expected.values.reduce(0) { max($0, abs($1)) }
    var latent = 0
    var pictures: [RGBFrame] = []
    for chunk in 0..<rollout.parameters.chunks {
      let output = try pipeline.next()
      #expect(output.index == chunk)
      #expect(output.firstFrame == pictures.count)
      let latents = try #require(output.latents)
      let range = latent..<latent + latents.shape[0]
      expectClose(
        latents.values, TinyModel.framesFirst(expected, range).values, scale: scale,
        "latents of chunk \(chunk)")
      latent = range.upperBound
      pictures += output.frames
    }
    #expect(latent == expected.shape[1])
    #expect(pictures.count == means.shape[0])
    for (frame, picture) in pictures.enumerated() {
      for channel in 0..<3 {
        let sum = stride(from: channel, to: picture.pixels.count, by: 3)
          .reduce(0) { $0 + Int(picture.pixels[$1]) }
        let mean = Float(sum) / Float(picture.width * picture.height * 255)
        // Pictures are rounded to 8 bits: half a level at most, in the mean far less.
        #expect(abs(mean - means.pointer[frame * 3 + channel]) < 0.5 / 255, "picture \(frame)")
      }
    }
    let shown = try rollout.fixture("expected.frames")
    for (index, frame) in rollout.parameters.frames.enumerated() {
      let pixels = shown.shape[2] * shown.shape[3]
      for i in 0..<pixels * 3 {
        let value = shown.pointer[(index * 3 + i % 3) * pixels + i / 3]
        let difference = abs(Float(pictures[frame].pixels[i]) - value * 255)
        #expect(difference <= 0.55, "picture \(frame), value \(i)")
      }
    }
  }
}
