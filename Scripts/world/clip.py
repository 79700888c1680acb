"""A rendered clip with everything that is known about it, and batches of clips."""

from dataclasses import dataclass

import numpy as np
import torch

from . import prompt as grammar
from . import tracks
from .config import WorldConfig
from .render import render
from .scene import Scene, sample_scene
from .tracer import Tracer


@dataclass
class Clip:
    seed: int
    prompt: str
    frames: torch.Tensor  # [T, H, W, 3] uint8
    depth: torch.Tensor  # [T, H, W] float32 along the camera axis, inf for the sky
    owner: torch.Tensor  # [T, H, W] int8: -1 sky, 0 floor, 1... objects
    scene: Scene
    tracer: Tracer

    @property
    def world_to_camera(self):
        """Poses [T, 4, 4]: x right, y down, z forward."""
        camera = self.scene.camera
        pose = np.tile(np.eye(4), (len(camera.position), 1, 1))
        pose[:, :3, :3] = camera.axes
        pose[:, :3, 3] = -np.einsum("tij,tj->ti", camera.axes, camera.position)
        return torch.from_numpy(pose.astype(np.float32))

    @property
    def intrinsics(self):
        """Focal lengths and centre (fx, fy, cx, cy) in pixels, corner origin."""
        camera = self.scene.camera
        return torch.tensor((camera.focal, camera.focal, *camera.centre))

    def centres(self):
        """Tracks of the objects' centres; `visible` says that some of the object is seen."""
        camera, solids, device = self.scene.camera, self.scene.solids, self.owner.device
        path = np.stack([s.position for s in solids], 1)
        xy = torch.from_numpy(camera.project(path)[0].astype(np.float32))
        number = torch.arange(1, len(solids) + 1)
        seen = [(self.owner == n).flatten(1).any(1) for n in number.tolist()]
        return tracks.Tracks(xy.to(device), torch.stack(seen, 1), number.to(device))

    def sample_tracks(self, count, mode="random", frame=0, on_objects=0.5, seed=None):
        """Exact tracks of `count` surface points seen in `frame` (see `Tracks`).

        mode "dense": about `count` points on a uniform grid; "random": everywhere, with a share
        of `on_objects` on objects.
        """
        config = self.scene.config
        if mode == "dense":
            points = tracks.grid_points(config, count)
        elif mode == "random":
            seed = self.seed if seed is None else seed
            points = tracks.random_points(config, count, seed, self.owner[frame], on_objects)
        else:
            raise ValueError(f"mode must be dense or random, found {mode!r}")
        return self.follow(points, frame)

    def follow(self, points, frame=0):
        """Tracks of the surface points seen at pixels `points` [N, 2] of `frame`."""
        return tracks.follow(self.tracer, points, frame)


@torch.no_grad()
def sample_clip(seed, config=None, device="cpu"):
    """Render the clip of a seed."""
    config = config or WorldConfig()
    scene = sample_scene(seed, config)
    prompt = grammar.describe(scene)
    tracer = Tracer(scene, device)
    frames, depth, owner = render(tracer)
    return Clip(seed, prompt, frames, depth, owner, scene, tracer)


@torch.no_grad()
def render_batch(seeds, config=None, device="cpu", tracks=0, mode="random"):
    """Clips as stacked tensors: frames [B, T, H, W, 3], depth, owner, prompts and, when
    `tracks` is positive, xy [B, T, N, 2], visible [B, T, N] and track_owner [B, N]."""
    clips = [sample_clip(int(seed), config, device) for seed in seeds]
    batch = {
        name: torch.stack([getattr(c, name) for c in clips])
        for name in ("frames", "depth", "owner")
    }
    batch["prompts"] = [c.prompt for c in clips]
    batch["clips"] = clips
    if tracks:
        found = [c.sample_tracks(tracks, mode) for c in clips]
        batch["xy"] = torch.stack([t.xy for t in found])
        batch["visible"] = torch.stack([t.visible for t in found])
        batch["track_owner"] = torch.stack([t.owner for t in found])
    return batch
