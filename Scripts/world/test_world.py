"""Tests of the world: run `pytest Scripts/world` or `python -m world.test_world`."""

import dataclasses
import re

import numpy as np
import pytest
import torch

from . import WorldConfig, describe, render, render_batch, sample_clip, sample_scene, split_seed
from .clip import Clip
from .prompt import NEAR_FAR, ROWS, SHAPE_WORDS
from .scene import COLOURS, recast

torch.set_num_threads(1)  # small tensors: more threads only wait for each other

SMALL = WorldConfig(frames=9, edge_samples=0)


def clips(count, config=SMALL) -> list[Clip]:
    return [sample_clip(seed, config) for seed in range(count)]


def albedo_along(clip, tracks, t):
    """Surface colour [3, n] under the visible tracks of frame t, and which tracks these are."""
    seen = tracks.visible[t].nonzero()[:, 0]
    at = torch.full_like(seen, t)
    x, y = tracks.xy[t, seen].T.contiguous()
    return clip.tracer.trace(at, x, y, colour=False), seen


def test_a_visible_surface_point_keeps_its_surface_colour():
    same = total = 0
    for clip in clips(24):
        # Hazy far floor and hills fade with distance on purpose; objects never do.
        tracks = clip.sample_tracks(200, on_objects=1.0)
        start, _ = albedo_along(clip, tracks, 0)
        first = torch.zeros(3, 200)
        first[:, tracks.visible[0].nonzero()[:, 0]] = start.albedo
        for t in (4, 8):
            hit, seen = albedo_along(clip, tracks, t)
            kept = seen[(tracks.owner[seen] > 0) & tracks.visible[0, seen]]
            columns = torch.isin(seen, kept)
            change = (hit.albedo[:, columns] - first[:, kept]).abs().amax(0)
            same += int((change < 0.02).sum())
            total += len(kept)
    assert total > 3000
    assert same > 0.995 * total  # the rest lies within rounding of a border between stripes


def test_the_first_frame_sees_every_sampled_point_where_it_was_asked_for():
    for clip in clips(6):
        tracks = clip.sample_tracks(60, mode="dense")
        assert tracks.visible[0].float().mean() > 0.98
        asked = clip.follow(torch.tensor([[80.25, 70.75]]))
        assert torch.allclose(asked.xy[0, 0], torch.tensor([80.25, 70.75]), atol=1e-3)


def test_hidden_points_lie_behind_something_nearer_or_off_the_canvas():
    hidden = 0
    for clip in clips(16):
        config = clip.scene.config
        tracks = clip.sample_tracks(300)
        for t in (3, 8):
            xy, owner = tracks.xy[t], tracks.owner
            inside = ((xy >= 0) & (xy < torch.tensor([config.width, config.height]))).all(-1)
            assert not tracks.visible[t, ~inside].any()
            x, y = xy[inside].long().T
            over, own = clip.owner[t, y, x], owner[inside]
            seen = tracks.visible[t, inside]
            # A point of the floor or sky under a pixel well inside an object is hidden.
            covered = (own <= 0) & (over > 0) & _interior(clip.owner[t])[y, x]
            hidden += int(covered.sum())
            assert not seen[covered].any()
            # Where the picture shows the point's own surface at its own place, it is seen.
            floor = (own == 0) & (over == 0) & _interior(clip.owner[t])[y, x]
            assert seen[floor].all()
    assert hidden > 50


def _interior(owner):
    """Pixels whose eight neighbours have the same owner."""
    same = torch.zeros_like(owner, dtype=torch.bool)
    middle = owner[1:-1, 1:-1]
    equal = torch.ones_like(middle, dtype=torch.bool)
    height, width = owner.shape
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            equal &= owner[dy : height - 2 + dy, dx : width - 2 + dx] == middle
    same[1:-1, 1:-1] = equal
    return same


def test_the_far_side_of_a_turning_object_is_hidden():
    config = dataclasses.replace(SMALL, frames=49, still_camera=1.0)
    turned = 0
    for seed in range(30):
        clip = sample_clip(seed, config) if turned < 3 else None
        if clip is None:
            break
        for number, solid in enumerate(clip.scene.solids, 1):
            if solid.motion != "spin" or solid.shape == "torus":
                continue
            tracks = clip.sample_tracks(200, on_objects=1.0)
            own = tracks.owner == number
            if own.any():
                turned += 1
                assert tracks.visible[0, own].any()
                assert tracks.visible[:, own].float().mean() < 0.9
    assert turned >= 3


