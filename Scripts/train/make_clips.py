"""Renders world clips to disk: frames, ground-truth tracks, prompt. Resumable, in parallel.

    python -m train.make_clips --out runs/clips --count 900 --frames 57 --processes 2

Writes one `NNNNNN.npz` per clip: frames uint8 [T, H, W, 3], tracks float32 [T, N, 2] (pixels,
corner origin), visible bool [T, N], object int16 [N] (below 1 = background), prompt.
"""

import argparse
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Settings:
    out: str
    split: str
    frames: int
    width: int
    height: int
    points: int
    max_objects: int
    still_camera: float
    turning: float


def render(job):
    index, settings = job
    path = Path(settings.out) / f"{index:06d}.npz"
    if path.exists():
        return
    import torch

    torch.set_num_threads(1)
    from world import WorldConfig, sample_clip, split_seed

    config = WorldConfig(
        width=settings.width,
        height=settings.height,
        frames=settings.frames,
        max_objects=settings.max_objects,
        still_camera=settings.still_camera,
        turning=settings.turning,
    )
    seed = split_seed(settings.split, index)
    clip = sample_clip(seed, config)
    tracks = clip.sample_tracks(settings.points, seed=seed)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    with open(temporary, "wb") as file:
        np.savez(
            file,
            frames=clip.frames.numpy(),
            tracks=tracks.xy.numpy(),
            visible=tracks.visible.numpy(),
            object=tracks.owner.numpy().astype(np.int16),
            prompt=np.array(clip.prompt),
        )
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--split", default="train", choices=["train", "validation", "test"])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--frames", type=int, default=57)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--height", type=int, default=96)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--max-objects", type=int, default=2)
    parser.add_argument("--still-camera", type=float, default=0.9)
    parser.add_argument("--turning", type=float, default=0.0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    Path(arguments.out).mkdir(parents=True, exist_ok=True)
    settings = Settings(
        arguments.out,
        arguments.split,
        arguments.frames,
        arguments.width,
        arguments.height,
        arguments.points,
        arguments.max_objects,
        arguments.still_camera,
        arguments.turning,
    )
    jobs = [(i, settings) for i in range(arguments.first, arguments.first + arguments.count)]
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for done, _ in enumerate(pool.imap_unordered(render, jobs), 1):
            if done % 50 == 0:
                print(f"{done}/{len(jobs)} clips", flush=True)


if __name__ == "__main__":
    main()
