"""What rendering the data shares: which worlds, and the processes that draw them."""

import argparse
import multiprocessing
import os
from pathlib import Path

import torch

from world import SPLITS, WorldConfig


def arguments(description, frames, points, first=0, **more):
    """The arguments of a script that renders worlds; `more` are its own: name = help of a required
    one, or a default number."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    add = parser.add_argument
    add("--out", required=True)
    for name, value in more.items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, str):
            add(option, required=True, help=value)
        else:
            add(option, type=type(value), default=value)
    add("--split", default="train", choices=SPLITS)
    add("--first", type=int, default=first)
    add("--count", type=int, required=True)
    add("--frames", type=int, default=frames)
    add("--points", type=int, default=points)
    add("--max-objects", type=int, default=3)
    add("--still-camera", type=float, default=0.6, help="share of cameras")
    add("--turning", type=float, default=0.3, help="share of objects")
    add("--processes", type=int, default=os.cpu_count())
    add("--device", default="cpu", help="to render and to encode on: cpu or cuda")
    return parser.parse_args()


def config(settings, **size):
    """The worlds of `settings`; `size` is width and height, if not the usual ones."""
    return WorldConfig(
        frames=settings.frames,
        max_objects=settings.max_objects,
        still_camera=settings.still_camera,
        turning=settings.turning,
        **size,
    )


def render_all(make, settings, per_file=1):
    """Calls make(first, settings) for every file of `per_file` worlds, one thread each."""
    Path(settings.out).mkdir(parents=True, exist_ok=True)
    starts = range(settings.first, settings.first + settings.count, per_file)
    jobs = [(make, start, settings) for start in starts]
    with multiprocessing.get_context("spawn").Pool(settings.processes) as pool:
        for done, _ in enumerate(pool.imap_unordered(_run, jobs), 1):
            if done * per_file % 50 == 0:
                print(f"{done * per_file}/{settings.count}", flush=True)


def _run(job):
    make, start, settings = job
    torch.set_num_threads(1)
    make(start, settings)
