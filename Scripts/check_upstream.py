"""Run upstream code and the twins on the same random weights, and compare.

    python Scripts/check_upstream.py --wan DIR --self-forcing DIR --taehv DIR

The directories are checkouts of Wan-Video/Wan2.1, guandeh17/Self-Forcing and madebyollin/taehv.
Needs diffusers, transformers, einops, ftfy, regex and tqdm besides the twins' own packages. Prints
a Markdown table: largest absolute difference over the largest absolute upstream value. Everything
runs on the CPU in float32; upstream's flash attention is replaced by torch's.
"""

from __future__ import annotations

import argparse
import importlib
import math
import re
import subprocess
import sys
import types
import warnings
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

from reference.causal_transformer import CausalTransformer
from reference.configuration import TextEncoderConfig, TinyVAEConfig, TransformerConfig
from reference.model_directory import Model
from reference.rollout import Rollout
from reference.taehv import TAEHV
from reference.text_encoder import TextEncoder, clean, tokenize
from tiny_models import (
    LATENT_CHANNELS,
    SELF_FORCING,
    TEXT_DIM,
    configuration,
    randomize,
    text_encoder,
    tiny_vae,
    tokenizer,
)

# Original Wan key -> diffusers key; the first pattern that matches the start of a part wins.
RENAMES = (
    (r"^text_embedding\.0\.", "condition_embedder.text_embedder.linear_1."),
    (r"^text_embedding\.2\.", "condition_embedder.text_embedder.linear_2."),
    (r"^time_embedding\.0\.", "condition_embedder.time_embedder.linear_1."),
    (r"^time_embedding\.2\.", "condition_embedder.time_embedder.linear_2."),
    (r"^time_projection\.1\.", "condition_embedder.time_proj."),
    (r"^img_emb\.proj\.0\.", "condition_embedder.image_embedder.norm1."),
    (r"^img_emb\.proj\.1\.", "condition_embedder.image_embedder.ff.net.0.proj."),
    (r"^img_emb\.proj\.3\.", "condition_embedder.image_embedder.ff.net.2."),
    (r"^img_emb\.proj\.4\.", "condition_embedder.image_embedder.norm2."),
    (r"^head\.head\.", "proj_out."),
    (r"^head\.modulation$", "scale_shift_table"),
    (r"\.modulation$", ".scale_shift_table"),
    (r"\.self_attn\.", ".attn1."),
    (r"\.cross_attn\.", ".attn2."),
    (r"\.(q|k|v)\.(weight|bias)$", r".to_\1.\2"),
    (r"\.o\.(weight|bias)$", r".to_out.0.\1"),
    (r"\.(k|v)_img\.", r".add_\1_proj."),
    (r"\.norm_k_img\.", ".norm_added_k."),
    (r"\.norm3\.", ".norm2."),
    (r"\.ffn\.0\.", ".ffn.net.0.proj."),
    (r"\.ffn\.2\.", ".ffn.net.2."),
)


def diffusers_key(key: str) -> str:
    for pattern, replacement in RENAMES:
        key = re.sub(pattern, replacement, key)
    return key


class Report:
    def __init__(self):
        self.rows: list[tuple[str, str, str]] = []

    def add(self, what: str, sizes: str, ours: Tensor, upstream: Tensor) -> None:
        assert ours.shape == upstream.shape, f"{what}: {ours.shape} is not {upstream.shape}"
        assert upstream.std() > 0.01, f"{what}: upstream gives (nearly) nothing"
        difference = (ours - upstream).abs().max() / upstream.abs().max()
        self.rows.append((what, sizes, f"{difference:.1e}"))
        print(f"| {what} | {sizes} | {difference:.1e} |", flush=True)
        assert difference < 1e-4, f"{what} differs"


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def package(name: str, folder: Path) -> None:
    """Register `folder` as a package without running its __init__, which pulls in CUDA code."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def plain_attention(q: Tensor, k: Tensor, v: Tensor, k_lens=None, **_) -> Tensor:
    """Upstream's flash_attention contract, [B, L, N, d], without its cast to bfloat16."""
    assert k_lens is None or (k_lens == k.shape[1]).all()
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)


