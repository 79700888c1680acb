"""The twins against printed numbers, and streaming against the whole.

python -m pytest Scripts/reference
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reference import model_directory
from reference.causal_transformer import CausalTransformer, sinusoid
from reference.configuration import (
    SamplerRules,
    TextEncoderConfig,
    TinyVAEConfig,
    TrackHeadConfig,
    TrackRules,
    TransformerConfig,
)
from reference.kv_cache import KVCache
from reference.noise import normal_noise, philox4x32
from reference.rollout import Rollout, Tracks
from reference.rotary_embedding import axis_split, rotary_angles
from reference.sampler import FlowMatchScheduler
from reference.taehv import TAEHV
from reference.text_encoder import TextEncoder, clean, position_bucket
from reference.track_encoder import TrackEncoder, embed_ids, place
from tiny_models import SELF_FORCING, TRACK_V0, configuration, model, tiny_vae, transformer


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def close(a, b, tolerance=1e-5):
    a, b = torch.as_tensor(a), torch.as_tensor(b)
    assert a.shape == b.shape
    assert (a - b).abs().max() <= tolerance * b.abs().max()


# -- sampler ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shift, steps, expected",
    [
        (5, [1000, 750, 500, 250], [1000, 937.5, 833.333, 625]),
        (6, [1000, 750, 500, 250], [1000, 947.368, 857.143, 666.667]),
        (6, [1000, 2000 / 3, 1000 / 3], [1000, 923.077, 750]),
        (5, [1000, 2000 / 3, 1000 / 3], [1000, 909.091, 714.286]),
    ],
)
def test_warped_steps(shift, steps, expected):
    rules = SamplerRules(steps, True, shift, 1000, 0)
    assert FlowMatchScheduler(shift).step_list(rules) == pytest.approx(expected, abs=5e-4)


def test_unwarped_steps_are_taken_as_they_are():
    rules = SamplerRules([1000, 757, 522], False, 8, 1000, 0)
    assert FlowMatchScheduler(8).step_list(rules) == [1000, 757, 522]


def test_noise_level_zero_is_the_last_table_entry():
    assert FlowMatchScheduler(5).sigma(0) == pytest.approx(0.00498, abs=1e-5)


def test_clean_estimate_undoes_added_noise():
    scheduler = FlowMatchScheduler(5)
    x, eps = torch.randn(2, 1, 4, 3, 2, 2, generator=generator())
    t = torch.full((1, 3), 625.0)
    noisy = scheduler.add_noise(x, eps, t)
    close(scheduler.clean_estimate(noisy, eps - x, 625.0), x)


def test_training_weight_has_mean_one():
    scheduler = FlowMatchScheduler(5)
    weights = scheduler.training_weight(torch.from_numpy(scheduler.timesteps))
    assert weights.mean().item() == pytest.approx(1, abs=1e-5)


# -- embeddings ---------------------------------------------------------------------------------


def test_time_sinusoid():
    x = sinusoid(torch.tensor([1000.0, 937.5]), 256)
    close(x[0, [0, 1, 2, 127]], torch.tensor([0.562379, 0.789615, 0.439954, 0.994232]), 2e-6)
    close(x[0, [128, 129, 130, 255]], torch.tensor([0.826880, 0.613603, -0.898020, 0.107254]), 2e-6)
    close(x[1, [0, 1, 2, 127]], torch.tensor([0.262302, 0.580487, 0.257223, 0.994930]), 2e-6)


def test_track_embedding():
    rules = TrackRules("floor", "add", 100000, 10000, "file")
    phi = embed_ids(torch.tensor([12345]), 64, rules)[0]
    close(phi[[0, 1, 31]], torch.tensor([0.111436, -0.675218, -0.075364]), 2e-6)
    close(phi[[32, 33, 63]], torch.tensor([-0.993772, 0.737618, 0.997156]), 2e-6)


def test_scattered_ids_stay_distinct():
    rules = TrackRules("floor", "add", 100000, 10000, "scattered")
    ids = (torch.arange(100000) * 61813 + 12345) % rules.max_id
    assert len(ids.unique()) == 100000


def test_rotary_frequencies():
    assert axis_split(128) == (44, 42, 42)
    cos, sin = rotary_angles(torch.tensor([0, 1]), (2, 2), 128)
    angle = torch.atan2(sin, cos)
    close(angle[4, [0, 1, 2, 21]], torch.tensor([1, 0.65793322, 0.43287613, 0.00015199]), 1e-5)
    close(angle[2, [22, 23, 24, 42]], torch.tensor([1, 0.64494668, 0.41595622, 0.00015505]), 1e-5)


def test_text_distance_buckets():
    distances = [0, -1, 1, -7, 7, -8, 8, -16, 16, -64, 64, 128, 500, -128, -500]
    buckets = [0, 1, 17, 7, 23, 8, 24, 10, 26, 14, 30, 31, 31, 15, 15]
    assert position_bucket(torch.tensor(distances), 32, 128).tolist() == buckets


def test_text_cleaning():
    assert clean("  a\n\n b&amp;amp;c\t") == "a b&c"


# -- noise --------------------------------------------------------------------------------------


def test_philox_known_answers():
    """Random123's published vectors for philox4x32-10."""
    ones = 0xFFFFFFFF
    for counter, key, expected in (
        ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ones] * 4, (ones, ones), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ):
        assert philox4x32(np.array(counter, dtype=np.uint64), key).tolist() == expected


