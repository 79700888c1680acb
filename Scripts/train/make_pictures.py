"""Single pictures for drawing from text: their latents, tracks and prompts. Resumable.

    python -m train.make_pictures --vae runs/vae_normal.pt --out runs/pictures --count 12000

Each is one frame of another clip of the world, so that there are many scenes: a network learns what
words look like from scenes, not from frames. Files of `PER_FILE` pictures: latents float16
[n, C, h, w], points float32 [n, N, 2] in pixels on surfaces, object int8 [n, N] (below 1:
background), where the points are so many frames later as the manifest's `image.drawing.ahead` says,
later float32 [n, A, N, 2], and whether they are seen there, known bool [n, A, N].

A picture is told in several ways, prompts [n][TOLD], and then the same tracks are told of other
objects, for learning which words belong to which tracks: recast [n][RECAST]. `cast` int8
[n, 1 + RECAST, OBJECTS, 2] holds the colour and the shape of each object, the true ones first.
"""

import os
from pathlib import Path

import numpy as np
import torch

from world import split_seed
from world.prompt import describe
from world.render import render
from world.scene import COLOURS, SHAPES, recast, sample_scene
from world.tracer import Tracer
from world.tracks import follow, random_points

from .generator import read
from .make_latents import load_vae
from .worlds import arguments, config, render_all

PER_FILE = 100
TOLD = 6
RECAST = 12
OBJECTS = 4


def picture(seed, settings, vae, ahead):
    """The columns of one picture."""
    rules = read("motionstream.json")
    worlds = config(settings, width=rules["width"], height=rules["height"])
    frame = seed % settings.frames
    scene = sample_scene(seed, worlds)
    tracer = Tracer(scene, settings.device)
    image, _, owner = render(tracer, frame, frame + 1)
    points = random_points(worlds, settings.points, seed, owner[0], 0.5)
    tracks = follow(tracer, points, frame)
    frames = torch.tensor([frame + more for more in ahead])
    held = frames.clamp(max=settings.frames - 1)  # the clip may end before
    xy, visible, owner = (x.cpu() for x in (tracks.xy, tracks.visible, tracks.owner))
    return {
        "latents": vae.encode(image.permute(0, 3, 1, 2)[None].float() / 255)[0, 0].half().cpu(),
        "points": points,
        "object": owner.to(torch.int8),
        "later": xy[held],
        "known": visible[held] & (frames == held)[:, None],
        **told(scene, frame),
    }


def told(scene, frame):
    """The columns that say what a picture of frame `frame` shows."""
    rng = np.random.default_rng([scene.seed, 0xCA57])
    others = [recast(scene, rng) for _ in range(RECAST)]
    cast = torch.zeros(1 + RECAST, OBJECTS, 2, dtype=torch.int8)
    for row, each in zip(cast, [scene, *others], strict=True):
        for solid, entry in zip(each.solids, row, strict=False):
            entry[0] = list(COLOURS).index(solid.colour)
            entry[1] = SHAPES.index(solid.shape)
    return {
        "prompts": [describe(scene, frame, variant) for variant in range(TOLD)],
        "recast": [describe(other, frame, TOLD + i) for i, other in enumerate(others)],
        "cast": cast,
    }


@torch.no_grad()
def make(start, settings):
    path = Path(settings.out) / f"{start:07d}.pt"
    if path.exists():
        return
    vae = load_vae(settings.vae).to(settings.device)
    ahead = read("motionstream.json")["image"]["drawing"]["ahead"]
    rows = [
        picture(split_seed(settings.split, index), settings, vae, ahead)
        for index in range(start, start + PER_FILE)
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    stacked = {
        k: torch.stack(v) if torch.is_tensor(v[0]) else v  # prompts stay lists
        for k, v in columns.items()
    }
    temporary = path.with_suffix(f".{os.getpid()}.part")
    torch.save(stacked, temporary)
    os.replace(temporary, path)


if __name__ == "__main__":
    vae = "checkpoint of the autoencoder"
    render_all(make, arguments(__doc__, frames=81, points=200, first=100_000, vae=vae), PER_FILE)
