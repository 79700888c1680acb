"""A seeded procedural world: short 3-D clips with exact ground truth.

    clip = sample_clip(split_seed("train", 0), WorldConfig(frames=33))
    clip.frames                       # uint8 [T, H, W, 3]; also depth, owner, prompt, camera
    tracks = clip.sample_tracks(400, mode="dense")   # xy [T, N, 2], visible [T, N], owner [N]

A stream too long to hold is rendered piece by piece:

    tracer = Tracer(sample_scene(seed, WorldConfig(frames=10_000)))
    frames, depth, owner = render(tracer, start=0, stop=96)

Call `torch.set_num_threads(1)` and use one process per core: the tensors are small.
"""

from .clip import Clip, render_batch, sample_clip
from .config import SPLITS, WorldConfig, split_seed
from .prompt import describe
from .render import render
from .scene import Scene, sample_scene
from .tracer import Tracer
from .tracks import Tracks, grid_points

__all__ = [
    "SPLITS",
    "Clip",
    "Scene",
    "Tracer",
    "Tracks",
    "WorldConfig",
    "describe",
    "grid_points",
    "render",
    "render_batch",
    "sample_clip",
    "sample_scene",
    "split_seed",
]