def transformer_config(net, **changes) -> TransformerConfig:
    """The diffusers configuration of an upstream WanModel."""
    values = {
        "patch_size": [1, 2, 2],
        "num_attention_heads": net.num_heads,
        "attention_head_dim": net.dim // net.num_heads,
        "in_channels": net.in_dim,
        "out_channels": net.out_dim,
        "text_dim": TEXT_DIM,
        "freq_dim": net.freq_dim,
        "ffn_dim": net.ffn_dim,
        "num_layers": net.num_layers,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "eps": 1e-6,
        "image_dim": None,
        "added_kv_proj_dim": None,
        "rope_max_seq_len": 1024,
        "track_config": None,
    }
    return TransformerConfig.from_dict(values | changes)


def twin(net, **changes) -> CausalTransformer:
    """The twin with the upstream model's weights; a key too many or too few is an error."""
    ours = CausalTransformer(transformer_config(net, **changes))
    ours.load_state_dict({diffusers_key(k): v for k, v in net.state_dict().items()})
    return ours.eval()


def check_wan(report: Report, directory: Path) -> None:
    package("wan21", directory / "wan")
    package("wan21.modules", directory / "wan/modules")
    module = importlib.import_module("wan21.modules.model")
    module.flash_attention = plain_attention
    g, size = generator(), (6, 10)
    text = torch.randn(1, 512, TEXT_DIM, generator=g)
    text[:, 9:] = 0  # upstream pads 9 rows to 512 itself
    for heads, head_dim in ((2, 20), (3, 16), (1, 128)):
        net = module.WanModel(
            dim=heads * head_dim, num_heads=heads, ffn_dim=72, num_layers=3, in_dim=12, out_dim=4,
            freq_dim=32, text_dim=TEXT_DIM, cross_attn_norm=True, eps=1e-6,
        )  # fmt: skip
        randomize(net, g)
        x = torch.randn(1, 12, 5, *size, generator=g)
        t = torch.tensor([731.5])
        upstream = net([x[0]], t, [text[0, :9]], seq_len=5 * 3 * 5)[0]
        ours = twin(net)(x, t[:, None].expand(1, 5), text)[0]
        sizes = f"{heads} heads of {head_dim}, 3 blocks, 12 channels, 5x6x10"
        report.add("Wan 2.1 `WanModel`, text", sizes, ours, upstream)

    net = module.WanModel(
        model_type="i2v", dim=40, num_heads=2, ffn_dim=72, num_layers=3, in_dim=12, out_dim=4,
        freq_dim=32, text_dim=TEXT_DIM, cross_attn_norm=True, eps=1e-6,
    )  # fmt: skip
    randomize(net, g)
    x, image = torch.randn(1, 12, 5, *size, generator=g), torch.randn(1, 257, 1280, generator=g)
    upstream = net(
        [x[0, :4]], t, [text[0, :9]], seq_len=75, clip_fea=image, y=[x[0, 4:]]
    )[0]  # fmt: skip
    ours = twin(net, image_dim=1280, added_kv_proj_dim=40)
    ours = ours(x, t[:, None].expand(1, 5), text, image)[0]
    sizes = "2 heads of 20, 3 blocks, 257 image tokens"
    report.add("Wan 2.1 `WanModel`, text and image", sizes, ours, upstream)


