import MotionStreamCLI
import Testing

@Suite struct RequestTests {
  @Test func optionsGivenNowWinOverTheSidecar() {
    var now = ClipRequest()
    now.prompt = "new"
    now.width = 64
    var then = ClipRequest()
    then.prompt = "old"
    then.width = 32
    then.height = 16
    then.seed = 7
    let merged = now.filled(from: then)
    #expect(merged.prompt == "new" && merged.width == 64)
    #expect(merged.height == 16 && merged.seed == 7)
  }

  @Test func aLengthGivenNowReplacesTheSidecarsWhole() {
    var now = ClipRequest()
    now.duration = 2
    var then = ClipRequest()
    then.endless = true
    #expect(now.filled(from: then).endless == nil)
    #expect(now.filled(from: then).duration == 2)
    #expect(ClipRequest().filled(from: then).endless == true)
  }

  @Test func aSidecarReadsBackAsItWasWritten() throws {
    var request = ClipRequest()
    request.prompt = "ü \"quoted\" / slash"
    request.seed = .max
    request.imageFit = "pad"
    request.tracks = ClipRequest.Input(path: "t.json", sha256: "00", content: "{}")
    let sidecar = Sidecar(
      program: "0.1.0", status: .interrupted, created: "2026-01-01T00:00:00Z", request: request,
      output: Sidecar.Output(path: "a.mp4", frames: 21, seconds: 1.3125),
      timings: Sidecar.Timings(load: 1, prompt: 0.5, firstChunk: 0.25, generate: 2))
    let text = try sidecar.encoded()
    #expect(try Sidecar.decode(Array(text.utf8), name: "x") == sidecar)
    #expect(text.contains("18446744073709551615"))
  }

  @Test(arguments: [
    ("", "not a valid JSON"), ("[]", "expected"), ("{}", "format: missing"),
    (#"{"format":"other","version":1}"#, "found \"other\""),
    (#"{"format":"motionstream-clip","version":2}"#, "found 2"),
    (#"{"format":"motionstream-clip","version":1}"#, "missing"),
  ])
  func aBrokenSidecarNamesThePlace(_ text: String, _ expected: String) {
    let error = #expect(throws: CommandError.self) {
      _ = try Sidecar.decode(Array(text.utf8), name: "clip.json")
    }
    #expect(error?.status == .badData)
    #expect(error?.description.contains("clip.json: ") == true)
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
  }

  @Test func theSidecarStandsBesideTheClip() {
    #expect(Sidecar.path(for: "a/clip.mp4") == "a/clip.mp4.json")
    #expect(Sidecar.path(for: "frames/") == "frames.json")
  }

  // Values of FIPS 180-4's examples, as `sha256sum` prints them.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func hashesAreThoseOfSHA256(_ text: String, _ digest: String) {
    #expect(SHA256.hex(of: Array(text.utf8)) == digest)
  }

  @Test func hashesOfManyBlocksAreThoseOfSHA256() {
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      SHA256.hex(of: million)
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }
}
