"""Writes Models/examples: first pictures from held-out worlds, prompts, and tracks drawn on them.

    python Scripts/make_examples.py

The tracks are not the world's own motion: every object is dragged along a path of ours, by a few
points on its surface, while points on the background are pinned.
"""

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from world import WorldConfig, sample_clip, split_seed

OUT = Path(__file__).parent.parent / "Models/examples"
FRAMES = 81


def ease(t):
    return t * t * (3 - 2 * t)


def line(dx, dy, frames=64):
    """Offsets [FRAMES, 2]: to (dx, dy) in `frames`, slow at both ends, then still."""
    t = ease(np.clip(np.arange(FRAMES) / frames, 0, 1))[:, None]
    return t * np.array([dx, dy])


def arc(dx, height, frames=64):
    """Offsets along a jump: across by dx, up by `height` in the middle."""
    t = ease(np.clip(np.arange(FRAMES) / frames, 0, 1))
    return np.stack([t * dx, -height * 4 * t * (1 - t)], 1)


def circle(rx, ry, frames=FRAMES):
    """Offsets once around an ellipse that starts at its left end; a loop repeats every `frames`."""
    angle = 2 * math.pi * np.arange(FRAMES) / frames
    return np.stack([rx * (1 - np.cos(angle)), ry * np.sin(angle)], 1)


# name: test clip, offsets by object, offsets of the background (None = pinned), after the end
EXAMPLES = {
    "slide": (13, {2: line(104, 8)}, None, "hold"),
    "arc": (3, {1: arc(96, 52)}, None, "hold"),
    "circle-loop": (6, {2: circle(44, 18)}, None, "loop"),
    "two-cross": (9, {1: line(116, -8), 2: line(-104, 8)}, None, "hold"),
    "camera-pan": (15, {1: line(-56, 0, 72), 2: line(-56, 0, 72)}, line(-56, 0, 72), "hold"),
}


def covered(point, owner, moves, margin=6):
    """Whether an object passes over a point of the ground: such a point cannot be pinned.

    owner [H, W]: number of the object seen in each pixel; moves: offsets [FRAMES, 2] by number."""
    height, width = owner.shape
    for number, offsets in moves.items():
        mask = owner == number
        for _ in range(margin):
            mask = mask | sum(np.roll(mask, step, axis) for step in (-1, 1) for axis in (0, 1)) > 0
        x, y = np.floor(point - offsets).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        if mask[y[inside], x[inside]].any():
            return True
    return False


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    config = WorldConfig(width=320, height=192, frames=5, max_objects=2, still_camera=1.0)
    for name, (index, moves, background, after) in EXAMPLES.items():
        clip = sample_clip(split_seed("test", index), config)
        points = clip.sample_tracks(300, mode="random", on_objects=0.6)
        owner, seen = points.owner.numpy(), points.visible[0].numpy()
        start = points.xy[0].numpy()
        rows = []
        for label in sorted(set(owner.tolist())):
            own = np.flatnonzero((owner == label) & seen)
            if label < 1:
                continue
            for n in own[:5]:
                path = start[n] + moves.get(label, line(0, 0))
                rows.append({"name": f"object {label}", "path": path, "still": label not in moves})
        ground = np.flatnonzero((owner < 1) & seen)
        free = [n for n in ground if not covered(start[n], clip.owner[0].numpy(), moves)]
        for n in free[:16]:
            offsets = line(0, 0) if background is None else background
            rows.append({"name": "floor", "path": start[n] + offsets, "still": background is None})
        tracks = []
        for number, row in enumerate(rows):
            track = {"id": number, "name": row["name"]}
            if row["still"]:
                track["static"] = [round(float(v), 2) for v in row["path"][0]]
            else:
                track["points"] = [[round(float(x), 2), round(float(y), 2)] for x, y in row["path"]]
                track["after"] = after
            tracks.append(track)
        document = {
            "format": "motionstream-tracks",
            "version": 1,
            "width": config.width,
            "height": config.height,
            "fps": config.fps,
            "tracks": tracks,
        }
        if after != "loop":
            document["frame_count"] = FRAMES
        lines = ",\n    ".join(json.dumps(track) for track in document.pop("tracks"))
        head = json.dumps(document)[1:-1]
        (OUT / f"{name}.json").write_text(f'{{{head},\n  "tracks": [\n    {lines}\n  ]}}\n')
        (OUT / f"{name}.txt").write_text(clip.prompt + "\n")
        Image.fromarray(clip.frames[0].numpy()).save(OUT / f"{name}.png", optimize=True)
        print(name, clip.prompt)


if __name__ == "__main__":
    main()
