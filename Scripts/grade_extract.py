"""Grades `motionstream tracks extract` on clips of the procedural world, whose tracks are exact.

    python Scripts/grade_extract.py --program .build/release/motionstream --clips 16

Writes each clip (y4m, 4:4:4) and its truth (npz), runs the program on the clip, and prints for
every clip and for all of them, over all frames but the first, where the points are given:

median, mean, p90  error in pixels on points that are visible and were said to be
median of all      over all truly visible points; one that was given up or called hidden is
                   infinitely far
flags right        share of right visibility flags
delta_avg          as in TAP-Vid: the mean, over 1, 2, 4, 8 and 16 pixels, of the share of truly
                   visible points that are that near; one that was given up is far
tracked            share of truly visible points that were said to be visible

Fails where the median of all is over --limit.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from world.clip import sample_clip
from world.config import SPLITS, WorldConfig, split_seed


def grid_points(columns, rows, width, height):
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)


def write_y4m(path, frames, fps):
    """RGB frames [T, H, W, 3] as BT.601 limited 4:4:4."""
    frames = frames.astype(np.float64) / 255
    r, g, b = frames[..., 0], frames[..., 1], frames[..., 2]
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    blue, red = (b - luma) / 1.772, (r - luma) / 1.402
    planes = np.stack([16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red], 1)
    planes = np.clip(np.rint(planes), 0, 255).astype(np.uint8)
    _, _, height, width = planes.shape
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C444\n".encode())
        for frame in planes:
            file.write(b"FRAME\n" + frame.tobytes())


def make_clip(folder, split, index, config, columns, rows):
    clip_path, truth_path = folder / f"{split}-{index}.y4m", folder / f"{split}-{index}-truth.npz"
    if not truth_path.exists():
        clip = sample_clip(split_seed(split, index), config)
        points = grid_points(columns, rows, config.width, config.height)
        truth = clip.follow(torch.from_numpy(points))
        write_y4m(clip_path, clip.frames.numpy(), round(config.fps))
        np.savez(
            truth_path,
            xy=truth.xy.numpy(),
            visible=truth.visible.numpy(),
            camera=clip.scene.camera.move,
        )
    return clip_path, np.load(truth_path)


def compare(truth, found):
    """Errors of truly visible points [k], infinite where they were not said to be visible; right
    flags [T - 1, n]; hits [5, k]."""
    chosen = truth["visible"][0]
    seen = truth["visible"][1:, chosen]
    said = (found["visibility"] & found["specified"])[1:, chosen]
    placed = found["specified"][1:, chosen]
    error = np.linalg.norm(found["tracks"] - truth["xy"], axis=-1)[1:, chosen]
    error = np.where(placed, error, np.inf)
    hits = np.stack([error[seen] < limit for limit in (1, 2, 4, 8, 16)])
    return np.where(said, error, np.inf)[seen], seen == said, hits


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=".build/release/motionstream")
    parser.add_argument("--split", choices=SPLITS, default="test", help="tune on validation only")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--first", type=int, default=0, help="first clip of the split")
    parser.add_argument("--frames", type=int, default=33)
    parser.add_argument("--grid", default="50x50")
    parser.add_argument("--method", default="lk")
    parser.add_argument("--folder", type=Path, help="where clips are kept for the next time")
    parser.add_argument("--limit", type=float, default=1.0, help="largest median error allowed")
    options = parser.parse_args()
    columns, rows = map(int, options.grid.split("x"))
    config = WorldConfig(width=256, height=160, frames=options.frames)
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    everything = []
    print("clip  camera   median   mean    p90  median of all  flags right  delta_avg  tracked")
    for index in range(options.first, options.first + options.clips):
        clip, truth = make_clip(folder, options.split, index, config, columns, rows)
        output = folder / f"{options.split}-{index}-{options.method}.npz"
        subprocess.run(
            [options.program, "tracks", "extract", clip, "-o", output, "-y", "-q"]
            + ["--grid", options.grid, "--method", options.method],
            check=True,
        )
        error, right, hits = compare(truth, np.load(output))
        everything.append((error, right.ravel(), hits))
        report(index, str(truth["camera"]), error, right, hits)
    error, right, hits = (np.concatenate(part, -1) for part in zip(*everything, strict=True))
    report("all", "", error, right, hits)
    if np.median(error) > options.limit:
        raise SystemExit(f"the median error of all visible points is over {options.limit} px")


def report(name, camera, error, right, hits):
    found = error[np.isfinite(error)]
    print(
        f"{name!s:>4}  {camera:7s} {np.median(found):7.3f} {found.mean():6.2f} "
        f"{np.percentile(found, 90):6.2f}  {np.median(error):13.3f}  {right.mean():11.3f}  "
        f"{hits.mean():9.3f}  {len(found) / len(error):7.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