def test_noise_is_normal_and_differs_by_frame_and_step():
    a = normal_noise(7, 0, 0, (16, 60, 104))
    assert abs(a.mean()) < 0.01 and abs(a.std() - 1) < 0.01
    assert abs(np.corrcoef(a.ravel(), normal_noise(7, 1, 0, a.shape).ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(a.ravel(), normal_noise(7, 0, 1, a.shape).ravel())[0, 1]) < 0.02


# -- track encoder ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule, point, cell",
    [
        ("floor", (7.99, 0), (0, 0)),
        ("floor", (8, 0), (0, 1)),
        ("floor", (47.9, 31.9), (3, 5)),
        ("round_grid", (24, 0), (0, 2)),  # 2.5 rounds to even
        ("round_grid", (47.9, 31.9), (3, 5)),
    ],
)
def test_cells(rule, point, cell):
    ((row, column, weight),) = place(torch.tensor([point]), (4, 6), 8, rule)
    assert (row.item(), column.item(), weight.item()) == (*cell, 1)


@pytest.mark.parametrize("rule", ["floor", "round_grid", "bilinear"])
def test_points_outside_the_canvas_are_invisible(rule):
    points = torch.tensor([(-0.01, 4.0), (48.0, 4.0), (4.0, 32.0)])
    assert all((weight == 0).all() for *_, weight in place(points, (4, 6), 8, rule))


def test_bilinear_weights_sum_to_one_inside_and_put_a_cell_centre_in_one_cell():
    cells = place(torch.tensor([(20.0, 12.0), (22.0, 15.0)]), (4, 6), 8, "bilinear")
    weights = torch.stack([weight for *_, weight in cells])
    close(weights.sum(0), torch.ones(2))
    assert weights[:, 0].max() == 1


def moving_tracks(frames: int) -> Tracks:
    g = generator()
    points = torch.rand(frames, 5, 2, generator=g) * torch.tensor([48.0, 32.0])
    return Tracks(points, torch.ones(frames, 5), torch.arange(5))


def test_track_window_equals_the_whole():
    rules = TrackRules("bilinear", "add", 100000, 10000, "file")
    head = TrackEncoder(TrackHeadConfig(8, 3, 8, 4, 100000, True), rules)
    tracks = moving_tracks(21)
    args = (tracks.points[None], tracks.visible[None], tracks.ids, (4, 6))
    whole = head(*args)
    parts = [head.window(*args, start, end) for start, end in ((0, 3), (3, 4), (4, 6))]
    close(torch.cat(parts, dim=2), whole)


# -- sizes of the public checkpoints -------------------------------------------------------------


def count(module) -> tuple[int, int]:
    """Tensors and parameters."""
    state = module.state_dict()
    return len(state), sum(v.numel() for v in state.values())


WAN_1_3B = {
    "_class_name": "WanTransformer3DModel",
    "patch_size": [1, 2, 2],
    "num_attention_heads": 12,
    "attention_head_dim": 128,
    "in_channels": 16,
    "out_channels": 16,
    "text_dim": 4096,
    "freq_dim": 256,
    "ffn_dim": 8960,
    "num_layers": 30,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "eps": 1e-6,
    "image_dim": None,
    "added_kv_proj_dim": None,
    "rope_max_seq_len": 1024,
    "track_config": None,
}


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, (825, 1_418_996_800)),
        (
            {"in_channels": 48, "image_dim": 1280, "added_kv_proj_dim": 1536},
            (983, 1_564_502_336),
        ),
        (
            {
                "in_channels": 48,
                "out_channels": 48,
                "num_attention_heads": 24,
                "ffn_dim": 14336,
            },
            (825, 4_999_787_712),
        ),
    ],
)
def test_wan_sizes(changes, expected):
    with torch.device("meta"):
        assert count(CausalTransformer(TransformerConfig.from_dict(WAN_1_3B | changes))) == expected


def test_taew2_1_size():
    config = TinyVAEConfig(16, 3, 1, [64] * 4, [256, 128, 64, 64], [2, 2, 1], [1, 2, 2], 3)
    with torch.device("meta"):
        vae = TAEHV(config)
    assert count(vae) == (128, 11_315_539)
    assert count(vae.decoder)[1] == 9_844_611


def test_umt5_xxl_size():
    config = TextEncoderConfig(256384, 4096, 64, 10240, 24, 64, 32, 128, 1e-6)
    with torch.device("meta"):
        assert count(TextEncoder(config)) == (242, 5_680_910_336)


# -- streaming equals whole ---------------------------------------------------------------------


