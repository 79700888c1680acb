"""Held-out clips of the procedural world, drawn once for all parts and kept in a folder."""

import functools
import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import world
from world import WorldConfig, sample_clip, split_seed

CANDIDATES = 400  # random points, 60 % of them on objects, out of which tracks are chosen
GRID = 2500  # points of the paper's 50x50 grid


@dataclass(frozen=True)
class Mix:
    """Which worlds: the settings of WorldConfig that are a matter of choice."""

    max_objects: int = 3
    still_camera: float = 0.6
    turning: float = 0.3
    split: str = "test"

    def config(self, manifest, frames):
        return WorldConfig(
            width=manifest["width"],
            height=manifest["height"],
            fps=float(manifest["fps"]),
            frames=frames,
            max_objects=self.max_objects,
            still_camera=self.still_camera,
            turning=self.turning,
        )


@dataclass
class Points:
    """Exact tracks: xy [T, N, 2] in pixels, visible [T, N], owner [N] (below 1: background)."""

    xy: np.ndarray
    visible: np.ndarray
    owner: np.ndarray

    def pick(self, chosen):
        return Points(self.xy[:, chosen], self.visible[:, chosen], self.owner[chosen])


@dataclass
class HeldOut:
    """A true clip and what is known about it."""

    index: int
    frames: np.ndarray  # [T, H, W, 3] uint8
    owner: np.ndarray  # [T, H, W] int8: -1 sky, 0 floor, 1... objects
    prompt: str
    camera: str  # how it moves
    solids: list  # of each object: shape, colour, material, motion
    candidates: Points
    grid: Points

    def tracks(self, kind, background=12, per_object=6, dense=120):
        """The tracks that a model is given, all of them visible in the first frame.

        dense: `dense` random points, 60 % on objects; sparse: `background` points and `per_object`
        points on each object; grid: 50x50 all over."""
        points = self.grid if kind == "grid" else self.candidates
        start = points.visible[0]
        if kind == "sparse":
            chosen = [np.flatnonzero((points.owner < 1) & start)[:background]]
            for label in range(1, len(self.solids) + 1):
                chosen.append(np.flatnonzero((points.owner == label) & start)[:per_object])
            return points.pick(np.concatenate(chosen))
        limit = dense if kind == "dense" else None
        return points.pick(np.flatnonzero(start)[:limit])


def held_out(index, config, folder, split):
    """Clip `index` of a split, from `folder` if it was drawn before."""
    name = (
        f"{split}-{config.width}x{config.height}-{config.fps:g}-{config.frames}"
        f"-{config.max_objects}-{config.still_camera:g}-{config.turning:g}-{world_digest()}"
    )
    path = Path(folder) / name / f"{index:05d}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.stem}.{os.getpid()}.npz")
        np.savez(temporary, **_draw(split_seed(split, index), config))
        os.replace(temporary, path)
    saved = np.load(path)
    points = [Points(*(saved[f"{n}_{k}"] for k in ("xy", "visible", "owner"))) for n in "cg"]
    known = json.loads(str(saved["known"]))
    return HeldOut(
        index, saved["frames"], saved["owner"], **known, candidates=points[0], grid=points[1]
    )


@functools.cache
def world_digest():
    """Of the world's sources: another world draws other clips."""
    digest = hashlib.sha256()
    for path in sorted(Path(world.__file__).parent.glob("*.py")):
        if not path.name.startswith("test_"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _draw(seed, config):
    clip = sample_clip(seed, config)
    names = ("shape", "colour", "material", "motion")
    known = {
        "prompt": clip.prompt,
        "camera": clip.scene.camera.move,
        "solids": [{n: getattr(s, n) for n in names} for s in clip.scene.solids],
    }
    values = {"frames": clip.frames.numpy(), "owner": clip.owner.numpy()}
    values["known"] = np.array(json.dumps(known))
    for name, points in (
        ("c", clip.sample_tracks(CANDIDATES, mode="random", on_objects=0.6)),
        ("g", clip.sample_tracks(GRID, mode="dense")),
    ):
        for key in ("xy", "visible", "owner"):
            values[f"{name}_{key}"] = getattr(points, key).numpy()
    return values


def to_and_fro(clip):
    """The clip forwards and backwards, without its ends twice: a loop of 2 (T - 1) frames."""
    order = np.r_[0 : len(clip.frames), len(clip.frames) - 2 : 0 : -1]

    def turned(p):
        return Points(p.xy[order], p.visible[order], p.owner)

    return replace(
        clip,
        frames=clip.frames[order],
        owner=clip.owner[order],
        candidates=turned(clip.candidates),
        grid=turned(clip.grid),
    )