def check_diffusers(report: Report) -> None:
    from diffusers import WanTransformer3DModel

    g = generator()
    for image_dim in (None, 24):
        config = transformer_config(
            SimpleNamespace(
                num_heads=2, dim=40, in_dim=12, out_dim=4, freq_dim=32, ffn_dim=72, num_layers=3
            ),
            image_dim=image_dim,
            added_kv_proj_dim=image_dim and 40,
        )
        ours = randomize(CausalTransformer(config), g)
        values = {k: v for k, v in vars(config).items() if k not in ("track_config", "cell_head")}
        theirs = WanTransformer3DModel(**values).eval()
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(1, 12, 3, 6, 10, generator=g)
        text = torch.randn(1, 512, TEXT_DIM, generator=g)
        image = torch.randn(1, 7, image_dim, generator=g) if image_dim else None
        t = torch.tensor([412.0])
        upstream = theirs(x, t, text, image, return_dict=False)[0]
        name = "diffusers `WanTransformer3DModel`" + (", image" if image_dim else "")
        ours = ours(x, t[:, None].expand(1, 3), text, image)
        report.add(name, "2 heads of 20, 3 blocks, 3x6x10", ours, upstream)


def check_self_forcing(report: Report, directory: Path) -> None:
    for name in ("wan", "wan/modules", "utils", "pipeline"):
        package(name.replace("/", "."), directory / name)
    package("demo_utils", directory / "demo_utils")
    memory = types.ModuleType("demo_utils.memory")  # asks for a CUDA device when imported
    for name in ("gpu", "get_cuda_free_memory_gb", "DynamicSwapInstaller"):
        setattr(memory, name, None)
    memory.move_model_to_device_with_memory_preservation = None
    sys.modules["demo_utils.memory"] = memory
    with mock.patch("torch.cuda.current_device", lambda: 0):
        causal_model = importlib.import_module("wan.modules.causal_model")
        wrapper = importlib.import_module("utils.wan_wrapper")
        pipeline = importlib.import_module("pipeline.causal_inference")
    causal_model.attention = plain_attention
    importlib.import_module("wan.modules.model").flash_attention = plain_attention

    g, chunk, heads, head_dim = generator(), 3, 12, 128  # upstream's cache is 12 x 128
    for window, sink, chunks, prefill in (
        (18, 0, 7, False),
        (3, 0, 8, False),
        (6, 0, 8, False),
        (3, 3, 8, False),
        (4, 1, 8, False),
        (6, 0, 7, True),
    ):
        capacity = sink + window + chunk
        net = causal_model.CausalWanModel(
            dim=heads * head_dim, num_heads=heads, ffn_dim=256, num_layers=2, freq_dim=32,
            in_dim=LATENT_CHANNELS, out_dim=LATENT_CHANNELS, text_dim=TEXT_DIM,
            local_attn_size=capacity, sink_size=sink,
        )  # fmt: skip
        randomize(net, g)
        rules = configuration(
            "self-forcing",
            **SELF_FORCING
            | {
                "cache": {
                    "unit": "frames",
                    "sink": sink,
                    "window": window,
                    "positions": "absolute",
                },
                "text": {"max_tokens": 512},
            },
        )
        processor = tokenizer()
        model = Model(
            rules,
            twin(net),
            tiny_vae(g, memblocks=1),
            text_encoder(g, processor.vocab_size()),
            processor,
        )
        prompt, seed = "a grey cube spins in the middle", 11
        image = torch.rand(3, 32, 48, generator=g) if prefill else None
        stream = Rollout(model, prompt, seed, image)
        ours = torch.cat([latent for latent, _ in stream.chunks(chunks + prefill)], dim=2)

        noise = stream.noise(0, ours.shape[2], 0)[:, :, int(prefill) :].transpose(1, 2)
        renoise = iter(
            stream.noise(start, start + chunk, step)[0].transpose(0, 1)
            for start in range(int(prefill), ours.shape[2], chunk)
            for step in (1, 2, 3)
        )
        with mock.patch("torch.randn_like", lambda _: next(renoise)):  # noqa: B023
            upstream = run_self_forcing(net, wrapper, pipeline, model, prompt, noise, stream, chunk)
        name = "Self-Forcing `CausalInferencePipeline`" + (", image prefilled" if prefill else "")
        sizes = f"12 heads of 128, 2 blocks, {chunks} chunks of 3, sink {sink}, window {window}"
        report.add(name, sizes, ours.transpose(1, 2), upstream)


