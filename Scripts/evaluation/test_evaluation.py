"""Tests of the measures themselves: run `pytest Scripts/evaluation`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from world import WorldConfig, sample_clip, split_seed

from . import colours, drawing, engine, grade, length, objects, pictures, points, report, shapes
from .ablations import timesteps, variants
from .teacher import tracks_shown
from .worlds import Mix, Points, held_out, to_and_fro

torch.set_num_threads(1)
MANIFEST = {"width": 160, "height": 96, "fps": 16}
FRAMES = 25


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds")
    config = Mix(still_camera=0.5, turning=0.0).config(MANIFEST, FRAMES)
    return [held_out(index, config, folder, "test") for index in range(4)]


def frozen(clip):
    return np.repeat(clip.frames[:1], len(clip.frames), 0)


def test_a_clip_from_the_folder_is_the_one_that_was_drawn(tmp_path):
    config = Mix().config(MANIFEST, 5)
    drawn, again = (held_out(3, config, tmp_path, "test") for _ in range(2))
    world = sample_clip(split_seed("test", 3), config)
    for clip in (drawn, again):
        assert (clip.frames == world.frames.numpy()).all()
        assert clip.prompt == world.prompt
        assert [s["colour"] for s in clip.solids] == [s.colour for s in world.scene.solids]
        assert clip.tracks("dense").visible[0].all()


def test_worlds_are_drawn_at_the_size_of_the_model(tmp_path):
    config = Mix().config({"width": 64, "height": 48, "fps": 8}, 5)
    assert (config.width, config.height, config.fps) == (64, 48, 8.0)
    assert held_out(0, config, tmp_path, "test").frames.shape == (5, 48, 64, 3)


def test_true_frames_score_as_well_as_the_tracker_can(clips):
    figures = grade.summary([grade.grade(c.frames, c, c.tracks("dense")) for c in clips])
    everything = figures["points"]["all"]
    assert everything["points"] > 60
    assert everything["made"] == pytest.approx(everything["tracker"])
    assert everything["made"] < 0.4  # percent of the width
    assert figures["objects"]["made_mean"] < 2
    assert figures["psnr"] > 100
    assert figures["ssim"] == pytest.approx(1)
    assert figures["sharpness_of_true"] == pytest.approx(1)


def test_frozen_frames_score_the_motion_itself(clips):
    for clip in clips:
        part = grade.grade(frozen(clip), clip, clip.tracks("dense"))["points"]
        assert np.allclose(part["made"], part["frozen"], atol=0.02)  # pixels
    moves = [m for c in clips for m in objects.moving_objects(c.owner)]
    assert moves
    for clip in clips:
        for row in grade.grade_objects(frozen(clip), clip):
            assert row["made"]["mean"] == pytest.approx(row["frozen"]["mean"], abs=1.5)


def test_points_without_texture_are_left_out_and_counted():
    plain = np.full((9, 96, 160, 3), 128, np.uint8)
    start = np.array([[40.0, 40.0], [80.0, 50.0]])
    truth = np.repeat(start[None], 9, 0)
    path, lost = points.track(plain, start)
    counted = points.graded(np.ones((9, 2), bool))
    assert not points.followed(path, lost, truth, counted, 160).any()


def test_a_shifted_texture_is_followed_to_a_tenth_of_a_pixel():
    noise = np.random.default_rng(0).integers(0, 255, (24, 48, 3)).astype(np.uint8)
    wide = np.kron(noise, np.ones((5, 5, 1), np.uint8))
    frames = np.stack([wide[10:106, 40 - t : 200 - t] for t in range(12)])
    start = np.random.default_rng(1).uniform((30, 20), (120, 76), (20, 2))
    path, lost = points.track(frames, start)
    truth = start + np.arange(12)[:, None, None] * (1.0, 0.0)
    assert np.median(np.linalg.norm(path - truth, axis=-1)[-1]) < 0.1
    assert lost.mean() < 0.2


def test_a_hidden_point_counts_until_it_is_hidden():
    visible = np.ones((10, 2), bool)
    visible[6:8, 0] = False
    visible[2, 1] = False
    counted = points.graded(visible)
    assert counted[:, 0].tolist() == [False] + [True] * 5 + [False] * 4
    assert not counted[:, 1].any()  # seen too shortly


def test_true_colours_are_recognised(clips):
    right = []
    for clip in clips:
        given = clip.tracks("dense")
        for number, solid in enumerate(clip.solids, 1):
            own = (given.owner == number) & given.visible[8]
            if own.sum() >= 5:
                pixels = colours.near_points(clip.frames[8], given.xy[8, own], 1)
                right.append(colours.NAMES[colours.votes(pixels).argmax()] == solid["colour"])
    assert len(right) >= 4
    assert all(right)


def test_a_constant_stream_has_constant_figures(clips):
    loop = to_and_fro(clips[0])
    block = len(loop.frames)
    statistics = length.Statistics(loop, block)
    for frame in np.tile(loop.frames, (3, 1, 1, 1)):
        statistics.add(frame)
    rows = [{"clip": 0, "camera": "still", "blocks": statistics.blocks()}]
    blocks = rows[0]["blocks"]
    assert len(blocks) == 3
    figures = length.summary(rows)
    assert figures["sharpness_change_percent"] == pytest.approx(0)
    assert figures["luma_drift_worst_percent"] == pytest.approx(0)
    assert figures["chroma_drift_worst_percent"] == pytest.approx(0)
    assert blocks[0]["epe"] == pytest.approx(blocks[2]["epe"], abs=0.3)
    assert blocks[2]["psnr"] > 100


def test_a_stream_that_fades_drifts(clips):
    loop = to_and_fro(clips[0])
    statistics = length.Statistics(loop, len(loop.frames))
    for frame in [*loop.frames, *(loop.frames // 2)]:
        statistics.add(frame)
    figures = length.summary([{"clip": 0, "camera": "still", "blocks": statistics.blocks()}])
    assert figures["luma_drift_percent"] > 10
    assert figures["sharpness_change_percent"] < -50


def test_a_loop_forwards_and_backwards_has_no_frame_twice_at_its_ends(clips):
    loop = to_and_fro(clips[0])
    assert len(loop.frames) == 2 * (FRAMES - 1)
    assert (loop.frames[-1] == clips[0].frames[1]).all()
    assert (loop.frames[FRAMES] == clips[0].frames[-2]).all()


def test_luma_and_chroma_of_known_colours():
    grey = np.full((4, 4, 3), 100, np.uint8)
    assert np.allclose(pictures.colour_means(grey), (100, 0, 0), atol=1e-3)
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    luma, blue, difference = pictures.colour_means(red)
    assert difference == pytest.approx(100)
    assert luma == pytest.approx(59.8)
    assert blue < 0


def test_ssim_falls_with_noise_and_with_blur(clips):
    frames = clips[0].frames[:2]
    noise = np.random.default_rng(0).normal(0, 20, frames.shape)
    noisy = (frames + noise).clip(0, 255).astype(np.uint8)
    assert pictures.ssim(frames, frames) == pytest.approx(1)
    assert pictures.ssim(noisy, frames) < 0.9


def model_directory(folder):
    (folder / "transformer").mkdir(parents=True)
    settings = {
        "chunk": 3,
        "first_chunk": 3,
        "cache": {"sink": 1, "window": 1},
        "sampler": {"timesteps": [1000, 667, 333], "train_timesteps": 1000},
        "tracks": {"cell_rule": "bilinear"},
    }
    (folder / "motionstream.json").write_text(json.dumps(settings))
    (folder / "transformer/config.json").write_text("{}")
    return settings


def test_a_variant_shares_the_weights_and_changes_only_what_is_named(tmp_path):
    settings = model_directory(tmp_path / "model")
    for changes in variants(settings)["cache"].values():
        made = engine.variant(tmp_path / "model", tmp_path / "variant", changes)
        with open(f"{made}/motionstream.json") as file:
            changed = json.load(file)
        assert changed["chunk"] == changes["chunk"]
        assert changed["cache"]["sink"] == changes["cache.sink"]
        assert changed["sampler"] == settings["sampler"]
        assert (tmp_path / "variant/transformer/config.json").read_text() == "{}"
    assert json.loads((tmp_path / "model/motionstream.json").read_text()) == settings


def test_a_drawing_is_measured_with_one_setting_changed_at_a_time():
    own = {"steps": 12, "guidance": 3.0, "guidance_above": 0.0}
    changed = drawing.variants(own)
    assert changed.pop("as shipped") == {}
    assert all(len(c) == 1 and own.items().isdisjoint(c.items()) for c in changed.values())


def test_a_silenced_model_has_its_weights_but_for_the_output(tmp_path):
    settings = model_directory(tmp_path / "model")
    name = "transformer/diffusion_pytorch_model.safetensors"
    state = {"proj_out.weight": np.ones((2, 3), np.float16), "blocks.0.a": np.ones(4, np.float16)}
    save_file(state, tmp_path / "model" / name)
    made = engine.silenced(tmp_path / "model", tmp_path / "silent")
    found = load_file(f"{made}/{name}")
    assert not found["proj_out.weight"].any() and found["blocks.0.a"].all()
    assert json.loads(Path(made, "motionstream.json").read_text()) == settings
    assert load_file(tmp_path / "model" / name)["proj_out.weight"].all()


def test_the_teacher_is_shown_four_frames_to_a_latent_and_the_first_alone():
    xy = np.arange(5 * 2 * 2, dtype=np.float32).reshape(5, 2, 2)
    visible = np.ones((5, 2), bool)
    visible[2, 1] = False
    shown = tracks_shown(Points(xy, visible, np.zeros(2)))
    assert shown.points.shape == (1, 8, 2, 2)  # two latents
    assert not shown.visible[0, :3].any()
    assert (shown.points[0, 3:].numpy() == xy).all()
    assert (shown.visible[0, 3:].numpy() == visible).all()
    assert (shown.origin[0].numpy() == xy[0]).all()


def test_step_lists_are_even_or_the_models_own():
    own = {"sampler": {"timesteps": [1000, 700, 200], "train_timesteps": 1000}}
    assert [timesteps(own, n) for n in (1, 2, 3, 4)] == [
        [1000],
        [1000, 500],
        [1000, 700, 200],
        [1000, 750, 500, 250],
    ]


def test_the_table_says_what_was_not_measured(clips):
    rows = [grade.grade(c.frames, c, c.tracks("sparse")) for c in clips]
    figures = {"dense": grade.summary(rows) | {"frames": FRAMES}, "world": vars(Mix())}
    result = {
        "size": [160, 96],
        "machine": {"processors": 1, "kind": "x"},
        "parts": {"transfer": figures},
    }
    text = report.markdown(result)
    assert "| teacher EPE, of the width | <= 0.64 % | not measured | not measured |" in text
    assert "| student EPE, of the width | <= 0.94 % |" in text
    assert "Left out" in text


def test_the_guidance_of_the_teacher_has_a_row_each():
    figures = {"epe": 0.5, "epe_interval": None, "objects_epe": 1.0, "psnr": 20.0, "ssim": 0.8}
    figures["sharpness_of_true"] = 0.25
    part = {"clips": 2, "frames": 9, "tracks": "dense", "world": vars(Mix())}
    part["settings"] = {"joint": figures, "text only": figures}
    rows = report.guidance(part).splitlines()[4:]
    assert [row.split(" | ")[0] for row in rows] == ["| joint", "| text only"]


def test_the_settings_of_the_world_are_those_of_the_mix():
    config = Mix(3, 0.25, 0.75).config(MANIFEST, 9)
    assert config == WorldConfig(160, 96, 16.0, 9, 3, 0.25, 0.75)


def test_a_clip_without_a_point_to_follow_has_none():
    path, lost = points.track(np.zeros((3, 48, 80, 3), np.uint8), np.zeros((0, 2)))
    assert path.shape == (3, 0, 2) and lost.shape == (3, 0)


def test_what_the_shape_classifier_learns_from_looks_as_what_it_is_asked_about(clips):
    frame = np.full_like(clips[0].frames[0], 255)
    frame[:, 80:] = 0
    mask = np.zeros(frame.shape[:2], bool)
    mask[20:70, 40:110] = True
    crop = shapes.crop(frame, mask)
    assert crop.max() == 1 and crop.min() == -1  # white and black are both there
    learnt_from = shapes.restored(shapes.quantized(crop))
    torch.testing.assert_close(learnt_from, crop, rtol=0, atol=1 / 127)
