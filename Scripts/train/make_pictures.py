"""Single pictures for drawing from text: their latents, track starts and prompts. Resumable.

    python -m train.make_pictures --vae runs/vae_normal.pt --out runs/pictures --count 12000

Each is one frame of another clip of the world, so that there are many scenes: a network learns what
words look like from scenes, not from frames. Files of `PER_FILE` pictures: latents float16
[n, C, h, w], points float32 [n, N, 2] in pixels on surfaces, object int8 [n, N] (below 1:
background), prompts.
"""

import argparse
import multiprocessing
import os
from pathlib import Path

PER_FILE = 100


def make(job):
    start, settings = job
    path = Path(settings.out) / f"{start:07d}.pt"
    if path.exists():
        return
    import numpy as np
    import torch

    from world import WorldConfig, split_seed
    from world.prompt import describe
    from world.render import render
    from world.scene import sample_scene
    from world.tracer import Tracer
    from world.tracks import random_points

    from .make_latents import load_vae

    torch.set_num_threads(1)
    vae = load_vae(settings.vae)
    config = WorldConfig(
        frames=settings.frames,
        max_objects=settings.max_objects,
        still_camera=settings.still_camera,
        turning=settings.turning,
    )
    rows = []
    for index in range(start, start + PER_FILE):
        seed = split_seed(settings.split, index)
        scene = sample_scene(seed, config)
        frame = seed % settings.frames
        with torch.no_grad():
            picture, _, owner = render(Tracer(scene), frame, frame + 1)
            latent = vae.encode(picture.permute(0, 3, 1, 2)[None].float() / 255)[0, 0]
        points = random_points(config, settings.points, seed, owner[0], 0.5)
        x, y = points.numpy().astype(int).T
        objects = torch.from_numpy(
            owner[0]
            .numpy()[y.clip(0, config.height - 1), x.clip(0, config.width - 1)]
            .astype(np.int8)
        )
        rows.append((latent.half(), points, objects, describe(scene)))
    latents, points, objects, prompts = zip(*rows, strict=True)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    torch.save(
        {
            "latents": torch.stack(latents),
            "points": torch.stack(points),
            "object": torch.stack(objects),
            "prompts": list(prompts),
        },
        temporary,
    )
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--split", default="train", choices=["train", "validation", "test"])
    parser.add_argument("--first", type=int, default=100000)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--frames", type=int, default=81, help="of the clips they are taken from")
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--max-objects", type=int, default=3)
    parser.add_argument("--still-camera", type=float, default=0.6)
    parser.add_argument("--turning", type=float, default=0.3)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    Path(arguments.out).mkdir(parents=True, exist_ok=True)
    starts = range(arguments.first, arguments.first + arguments.count, PER_FILE)
    jobs = [(start, arguments) for start in starts]
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for done, _ in enumerate(pool.imap_unordered(make, jobs), 1):
            print(f"{done * PER_FILE}/{arguments.count} pictures", flush=True)


if __name__ == "__main__":
    main()