@torch.no_grad()
def test_tiny_vae_streams_equal_the_whole():
    vae = tiny_vae(generator(), memblocks=3)
    frames = torch.rand(1, 13, 3, 24, 32, generator=generator())
    latents = vae.encode(frames)
    first, memory = vae.encode_more(frames[:, :1].expand(-1, 4, -1, -1, -1), None)
    rest, _ = vae.encode_more(frames[:, 1:], memory)
    close(torch.cat((first, rest), dim=1), latents)

    memory, parts = None, []
    for latent in latents.split(1, dim=1):
        part, memory = vae.decode_more(latent, memory)
        parts.append(part)
    close(torch.cat(parts, dim=1)[:, 3:], vae.decode(latents))


@torch.no_grad()
def test_cached_chunks_equal_a_causal_mask():
    net = transformer(generator(), 5, None)
    g = generator()
    x, text = torch.randn(1, 5, 9, 4, 6, generator=g), torch.randn(1, 4, 16, generator=g)
    timestep = torch.full((1, 9), 500.0)
    chunk = torch.arange(9) // 3
    whole = net(x, timestep, text, frame_mask=chunk[:, None] >= chunk[None])
    for positions in ("slot", "absolute"):  # the same while nothing is evicted
        cache = KVCache(2, 0, 9, positions)
        context = net.context(text)
        parts = [
            net.forward_chunk(x[:, :, i : i + 3], timestep[:, :3], context, cache, commit=True)
            for i in (0, 3, 6)
        ]
        close(torch.cat(parts, dim=2), whole)


@torch.no_grad()
def test_rolled_cache_equals_attention_over_the_kept_frames():
    """One layer deep, a chunk depends on older frames only through those still in the cache."""
    net = transformer(generator(), 5, None, num_layers=1)
    g = generator()
    x, text = torch.randn(1, 5, 21, 4, 6, generator=g), torch.randn(1, 4, 16, generator=g)
    context, cache = net.context(text), KVCache(1, 3, 3, "slot")
    t = torch.full((1, 3), 500.0)
    for i in range(0, 21, 3):
        last = net.forward_chunk(x[:, :, i : i + 3], t, context, cache, commit=True)
    kept = torch.cat((x[:, :, :3], x[:, :, 15:21]), dim=2)  # sink, window, current
    whole = net(kept, torch.full((1, 9), 500.0), text)
    close(last, whole[:, :, 6:])


@pytest.mark.parametrize(
    "sink, window, lengths, kept",
    [
        (3, 3, [3] * 5, [0, 1, 2, 12, 13, 14]),
        (1, 2, [1, 3, 3, 3], [0, 8, 9]),
        (0, 6, [3] * 4, [6, 7, 8, 9, 10, 11]),
        (3, 0, [3, 3], [0, 1, 2]),
    ],
)
def test_cache_keeps_sink_and_window(sink, window, lengths, kept):
    cache = KVCache(1, sink, window, "slot")
    for length in lengths:
        cache.commit([(torch.zeros(1, 2 * length, 1, 1),) * 2], length)
    assert cache.frames == kept
    assert cache.layers[0][0].shape[1] == 2 * len(kept)


@torch.no_grad()
def test_future_tracks_cannot_change_past_chunks():
    tiny = model(generator(), configuration("test"), memblocks=1)
    tracks = moving_tracks(45)
    other = Tracks(tracks.points.clone(), tracks.visible, tracks.ids)
    other.points[21:] = 5
    image = torch.rand(3, 32, 48, generator=generator())
    a, b = (list(Rollout(tiny, "a red ball", 3, image, t).chunks(3)) for t in (tracks, other))
    for i in (0, 1):
        assert torch.equal(a[i][1], b[i][1])
    assert not torch.equal(a[2][1], b[2][1])


@torch.no_grad()
@pytest.mark.parametrize("changes", [{}, TRACK_V0, SELF_FORCING])
def test_every_condition_reaches_the_frames(changes):
    rules = configuration("test", **changes)
    tiny = model(generator(), rules, memblocks=1)
    tracks = moving_tracks(45) if rules.tracks else None
    image = torch.rand(3, 32, 48, generator=generator())
    frames = [
        torch.cat([f for _, f in Rollout(tiny, *arguments).chunks(2)])[:13]
        for arguments in (
            ("a red ball", 3, image, tracks),
            ("the camera pans", 3, image, tracks),
            ("a red ball", 4, image, tracks),
            ("a red ball", 3, 1 - image, tracks),
            *([("a red ball", 3, image, None)] if tracks else []),
        )
    ]
    for other in frames[1:]:
        assert (other - frames[0]).abs().max() > 1e-3


def test_model_directory_round_trip(tmp_path):
    tiny = model(generator(), configuration("test"), memblocks=1)
    model_directory.save(tiny, tmp_path)
    again = model_directory.load(tmp_path)
    assert again.configuration == tiny.configuration
    for a, b in ((tiny.transformer, again.transformer), (tiny.tiny_vae, again.tiny_vae)):
        for key, value in a.state_dict().items():
            assert torch.equal(value, b.state_dict()[key])
