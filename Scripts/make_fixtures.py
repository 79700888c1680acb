"""Write Tests/Fixtures: tiny random models and what the PyTorch twins make of them.

    python Scripts/make_fixtures.py [--output Tests/Fixtures]

Stage fixtures use the weights of `tiny-model`, or carry their own. Every tensor is float32, but
for the transformers of two models (bfloat16; float16 in two shards). Names: `weights.KEY`,
`input.NAME`, `expected.NAME`, with `CASE/` in front where a file has several cases. The settings of
each case are in `manifest.json`, with the seed, the torch version and the hash of every file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from reference import model_directory
from reference.configuration import SamplerRules, TrackHeadConfig, TrackRules
from reference.kv_cache import KVCache
from reference.noise import normal_noise, philox4x32
from reference.picture_warp import PictureWarp
from reference.rollout import Rollout, Tracks
from reference.rotary_embedding import rotary_angles, rotate
from reference.sampler import FlowMatchScheduler
from reference.text_encoder import tokenize
from reference.track_encoder import TrackEncoder, embed_ids, embed_origins, first_visible, track_map
from tiny_models import (
    CELL_HEAD,
    GUIDED,
    LATENT_CHANNELS,
    MAX_TOKENS,
    ONE_STAGE,
    SELF_FORCING,
    TEXT_DIM,
    TRACK_V0,
    configuration,
    model,
    randomize,
    tiny_vae,
    transformer,
)

SEED = 2511_01266
TOLERANCE = 1e-4  # max abs difference over the max abs expected value


class Writer:
    """Collects fixtures; one safetensors file each, described in the manifest."""

    def __init__(self, output: Path):
        self.output = output
        self.entries: dict[str, dict] = {}

    def add(self, name: str, tensors: dict[str, Tensor], about: str, **parameters) -> None:
        tensors = {k: v.detach().to(torch.float32).contiguous() for k, v in tensors.items()}
        save_file(tensors, self.output / f"{name}.safetensors")
        self.entries[name] = {"about": about, "parameters": parameters}

    def finish(self) -> None:
        files = sorted(p for p in self.output.rglob("*") if p.is_file())
        manifest = {
            "seed": SEED,
            "torch": torch.__version__.split("+")[0],
            "tolerance": TOLERANCE,
            "fixtures": self.entries,
            "sha256": {
                str(p.relative_to(self.output)): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in files
            },
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        (self.output / "manifest.json").write_text(text + "\n")


def generator(offset: int) -> torch.Generator:
    return torch.Generator().manual_seed(SEED + offset)


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {f"weights.{k}": v for k, v in module.state_dict().items()}


def rope(out: Writer) -> None:
    g, tensors, cases = generator(1), {}, {}
    for head_dim, heads, positions, size in (
        (16, 2, [0, 1, 2, 7], (2, 3)),
        (20, 3, [3, 4, 5], (3, 2)),
        (128, 1, [0, 900], (1, 2)),
    ):
        case = f"head{head_dim}"
        length = len(positions) * size[0] * size[1]
        x = torch.randn(1, length, heads, head_dim, generator=g)
        angles = rotary_angles(torch.tensor(positions), size, head_dim)
        cases[case] = {"head_dim": head_dim, "positions": positions, "h": size[0], "w": size[1]}
        tensors |= {
            f"{case}/input.x": x[0],
            f"{case}/expected.cos": angles[0],
            f"{case}/expected.sin": angles[1],
            f"{case}/expected.x": rotate(x, angles)[0],
        }
    out.add(
        "rope", tensors, "x [T*h*w, heads, head_dim]; cos, sin [T*h*w, head_dim/2]", cases=cases
    )


def noise(out: Writer) -> None:
    tensors, cases = {}, {}
    for seed, frame, step, stream, shape in (
        (0, 0, 0, 0, (4, 4, 6)),
        (42, 17, 2, 0, (3, 5, 7)),
        (0xDEADBEEF_12345678, 123456, 3, 1, (1, 1, 5)),
    ):
        case = f"seed{seed}"
        cases[case] = {"seed": str(seed), "frame": frame, "step": step, "stream": stream}
        cases[case]["shape"] = list(shape)
        values = normal_noise(seed, frame, step, shape, stream)
        tensors[f"{case}/expected.noise"] = torch.from_numpy(values)
    counter = torch.tensor([0, 17, 2, 0]).numpy()
    words = [int(w) for w in philox4x32(counter, (42, 0))]
    out.add(
        "noise",
        tensors,
        "one latent frame [C, H, W]; philox: words for counter, key",
        cases=cases,
        philox={"counter": [0, 17, 2, 0], "key": [42, 0], "words": words},
    )


def sampler(out: Writer) -> None:
    g = generator(2)
    x, v, eps = (torch.randn(LATENT_CHANNELS, 3, 4, 6, generator=g) for _ in range(3))
    tensors, cases = {"input.x": x, "input.velocity": v, "input.noise": eps}, {}
    for case, shift, steps, warp in (
        ("shift5", 5.0, [1000, 750, 500, 250], True),
        ("shift6", 6.0, [1000, 750, 500], True),
        ("causvid", 8.0, [1000, 757, 522], False),
    ):
        rules = SamplerRules(steps, warp, shift, 1000, 0)
        scheduler = FlowMatchScheduler(shift)
        timesteps = scheduler.step_list(rules)
        sigmas = [float(scheduler.sigma(t)) for t in timesteps]
        cases[case] = {"shift": shift, "timesteps": steps, "warp": warp, "train_timesteps": 1000}
        cases[case] |= {"expected_timesteps": timesteps, "expected_sigmas": sigmas}
        clean = scheduler.clean_estimate(x, v, timesteps[1])
        tensors[f"{case}/expected.clean"] = clean
        tensors[f"{case}/expected.renoised"] = scheduler.renoise(clean, eps, timesteps[2])
    out.add("sampler", tensors, "clean: x at step 1; renoised: clean to step 2", cases=cases)


def text(out: Writer) -> None:
    loaded = model_directory.load(out.output / "tiny-model")
    g, processor, encoder = generator(3), loaded.tokenizer, loaded.text_encoder
    prompts = [
        "a red ball rolls over the green floor",
        "  two  &amp;amp; small\n\ttriangles ",
        "the yellow square slides to the left while the purple circle waits",
        "Zürich 北京!",
        "",
    ]
    tensors, cases = {}, {}
    for index, prompt in enumerate(prompts):
        ids = tokenize(processor, prompt, MAX_TOKENS)
        cases[f"prompt{index}"] = {"text": prompt, "rows": MAX_TOKENS, "ids": ids}
        tensors[f"prompt{index}/expected.embedding"] = encoder.encode_padded(ids, MAX_TOKENS)[0]
    ids = torch.randint(0, processor.vocab_size(), (200,), generator=g).tolist()
    cases["long"] = {"text": None, "rows": 200, "ids": ids}  # reaches every distance bucket
    tensors["long/expected.embedding"] = encoder.encode_padded(ids, 200)[0]
    out.add(
        "text-encoder",
        tensors,
        "ids after cleaning the text; embedding [rows, d_model], zero-padded",
        model="tiny-model",
        cases=cases,
    )


def moving_points(g: torch.Generator, frames: int, count: int, size: tuple[int, int]) -> Tracks:
    """Smooth paths [F, N, 2] over a width x height canvas, some leaving it, some going hidden."""
    extent = torch.tensor(size, dtype=torch.float32)
    start = torch.rand(count, 2, generator=g) * extent
    speed = (torch.rand(count, 2, generator=g) - 0.5) * extent / 24
    time = torch.arange(frames, dtype=torch.float32)[:, None, None]
    wobble = 3 * torch.sin(time / 5 + 6 * torch.rand(count, 2, generator=g))
    visible = (torch.rand(frames, count, generator=g) > 0.15).float()
    return Tracks(start + time * speed + wobble, visible, torch.arange(count) * 7919 + 3)


def track_encoder(out: Writer) -> None:
    g, size, frames = generator(4), (4, 6), 9
    tracks = moving_points(g, frames, 6, (48, 32))
    tracks.points[:, 4] = tracks.points[:, 3]  # two tracks in one cell: the collision rule
    # Borders, exactly: origin, a cell edge, the middle (a rounding tie), the far edge, outside.
    edges = [
        (0, 0),
        (8, 8),
        (24, 16),
        (47.99, 31.99),
        (48, 16),
        (-0.01, 5),
        (24, 32),
        (3, 4),
        (44, 1),
    ]
    tracks.points[:, 5] = torch.tensor(edges, dtype=torch.float32)
    tracks.visible[:, 5] = 1
    config = TrackHeadConfig(8, 3, 8, 4, 100000, True)
    tensors, cases = {}, {}
    for bias in (True, False):
        head = TrackEncoder(TrackHeadConfig(**(vars(config) | {"use_bias": bias})), None)
        randomize(head, g)
        if bias:
            tensors |= weights(head)
        for cell_rule, collision, ids in (
            ("floor", "add", "file"),
            ("floor", "assign", "file"),
            ("round_grid", "add", "file"),
            ("round_grid", "assign", "scattered"),
            ("bilinear", "add", "scattered"),
            ("bilinear", "add", "origin"),
        ):
            rules = TrackRules(cell_rule, collision, 100000, 10000, ids)
            head.rules = rules
            case = f"{cell_rule}-{collision}" + ("" if bias else "-no-bias")
            case += "-origin" if ids == "origin" else ""
            if not bias:
                if case != "bilinear-add-no-bias":
                    continue
                tensors |= {f"{case}/{k}": v for k, v in weights(head).items()}
            args = (tracks.points[None], tracks.visible[None])
            given = tracks.ids
            phi = embed_ids(given, config.id_dim, rules) if ids != "origin" else None
            if ids == "origin":
                given = first_visible(tracks.points, tracks.visible, (48, 32))
                phi = embed_origins(given, config.id_dim, 8, rules)
            every = phi.expand(*args[1].shape, -1)
            cases[case] = {"rules": vars(rules), "use_bias": bias}
            tensors |= {
                f"{case}/expected.embedding": phi,
                f"{case}/expected.map": track_map(*args, every, size, 8, rules)[0],
                f"{case}/expected.latents": head(*args, given, size)[0],
                f"{case}/expected.hidden": head(args[0], 0 * args[1], given, size)[0],
            }
    tensors |= {"input.points": tracks.points, "input.visible": tracks.visible}
    golden = [0, 1, 12345, 99999]
    rules = TrackRules("floor", "add", 100000, 10000, "file")
    tensors["golden/expected.embedding"] = embed_ids(torch.tensor(golden), 64, rules)
    out.add(
        "track-encoder",
        tensors,
        "map [F, H, W, id_dim]; latents [C, T, H, W], of which window [1, 3) is latents 1 and 2; "
        "hidden: the same with every point invisible; golden: ids at id_dim 64",
        config=vars(config),
        ids=tracks.ids.tolist(),
        latent_height=size[0],
        latent_width=size[1],
        cases=cases,
        golden_ids=golden,
    )


def transformers(out: Writer) -> None:
    g, size = generator(5), (4, 6)
    net = model_directory.load(out.output / "tiny-model").transformer
    text = torch.randn(1, MAX_TOKENS, TEXT_DIM, generator=g)
    text[:, 7:] = 0

    # One block, as the transformer calls it: three latent frames at RoPE positions 3, 4, 5.
    block, dim = net.blocks[0], net.config.dim
    positions = torch.tensor([3, 4, 5])
    x = torch.randn(1, 18, dim, generator=g)
    modulation = 0.5 * torch.randn(1, 3, 6, dim, generator=g)
    context = torch.randn(1, MAX_TOKENS, dim, generator=g)
    angles = rotary_angles(positions, (2, 3), net.config.attention_head_dim)
    y, (k, v) = block(x, modulation, angles, [block.attn2.key_value(context)])
    out.add(
        "transformer-block",
        {
            "input.x": x[0],
            "input.modulation": modulation[0],
            "input.context": context[0],
            "expected.x": y[0],
            "expected.raw_k": k[0],
            "expected.v": v[0],
        },
        "block 0: x [T*h*w, D]; modulation [T, 6, D]; context: embedded text rows [M, D]; "
        "raw_k: before RoPE",
        model="tiny-model",
        positions=positions.tolist(),
        h=2,
        w=3,
    )

    frames = 6
    x = torch.randn(1, 11, frames, *size, generator=g)
    timestep = torch.tensor([[1000.0, 1000.0, 1000.0, 625.0, 0.0, 12.5]])
    causal = torch.arange(frames)[:, None] // 3 >= torch.arange(frames)[None] // 3
    out.add(
        "transformer",
        {
            "input.x": x[0],
            "input.timestep": timestep[0],
            "input.text": text[0],
            "expected.velocity": net(x, timestep, text)[0],
            "expected.causal_velocity": net(x, timestep, text, frame_mask=causal)[0],
        },
        "x [in, T, H, W]; one timestep per latent frame; causal: chunks of 3 see earlier chunks",
        model="tiny-model",
    )

    image_net = transformer(g, 5, None, image_dim=12, num_layers=1)
    x = torch.randn(1, 5, 2, *size, generator=g)
    tokens = torch.randn(1, 9, 12, generator=g)
    out.add(
        "transformer-image",
        weights(image_net)
        | {
            "input.x": x[0],
            "input.timestep": timestep[0, :2],
            "input.text": text[0],
            "input.image": tokens[0],
            "expected.velocity": image_net(x, timestep[:, :2], text, tokens)[0],
        },
        "cross-attention to image tokens [I, image_dim] beside the text",
        config=vars(image_net.config),
    )

    cell_net = transformer(generator(12), 5, None, num_layers=1, patch=(2, 3), cell_head=CELL_HEAD)
    out.add(
        "transformer-cells",
        weights(cell_net)
        | {
            "input.x": x[0],
            "input.timestep": timestep[0, :2],
            "input.text": text[0],
            "expected.velocity": cell_net(x, timestep[:, :2], text)[0],
        },
        "a cell head after the transformer's; patch 2x3",
        config=asdict(cell_net.config),
    )

    # A stream of 8 chunks: each runs noisy, then clean at timestep 0 with commit.
    tensors = {"input.text": text[0]}
    cases = {}
    noisy, clean = (torch.randn(1, 11, 24, *size, generator=g) for _ in range(2))
    tensors |= {"input.noisy": noisy[0], "input.clean": clean[0]}
    context = net.context(text)
    for case, lengths, sink, window, position in (
        ("c3s1w1-slot", [3] * 8, 3, 3, "slot"),
        ("first1-sink1-window2-slot", [1] + [3] * 7, 1, 2, "slot"),
        ("window6-absolute", [3] * 8, 0, 6, "absolute"),
        ("sink2-window3-absolute", [1] + [2] * 9, 2, 3, "absolute"),
    ):
        cache = KVCache(2, sink, window, position)
        outputs, kept, index = [], [], []
        for length in lengths:
            run = slice(cache.next_frame, cache.next_frame + length)
            index.append(cache.temporal_positions(length).tolist())
            t = torch.full((1, length), 750.0)
            outputs.append(net.forward_chunk(noisy[:, :, run], t, context, cache, commit=False))
            net.forward_chunk(clean[:, :, run], 0 * t, context, cache, commit=True)
            kept.append(list(cache.frames))
        tensors[f"{case}/expected.velocity"] = torch.cat(outputs, dim=2)[0]
        tensors[f"{case}/expected.raw_k"] = cache.layers[1][0][0]
        cases[case] = {"chunks": lengths, "sink_frames": sink, "window_frames": window}
        cases[case] |= {"positions": position, "rope_positions": index, "cached_after_commit": kept}
    out.add(
        "transformer-stream",
        tensors,
        "velocity of the noisy passes at timestep 750 [out, T, H, W]; "
        "rope_positions: cached frames then current; raw_k: layer 1's cache at the end",
        model="tiny-model",
        cases=cases,
    )


def tiny_vaes(out: Writer) -> None:
    g = generator(6)
    vae = model_directory.load(out.output / "tiny-model").tiny_vae
    frames = torch.rand(1, 9, 3, 24, 32, generator=g)
    frames = torch.nn.functional.avg_pool2d(frames[0], 3, stride=1, padding=1)[None]
    latents = vae.encode(frames)
    out.add(
        "tiny-vae-encoder",
        {"input.frames": frames[0], "expected.latents": latents[0]},
        "frames [9, 3, 24, 32] -> latents [3, C, 3, 4]; also four frames at a time",
        model="tiny-model",
    )
    latents = torch.randn(1, 3, LATENT_CHANNELS, 3, 4, generator=g) * 1.5
    out.add(
        "tiny-vae-decoder",
        {"input.latents": latents[0], "expected.frames": vae.decode(latents)[0]},
        "latents [3, C, 3, 4] -> frames [9, 3, 24, 32]; also latent by latent",
        model="tiny-model",
    )
    small = tiny_vae(g, memblocks=1, decoder_widths=(6, 5, 4, 3), patch_size=2)
    tensors = weights(small)
    latents = torch.randn(1, 2, LATENT_CHANNELS, 2, 1, generator=g)
    frames = torch.rand(1, 5, 3, 32, 16, generator=g)
    tensors |= {"input.latents": latents[0], "expected.frames": small.decode(latents)[0]}
    tensors |= {"input.frames": frames[0], "expected.latents": small.encode(frames)[0]}
    # As in upstream's files: a TGrow stored for more frames than used; its last rows count.
    grow = next(k for k in tensors if k.endswith("decoder.5.conv.weight"))
    extra = torch.randn(tensors[grow].shape, generator=g)
    tensors[grow] = torch.cat((extra, tensors[grow]))
    out.add(
        "tiny-vae-patch2",
        tensors,
        "patch 2, one MemBlock per stage, decoder.5 stored twice as tall as used",
        config=vars(small.config),
    )


def models(out: Writer) -> None:
    folders = {
        "tiny-model": ("tiny-motionstream", {}, 3, {}),
        "tiny-model-track-v0": ("tiny-track-v0", TRACK_V0, 1, {}),
        "tiny-model-self-forcing": ("tiny-self-forcing", SELF_FORCING, 1, {}),
        "tiny-model-guided": ("tiny-guided", GUIDED, 2, ONE_STAGE),
    }
    for offset, (folder, (name, changes, memblocks, vae)) in enumerate(folders.items()):
        built = model(generator(10 + offset), configuration(name, **changes), memblocks, **vae)
        model_directory.save(built, out.output / folder)
    weight_file = "transformer/diffusion_pytorch_model.safetensors"
    store_as(out.output / "tiny-model-track-v0" / weight_file, torch.bfloat16)
    store_as(out.output / "tiny-model-self-forcing" / weight_file, torch.float16)
    shard(out.output / "tiny-model-self-forcing" / weight_file)


def smooth_picture() -> Tensor:
    """[3, 32, 48]: blots, of values that an 8-bit picture can hold."""
    image = torch.nn.functional.avg_pool2d(
        torch.rand(3, 32, 48, generator=generator(7)), 5, stride=1, padding=2
    )
    image = (image - 0.5) * 3 + 0.5
    return (255 * image.clamp(0, 1)).round() / 255


def rolling_ball(faint: bool = False, moves: float = 4.0) -> tuple[Tensor, Tensor, Tensor]:
    """A ball of 9 pixels' radius on a floor [3, 36, 64], and tracks on both, points [8, N, 2] and
    visible [8, N]: it rolls by half a turn and to the right, in every frame by as much as it
    `moves`. A faint one has no clear outline."""
    y, x = torch.meshgrid(torch.arange(36) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    floor = torch.stack((0.3 + 0.002 * x, 0.4 + 0.004 * y, 0.5 + 0 * x))
    toward = (81 - (x - 16).square() - (y - 18).square()).clamp(min=0).sqrt() / 9
    ball = torch.stack((0.4 + 0.5 * toward, 0.1 + 0.2 * toward, 0.2 * (x / 3).sin().square()))
    share = 0.4 * toward.square() if faint else (toward > 0).float()
    image = (255 * (floor + share * (ball - floor))).round() / 255
    across, down = (torch.rand(2, 40, generator=generator(15)) - 0.5) * 17
    kept = across.square() + down.square() < 64
    across, down = across[kept], down[kept]
    near = (81 - across.square() - down.square()).sqrt()
    stands = torch.rand(16, 2, generator=generator(16)) * torch.tensor([64.0, 36.0])
    stands = stands[(stands - torch.tensor([16.0, 18.0])).square().sum(1) > 121]
    points, visible = [], []
    for frame in range(8):
        angle, centre = torch.tensor(torch.pi * frame / 7), 16 + moves * frame
        to_right = across * angle.cos() + near * angle.sin()
        rolled = torch.stack((centre + to_right, 18 + down), 1)
        front = near * angle.cos() - across * angle.sin() > 0
        apart = (stands - torch.tensor([centre, 18.0])).square().sum(1)
        points.append(torch.cat((rolled, stands)))
        visible.append(torch.cat((front, apart > 81)).float())
    return image, torch.stack(points), torch.stack(visible)


def window_frame() -> tuple[Tensor, Tensor, Tensor]:
    """A red window frame with a blue pane, 16 pixels wide, on a striped floor [3, 36, 64], and
    tracks on both, points [8, N, 2] and visible [8, N]: the camera pans by 7 pixels to the right,
    the frame moves by 28 and is bent as it goes."""
    y, x = torch.meshgrid(torch.arange(36) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    floor = torch.stack((0.3 + 0.05 * x.sin(), 0.5 + 0.05 * x.sin(), 0.6 + 0.05 * x.sin()))
    away = torch.maximum((x - 16).abs(), (y - 18).abs())
    red, blue = torch.tensor([[[[0.9]], [[0.1]], [[0.1]]], [[[0.1]], [[0.1]], [[0.9]]]])
    image = torch.where(away < 8, torch.where(away < 4, blue, red), floor)
    image = (255 * image).round() / 255
    on = torch.rand(400, 2, generator=generator(17)) * 15 - 7.5
    on = on[on.abs().amax(1) > 4.5][:24]
    beside = torch.rand(60, 2, generator=generator(18)) * torch.tensor([64.0, 36.0])
    beside = beside[(beside - torch.tensor([16.0, 18.0])).abs().amax(1) > 9]
    bent = torch.randn(len(on), 2, generator=generator(19))
    points, visible = [], []
    for frame in range(8):
        centre = torch.tensor([16 + 4.0 * frame, 18.0])
        stands = beside - torch.tensor([float(frame), 0.0])
        points.append(torch.cat((on + centre + bent * frame / 7, stands)))
        apart = (stands - centre).abs().amax(1)
        visible.append(torch.cat((torch.ones(len(on)), (apart > 8).float())))
    return image, torch.stack(points), torch.stack(visible)


def picture_warp(out: Writer) -> None:
    image, tracks = smooth_picture()[:, :27, :41], moving_points(generator(14), 41, 9, (41, 27))
    shown = [0, 3, 10, 40]
    waves = image, tracks.points[shown], tracks.visible[shown]
    for name, (image, points, visible) in (
        ("picture-warp", waves),
        ("picture-warp-turning", rolling_ball()),
        ("picture-warp-faint", rolling_ball(faint=True)),
        ("picture-warp-spinning", rolling_ball(moves=0.0)),
        ("picture-warp-ground", window_frame()),
    ):
        warp = PictureWarp(image, points[0], visible[0], 12, 4)
        frames = [warp.frame(*now) for now in zip(points, visible, strict=True)]
        out.add(
            name,
            {
                "input.picture": image,
                "input.points": points,
                "input.visible": visible,
                "expected.frames": torch.stack(frames),
            },
            "picture [3, H, W] moved by tracks that are at points [n, N, 2]; first the start",
            reach=12,
            cell=4,
        )


def rollouts(out: Writer) -> None:
    image = smooth_picture()
    for name, folder, chunks, with_image, with_tracks in (
        ("rollout", "tiny-model", 7, True, True),
        ("rollout-no-condition", "tiny-model", 3, False, False),
        ("rollout-track-v0", "tiny-model-track-v0", 8, True, True),
        ("rollout-self-forcing", "tiny-model-self-forcing", 7, False, False),
        ("rollout-self-forcing-prefill", "tiny-model-self-forcing", 4, True, False),
        ("rollout-guided", "tiny-model-guided", 6, True, True),
        ("rollout-guided-own", "tiny-model-guided", 4, False, True),
    ):
        rollout(out, name, folder, chunks, image if with_image else None, with_tracks)


def rollout(
    out: Writer, name: str, folder: str, chunks: int, image: Tensor | None, with_tracks: bool
) -> None:
    loaded = model_directory.load(out.output / folder)
    prompt = "the yellow square slides to the left"
    seed = 2**40 + 7
    tracks = moving_points(generator(8), 96, 5, (48, 32)) if with_tracks else None
    results = list(Rollout(loaded, prompt, seed, image, tracks).chunks(chunks))
    latents = torch.cat([latent for latent, _ in results], dim=2)[0]
    frames = torch.cat([frame for _, frame in results])
    shown = [0, len(frames) - 1] if tracks is not None else [len(frames) - 1]
    tensors = {
        "expected.latents": latents,
        "expected.frames": frames[shown],
        "expected.frame_means": frames.mean(dim=(2, 3)),
    }
    if image is not None:
        tensors["input.image"] = image
    if tracks is not None:
        tensors |= {"input.points": tracks.points[: len(frames)]}
        tensors |= {"input.visible": tracks.visible[: len(frames)]}

    inside = ((frames > 0) & (frames < 1)).float().mean().item()
    print(
        f"{name}: {len(frames)} frames, latents std {latents.std():.2f}, unclamped {inside:.2f}, "
        f"rounding sensitivity {sensitivity(loaded, prompt, seed, image, tracks, latents):.1e}"
    )
    out.add(
        name,
        tensors,
        "latents [C, T, H, W]; frames [n, 3, height, width] for the frame numbers in `frames`; "
        "frame_means [frames, 3] for all; points [F, N, 2] in pixels",
        model=folder,
        prompt=prompt,
        seed=str(seed),
        chunks=chunks,
        frames=shown,
        ids=tracks.ids.tolist() if tracks else None,
        image=image is not None,
    )


def sensitivity(loaded, prompt, seed, image, tracks, latents: Tensor) -> float:
    """How far rounding alone moves the result: weights disturbed by one part in ten million."""
    g = generator(9)
    with torch.no_grad():
        for part in (loaded.transformer, loaded.text_encoder, loaded.tiny_vae):
            for p in part.parameters():
                p.mul_(1 + 1e-7 * torch.randn(p.shape, generator=g))
    count = 0
    again = []
    stream = Rollout(loaded, prompt, seed, image, tracks)
    while count < latents.shape[1]:
        again.append(stream.next_chunk()[0])
        count += again[-1].shape[2]
    return ((torch.cat(again, dim=2)[0] - latents).abs().max() / latents.abs().max()).item()


def store_as(file: Path, dtype: torch.dtype) -> None:
    """Store weights at half width; the rollout loads the rounded values."""
    save_file({k: v.to(dtype) for k, v in load_file(file).items()}, file, {"format": "pt"})


def shard(file: Path) -> None:
    """Split one weight file in two, with the index diffusers writes."""
    state = load_file(file)
    names = sorted(state)
    parts = [names[: len(names) // 2], names[len(names) // 2 :]]
    weight_map = {}
    for number, part in enumerate(parts, start=1):
        shard_name = f"{file.stem}-{number:05d}-of-{len(parts):05d}.safetensors"
        save_file({k: state[k] for k in part}, file.with_name(shard_name), {"format": "pt"})
        weight_map |= dict.fromkeys(part, shard_name)
    total = sum(v.numel() * v.element_size() for v in state.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    model_directory.write_json(file.with_suffix(".safetensors.index.json"), index)
    file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parent.parent / "Tests/Fixtures"
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    torch.set_num_threads(1)
    out = Writer(output)
    with torch.no_grad():
        for make in (
            models,
            rope,
            noise,
            sampler,
            text,
            track_encoder,
            transformers,
            tiny_vaes,
            picture_warp,
            rollouts,
        ):
            make(out)
    out.finish()


if __name__ == "__main__":
    main()
