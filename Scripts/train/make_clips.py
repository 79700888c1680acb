"""Renders world clips to disk: frames, ground-truth tracks, prompt. Resumable, in parallel.

    python -m train.make_clips --out runs/clips --count 900 --frames 57 --processes 2

Writes one `NNNNNN.npz` per clip: frames uint8 [T, H, W, 3], tracks float32 [T, N, 2] (pixels,
corner origin), visible bool [T, N], object int16 [N] (below 1 = background), prompt.
"""

import os
from pathlib import Path

import numpy as np

from world import sample_clip, split_seed

from .worlds import arguments, config, render_all


def make(index, settings):
    path = Path(settings.out) / f"{index:06d}.npz"
    if path.exists():
        return
    seed = split_seed(settings.split, index)
    worlds = config(settings, width=settings.width, height=settings.height)
    clip = sample_clip(seed, worlds, settings.device)
    tracks = clip.sample_tracks(settings.points, seed=seed)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    with open(temporary, "wb") as file:
        np.savez(
            file,
            frames=clip.frames.numpy(force=True),
            tracks=tracks.xy.numpy(force=True),
            visible=tracks.visible.numpy(force=True),
            object=tracks.owner.numpy(force=True).astype(np.int16),
            prompt=np.array(clip.prompt),
        )
    os.replace(temporary, path)


if __name__ == "__main__":
    render_all(make, arguments(__doc__, frames=57, points=400, width=320, height=192))
