"""A seeded procedural world: short 3-D clips with exact ground truth."""

from .clip import Clip, render_batch, sample_clip
from .config import SPLITS, WorldConfig, split_seed
from .tracks import Tracks, grid_points

__all__ = [
    "SPLITS",
    "Clip",
    "Tracks",
    "WorldConfig",
    "grid_points",
    "render_batch",
    "sample_clip",
    "split_seed",
]