def run_self_forcing(net, wrapper, pipeline, model, prompt, noise, stream, chunk) -> Tensor:
    """Upstream's pipeline around `net`; latents [1, T, C, H, W]."""
    generator = wrapper.WanDiffusionWrapper.__new__(wrapper.WanDiffusionWrapper)
    torch.nn.Module.__init__(generator)
    generator.model, generator.uniform_timestep, generator.seq_len = net, False, 32760
    generator.scheduler = wrapper.FlowMatchScheduler(
        shift=model.configuration.sampler.shift, sigma_min=0.0, extra_one_step=True
    )
    generator.scheduler.set_timesteps(1000, training=True)
    generator.post_init()
    ids = tokenize(model.tokenizer, prompt, 512)
    text = model.text_encoder.encode_padded(ids, 512)
    args = SimpleNamespace(
        denoising_step_list=[1000, 750, 500, 250],
        warp_denoising_step=True,
        num_frame_per_block=chunk,
        independent_first_frame=stream.has_image,
        context_noise=0,
    )
    with mock.patch("builtins.print"):
        runner = pipeline.CausalInferencePipeline(
            args,
            "cpu",
            generator,
            text_encoder=lambda text_prompts: {"prompt_embeds": text},
            vae=SimpleNamespace(decode_to_pixel=lambda latents, use_cache: latents),
        )
    runner.num_transformer_blocks = net.num_layers
    runner.frame_seq_length = math.prod(model.configuration.latent_size) // 4
    initial = stream.image_latents.transpose(1, 2) if stream.has_image else None
    with mock.patch("builtins.print"):
        return runner.inference(noise, [prompt], initial_latent=initial, return_latents=True)[1]


def check_taehv(report: Report, directory: Path) -> None:
    sys.path.insert(0, str(directory))
    upstream_module = importlib.import_module("taehv")
    g = generator()
    for patch_size, latent_channels in ((1, 16), (2, 48)):
        theirs = upstream_module.TAEHV(
            checkpoint_path=None, patch_size=patch_size, latent_channels=latent_channels
        )
        randomize(theirs, g)
        config = TinyVAEConfig.from_dict(
            {
                "latent_channels": latent_channels,
                "image_channels": 3,
                "patch_size": patch_size,
                "encoder_widths": [64] * 4,
                "decoder_widths": [256, 128, 64, 64],
                "encoder_time_downscale": [2, 2, 1],
                "decoder_time_upscale": [1, 2, 2],
                "memblocks_per_stage": 3,
            }
        )
        ours = TAEHV(config)
        ours.load_upstream(theirs.state_dict())
        with torch.no_grad():  # keep the clamped output informative
            for net in (ours, theirs):
                net.decoder[-1].bias.fill_(0.5)
                net.decoder[-1].weight.mul_(0.1)
        sizes = f"full widths, patch {patch_size}, {latent_channels} channels, 9 frames of 64x96"
        frames = torch.rand(1, 9, 3, 64, 96, generator=g)
        padded = torch.cat((frames[:, :1].expand(-1, 3, -1, -1, -1), frames), dim=1)
        latents = theirs.encode_video(padded, show_progress_bar=False)
        report.add("taehv `encode_video`", sizes, ours.encode(frames), latents)

        latents = 2 * torch.randn(latents.shape, generator=g)
        decoded = theirs.decode_video(latents, show_progress_bar=False)
        report.add("taehv `decode_video`", sizes, ours.decode(latents), decoded)

        streaming = upstream_module.StreamingTAEHV(theirs)
        memory, our_frames, their_frames = None, [], []
        for latent in latents.split(1, dim=1):
            part, memory = ours.decode_more(latent, memory)
            our_frames.append(part)
            frame = streaming.decode(latent)
            while frame is not None:
                their_frames.append(frame)
                frame = streaming.decode()
        streamed = torch.cat(our_frames, dim=1)[:, 3:]
        report.add("taehv `StreamingTAEHV`", sizes, streamed, torch.cat(their_frames, dim=1))


