extension BadInput {
  private static let manifest = "motionstream.json"
  private static let network = "transformer/diffusion_pytorch_model.safetensors"

  /// Broken configurations.
  static let models: [BadInput] = [
    BadInput("model: a file", 78, names: "expected a model directory") { work in
      ["-m", try work.write("model", "x"), "-p", "x", "-o", work.file("clip.mp4")]
    },
    .model("no manifest", manifest, code: 66, names: manifest) { _ in nil },
    .model("a manifest that is not JSON", manifest, names: manifest) { _ in Array("{".utf8) },
    .model(
      "an unknown field", manifest, replace: #""fps""#, by: #""frames_per_second": 1, "fps""#,
      names: "frames_per_second"),
    .model("a missing field", manifest, replace: #""fps""#, by: #""x-fps""#, names: "fps"),
    .model(
      "a later version", manifest, replace: #""version": 1"#, by: #""version": 2"#,
      names: "version"),
    .model(
      "chunks of nothing", manifest, replace: #""chunk": 3"#, by: #""chunk": 0"#, names: "chunk"),
    .model(
      "an odd size", manifest, replace: #""width": 48"#, by: #""width": 50"#, names: "width"),
    .model(
      "a rule nobody knows", manifest, replace: #""bilinear""#, by: #""cubic""#,
      names: "cell_rule"),
    .model(
      "no transformer configuration", "transformer/config.json", code: 66,
      names: "transformer/config.json"
    ) { _ in nil },
    .model(
      "input channels that do not add up", manifest, replace: #""image","#, by: "",
      names: "input_slots"),
    .model("no VAE configuration", "tiny_vae/config.json", code: 66, names: "tiny_vae") { _ in nil
    },
    .model(
      "a text encoder of text", "text_encoder/config.json", replace: #""num_layers": "#,
      by: #""num_layers": -"#, names: "num_layers"),
    .model("no tokenizer", "tokenizer/spiece.model", code: 66, names: "spiece.model") { _ in nil },
    .model("a tokenizer of noise", "tokenizer/spiece.model", names: "spiece.model") { _ in
      [1, 2, 3]
    },
  ]

  /// Broken weight files.
  static let weights: [BadInput] = [
    .model("no weights", network, code: 66, names: "transformer") { _ in nil },
    .model("empty weights", network, names: network) { _ in [] },
    .model("a header longer than the file", network, names: network) { bytes in
      [255, 255, 255, 255, 255, 255, 255, 127] + bytes.dropFirst(8)
    },
    .model("a header that is not JSON", network, names: network) { bytes in
      bytes.prefix(8) + [UInt8(ascii: "x")] + bytes.dropFirst(9)
    },
    .model("weights that end early", network, names: network) { Array($0.dropLast(100)) },
    .model("weights that go on", network, names: network) { $0 + [0, 0, 0, 0] },
    .model(
      "an unknown type", network, replace: #""dtype":"F32""#, by: #""dtype":"F99""#,
      names: "F99"),
    .model(
      "a tensor of another name", network, replace: #""proj_out.weight""#,
      by: #""proj_out.weighs""#, names: "proj_out.weight"),
    .model(
      "a tensor of another shape", network, replace: #""shape":[32,32],"data_offsets":[384"#,
      by: #""shape":[16,64],"data_offsets":[384"#, names: "blocks.0.attn1.to_k.weight"),
    .model(
      "offsets that overlap", network, replace: #""data_offsets":[128,256]"#,
      by: #""data_offsets":[100,228]"#, names: network),
    .model(
      "offsets that contradict the shape", network, replace: #""data_offsets":[0,128]"#,
      by: #""data_offsets":[9,128]"#, names: "blocks.0.attn1.norm_k.weight"),
  ]
}
