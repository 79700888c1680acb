extension BadInput {
  /// All of them.
  static let all = flags + outputs + missing + tracks + pictures + sidecars + models + weights

  private static let flags: [BadInput] = [
    .flags("--frames", "0", names: "--frames"),
    .flags("--frames", "many", names: "frames"),
    .flags("--frames=-5", names: "--frames"),
    .flags("--duration", "2", names: "only one of"),
    .flags("--endless", names: "only one of"),
    .flags("--duration", "0", names: "--duration"),
    .flags("--duration", "nan", names: "--duration"),
    .flags("-W", "50", names: "nearest is 48x32"),
    .flags("-H", "17", names: "nearest is 48x16"),
    .flags("-W", "0", names: "--width"),
    .flags("-W", "99999999", names: "--width"),
    .flags("--height=-16", names: "--height"),
    .flags("--fps", "0", names: "--fps"),
    .flags("--fps", "fast", names: "--fps"),
    .flags("--fps", "16/0", names: "--fps"),
    .flags("--steps", "0", names: "--steps"),
    .flags("--steps", "99", names: "steps"),
    .flags("--threads", "0", names: "--threads"),
    .flags("--threads", "100000", names: "--threads"),
    .flags("--seed=-1", names: "seed"),
    .flags("--seed", "99999999999999999999999", names: "seed"),
    .flags("--image-fit", "squash", names: "image-fit"),
    .flags("--progress", "loud", names: "progress"),
    .flags("--prompt-file", "f", names: "--prompt-file"),
    .flags("--no-such-option", names: "--no-such-option"),
    .flags("-q", "-v", names: "--quiet"),
    .flags("surplus", names: "surplus"),
    BadInput("no output", 64, names: "--output") { _ in ["-m", Fixtures.tinyModel, "-p", "x"] },
    BadInput("no prompt", 64, names: "--prompt") { work in
      ["-m", Fixtures.tinyModel, "-o", work.file("clip.mp4")]
    },
    BadInput("two readers of standard input", 64, names: "standard input") { work in
      [
        "-m", Fixtures.tinyModel, "--prompt-file", "-", "-k", "-", "-o", work.file("clip.mp4"),
      ]
    },
  ]

  private static let outputs: [BadInput] = [
    .flags("--format", "avi", names: "format"),
    .flags("--codec", "nosuchcodec", code: 69, names: "nosuchcodec"),
    .flags("--crf", "1000", names: "crf"),
    .flags("--format", "raw", "--crf", "20", names: "crf"),
    .flags("--format", "y4m", "--codec", "libx264", names: "codec"),
    BadInput("a name without an ending", 64, names: "clip") { work in
      ["-m", Fixtures.tinyModel, "-p", "x", "-o", work.file("clip")]
    },
    .flags("--events", "-", code: 64, names: "--events: expected a file"),
    BadInput("pictures into a pipe", 64, names: "PNG") { _ in
      ["-m", Fixtures.tinyModel, "-p", "x", "-o", "-", "--format", "png"]
    },
    BadInput("a file that is there", 73, names: "clip.mp4") { work in
      _ = try work.write("clip.mp4", "precious")
      return base(work)
    },
    BadInput("a sidecar that is there", 73, names: "clip.mp4.json") { work in
      _ = try work.write("clip.mp4.json", "precious")
      return base(work)
    },
    BadInput("a folder that is not there", 73, names: "nowhere/clip.mp4") { work in
      ["-m", Fixtures.tinyModel, "-p", "x", "-o", work.file("nowhere/clip.mp4")]
    },
    BadInput("a folder of that name", 73, names: "folder") { work in
      ["-m", Fixtures.tinyModel, "-p", "x", "--format", "mp4", "-y", "-o", work.path]
    },
    .flags("--preview", "/nowhere/p.png", code: 73, names: "/nowhere"),
    .flags("--events", "/nowhere/events", code: 73, names: "/nowhere/events"),
    BadInput("a full disk", 74, names: "/dev/full") { _ in
      ["-m", Fixtures.tinyModel, "-p", "x", "--frames", "3", "--format", "raw", "-o", "/dev/full"]
    },
  ]

  private static let missing: [BadInput] = [
    .flags("-k", "/nowhere/t.json", code: 66, names: "/nowhere/t.json"),
    .flags("-k", "/", code: 66, names: "--tracks"),
    .flags("-i", "/nowhere/i.png", code: 66, names: "/nowhere/i.png"),
    .flags("-i", "/", code: 66, names: "--image"),
    .flags("--from-metadata", "/nowhere/m.json", code: 66, names: "/nowhere/m.json"),
    .flags("-m", "/nowhere/model", code: 66, names: "/nowhere/model"),
    BadInput("no prompt file", 66, names: "/nowhere/prompt") { work in
      ["-m", Fixtures.tinyModel, "--prompt-file", "/nowhere/prompt", "-o", work.file("clip.mp4")]
    },
    BadInput("a prompt file that is not text", 65, names: "UTF-8") { work in
      let prompt = try work.write("prompt", bytes: [0x66, 0xFF, 0xFE])
      return ["-m", Fixtures.tinyModel, "--prompt-file", prompt, "-o", work.file("clip.mp4")]
    },
  ]

  private static let tracks: [BadInput] = [
    .tracks("empty", "", names: "tracks.json"),
    .tracks("not JSON", "hello", names: "tracks.json:1:1"),
    .tracks("cut off", String(Fixtures.tracks.prefix(120)), names: "tracks.json:3:11"),
    .tracks("another format", #"{"format":"x"}"#, names: "format"),
    .tracks(
      "a later version", #"{"format":"motionstream-tracks","version":2}"#, names: "version"),
    .tracks(
      "no rate",
      #"{"format":"motionstream-tracks","version":1,"width":48,"height":32,"tracks":[]}"#,
      names: "fps"),
    .tracks(
      "no canvas", #"{"format":"motionstream-tracks","version":1,"fps":16,"tracks":[]}"#,
      names: "width"),
    .tracks(
      "an empty canvas",
      #"{"format":"motionstream-tracks","version":1,"width":0,"height":1,"fps":1,"tracks":[]}"#,
      names: "width"),
    .tracks("a zip of nothing", "PK\u{3}\u{4}\u{0}\u{0}\u{0}", names: "tracks.json"),
    .tracks("a deep hole", String(repeating: "[", count: 100_000), names: "tracks.json:1"),
    .track("not a list", "{}", names: "tracks"),
    .track(
      "an id twice", #"[{"id":7,"static":[1,1]},{"id":7,"static":[2,2]}]"#, names: "tracks[1]"),
    .track("a negative id", #"[{"id":-1,"static":[1,1]}]"#, names: "id"),
    .track("a text as id", #"[{"id":"one","static":[1,1]}]"#, names: "id"),
    .track("no motion", #"[{"id":4}]"#, names: "tracks[0]"),
    .track("two motions", #"[{"id":4,"static":[1,1],"points":[[1,1]]}]"#, names: "id 4"),
    .track("half a point", #"[{"id":4,"points":[[1,1],[2]]}]"#, names: "points[1]"),
    .track("a point that is not a number", #"[{"id":4,"points":[[1,NaN]]}]"#, names: "points[0]"),
    .track("a point out of all bounds", #"[{"id":4,"static":[1e300,0]}]"#, names: "id 4"),
    .track(
      "keyframes that go back",
      #"[{"id":4,"keyframes":[{"frame":9,"x":0,"y":0},{"frame":2,"x":0,"y":0}]}]"#,
      names: "keyframes[1]"),
    .track(
      "an easing nobody knows",
      #"[{"id":4,"keyframes":[{"frame":0,"x":0,"y":0},{"frame":2,"x":0,"y":0,"ease":"swoosh"}]}]"#,
      names: "ease"),
    .track(
      "more flags than points", #"[{"id":4,"points":[[1,1]],"visible":[1,0,1]}]"#,
      names: "visible"),
  ]

  private static let pictures: [BadInput] = [
    .picture("empty", [], names: "first.png"),
    .picture("text", Array("hello, this is no picture".utf8), names: "first.png"),
    .picture("only a PNG's first bytes", [137, 80, 78, 71, 13, 10, 26, 10], names: "first.png"),
    .picture(
      "a PNG that claims 2 billion pixels a side",
      [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 127, 255, 255, 255, 127, 255]
        + [255, 255, 8, 2, 0, 0, 0, 0, 0, 0, 0], names: "first.png"),
  ]

  private static let sidecars: [BadInput] = [
    .sidecar("not JSON", "nope", names: "old.json"),
    .sidecar("another format", #"{"format":"x","version":1}"#, names: "format"),
    .sidecar("a later version", #"{"format":"motionstream-clip","version":9}"#, names: "version"),
    .sidecar(
      "nothing in it", #"{"format":"motionstream-clip","version":1}"#, names: "old.json"),
  ]
}