def test_the_same_seed_gives_the_same_bytes():
    config = WorldConfig(frames=4)
    a, b = sample_clip(7, config), sample_clip(7, config)
    assert torch.equal(a.frames, b.frames)
    assert a.prompt == b.prompt
    assert torch.equal(a.sample_tracks(50).xy, b.sample_tracks(50).xy)
    assert not torch.equal(a.frames, sample_clip(8, config).frames)


def test_splits_share_no_seed():
    seeds = {s: {split_seed(s, i) for i in range(5000)} for s in ("train", "validation", "test")}
    assert len(set().union(*seeds.values())) == 15000
    with pytest.raises(ValueError, match="split must be one of"):
        split_seed("holdout", 0)


def test_the_prompt_names_the_colour_and_shape_of_everything_there():
    for seed in range(100):
        scene = sample_scene(seed, SMALL)
        prompt = describe(scene)
        assert prompt == prompt.lower()
        text = prompt.replace("clear blue", "clear").replace("light blue", "light")
        words = text.replace(".", " ").replace(",", " ").split()
        named = [w for w in words if w in COLOURS]
        for solid in scene.solids:
            assert solid.colour in named
            assert any(f"{solid.colour} {w}" in prompt for w in SHAPE_WORDS[solid.shape])
        assert set(named) <= {s.colour for s in scene.solids}


def test_of_several_objects_the_prompt_tells_which_is_where():
    places = "|".join(place for row in ROWS for place in row)
    said = 0
    for seed in range(200):
        scene = sample_scene(seed, SMALL)
        if len(scene.solids) < 2:
            continue
        at = seed % SMALL.frames
        across = {s.colour: scene.camera.project(s.position)[0][at, 0] for s in scene.solids}
        depth = {s.colour: scene.camera.project(s.position)[1][at] for s in scene.solids}
        prompt = describe(scene, at, variant=seed)
        nouns = "|".join(word for words in SHAPE_WORDS.values() for word in words)
        near_far = "|".join(word for words in NEAR_FAR for word in words)
        named = dict(re.findall(rf"(\w+) (?:{nouns}) ({places}|{near_far})", prompt))
        if not named:  # then they are named from left to right
            found = re.findall(rf"({'|'.join(across)}) (?:{nouns})", prompt)
            assert list(dict.fromkeys(found)) == sorted(across, key=across.get)
            continue
        said += 1
        assert set(named) == set(across)
        if set(named.values()) & set(ROWS[len(named)]):
            assert [named[c] for c in sorted(across, key=across.get)] == list(ROWS[len(named)])
        else:
            near, far = sorted(depth, key=depth.get)
            assert named[near] in NEAR_FAR[0] and named[far] in NEAR_FAR[1]
    assert said > 50


def test_a_recast_scene_keeps_places_and_ways_and_no_colour_twice():
    rng = np.random.default_rng(0)
    for seed in range(20):
        scene = sample_scene(seed, SMALL)
        other = recast(scene, rng)
        for old, new in zip(scene.solids, other.solids, strict=True):
            assert np.array_equal(old.position, new.position)
            assert not new.rolls or new.shape == "sphere"
        assert len({s.colour for s in other.solids}) == len(scene.solids)


def test_every_clip_shows_an_object_at_the_start():
    for clip in clips(40, dataclasses.replace(SMALL, frames=2)):
        assert len(clip.scene.solids) >= 1
        assert (clip.owner[0] > 0).sum() > 80


def test_a_piece_of_a_stream_equals_the_same_frames_of_the_whole():
    clip = sample_clip(3, WorldConfig(frames=6))
    frames, depth, owner = render(clip.tracer, start=2, stop=5)
    assert torch.equal(frames, clip.frames[2:5])
    assert torch.equal(depth, clip.depth[2:5])
    assert torch.equal(owner, clip.owner[2:5])


def test_batches_stack_clips_and_tracks():
    batch = render_batch([1, 2], dataclasses.replace(SMALL, frames=5), tracks=12)
    assert batch["frames"].shape == (2, 5, 96, 160, 3)
    assert batch["frames"].dtype == torch.uint8
    assert batch["xy"].shape == (2, 5, 12, 2)
    assert batch["visible"].shape == (2, 5, 12)
    assert len(batch["prompts"]) == 2


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-q"]))


def test_only_balls_that_roll_are_said_to():
    for turning in (0.0, 1.0):
        for seed in range(60):
            scene = sample_scene(seed, WorldConfig(frames=9, turning=turning))
            text = describe(scene)
            assert ("rolls" in text) <= any(solid.rolls for solid in scene.solids)
