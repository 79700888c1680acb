package import ArgumentParser
import Frames
import Media

/// All options of `generate`.
package struct GenerateOptions: ParsableArguments {
  @OptionGroup(title: "Input") package var input: InputOptions
  @OptionGroup(title: "Video") package var video: VideoOptions
  @OptionGroup(title: "Output") package var output: OutputOptions
  @OptionGroup(title: "Run") package var threads: ThreadOptions

  @Flag(help: "Check everything, print an estimate, and write nothing.")
  package var dryRun = false

  @OptionGroup(title: "Messages") package var report: ReportOptions

  package init() {}

  /// What the command line asks for, as a request; paths as given, the prompt's file not yet read.
  package var request: ClipRequest {
    ClipRequest(input: input, video: video, encoding: output.encoding)
  }
}

extension ClipRequest {
  /// What three groups of options ask for; the prompt's file is not yet read.
  init(input: InputOptions, video: VideoOptions, encoding: EncodingOptions) {
    var request = ClipRequest()
    request.model = input.model.map { ClipRequest.Model(path: $0) }
    request.prompt = input.prompt
    request.image = input.image.map { ClipRequest.Input(path: $0) }
    request.imageFit = input.imageFit?.rawValue
    request.tracks = input.tracks.map { ClipRequest.Input(path: $0) }
    request.frames = video.frames
    request.duration = video.duration
    request.endless = video.endless ? true : nil
    request.width = video.width
    request.height = video.height
    request.fps = video.fps
    request.seed = video.seed
    request.steps = video.steps
    request.format = encoding.format?.rawValue
    request.codec = encoding.codec
    request.crf = encoding.crf
    self = request
  }
}