# umT5 of Wan 2.1 -> Hugging Face.
T5_RENAMES = (
    (r"^token_embedding\.", "shared."),
    (r"^norm\.", "encoder.final_layer_norm."),
    (r"^blocks\.(\d+)\.norm1\.", r"encoder.block.\1.layer.0.layer_norm."),
    (r"^blocks\.(\d+)\.attn\.", r"encoder.block.\1.layer.0.SelfAttention."),
    (
        r"^blocks\.(\d+)\.pos_embedding\.embedding\.",
        r"encoder.block.\1.layer.0.SelfAttention.relative_attention_bias.",
    ),
    (r"^blocks\.(\d+)\.norm2\.", r"encoder.block.\1.layer.1.layer_norm."),
    (r"^blocks\.(\d+)\.ffn\.gate\.0\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_0."),
    (r"^blocks\.(\d+)\.ffn\.fc1\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_1."),
    (r"^blocks\.(\d+)\.ffn\.fc2\.", r"encoder.block.\1.layer.1.DenseReluDense.wo."),
)


def check_text(report: Report, wan: Path) -> None:
    from transformers import UMT5Config, UMT5EncoderModel

    g, length, rows = generator(), 170, 256
    config = {
        "vocab_size": 300, "d_model": 48, "d_kv": 12, "d_ff": 80, "num_layers": 3, "num_heads": 5,
        "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128,
        "layer_norm_epsilon": 1e-6,
    }  # fmt: skip
    ours = randomize(TextEncoder(TextEncoderConfig.from_dict(config)), g)
    ids = torch.randint(2, 300, (1, length), generator=g)
    padded, attended = F.pad(ids, (0, rows - length)), torch.arange(rows)[None] < length
    expected = ours.encode_padded(ids[0].tolist(), rows)[:, :length]
    sizes = f"3 layers, 48 wide, 5 heads of 12, {length} tokens padded to {rows}"

    theirs = UMT5EncoderModel(UMT5Config(**config, feed_forward_proj="gated-gelu")).eval()
    theirs.load_state_dict(ours.state_dict() | {"encoder.embed_tokens.weight": ours.shared.weight})
    hidden = theirs(padded, attention_mask=attended.long()).last_hidden_state
    report.add("transformers `UMT5EncoderModel`", sizes, expected, hidden[:, :length])

    package("wan21", wan / "wan")
    package("wan21.modules", wan / "wan/modules")
    with mock.patch("torch.cuda.current_device", lambda: 0):
        t5 = importlib.import_module("wan21.modules.t5")
    theirs = t5.T5Encoder(300, 48, 60, 80, 5, 3, 32, shared_pos=False, dropout=0).eval()
    renamed = {}
    for key in theirs.state_dict():
        name = key
        for pattern, replacement in T5_RENAMES:
            name = re.sub(pattern, replacement, name)
        renamed[key] = ours.state_dict()[name]
    theirs.load_state_dict(renamed)
    report.add("Wan 2.1 `T5Encoder`", sizes, expected, theirs(padded, attended)[:, :length])

    tokenizers = importlib.import_module("wan21.modules.tokenizers")
    for text in ("  a\n\nred  ball\t&amp;amp; a cube ", "Zürich\u00a0 北京!", "<b>x</b> &lt;"):
        theirs = tokenizers.whitespace_clean(tokenizers.basic_clean(text))
        assert clean(text) == theirs, f"{clean(text)!r} is not {theirs!r}"


def commit(directory: Path) -> str:
    command = ["git", "-C", str(directory), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--wan", "--self-forcing", "--taehv"):
        parser.add_argument(name, type=Path, required=True)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    for name, directory in vars(args).items():
        print(f"{name}: {commit(directory)}")
    import diffusers
    import transformers

    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}, "
          f"transformers {transformers.__version__}")  # fmt: skip
    report = Report()
    with torch.no_grad():
        check_text(report, args.wan)
        check_wan(report, args.wan)
        check_diffusers(report)
        check_taehv(report, args.taehv)
        check_self_forcing(report, args.self_forcing)


if __name__ == "__main__":
    main()
