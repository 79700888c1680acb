"""Write contact sheets of clips: `python -m world.preview --seeds 0 3 6 --out DIR`.

One row per clip, a few frames each; `--tracks N` draws N tracks, hidden points as hollow rings.
"""

import argparse
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from . import WorldConfig, sample_clip


def draw(clip, tracks, at, scale):
    """Frame `at` of a clip, enlarged, with the tail of each track."""
    picture = Image.fromarray(clip.frames[at].cpu().numpy())
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.NEAREST)
    if tracks is None:
        return picture
    pen = ImageDraw.Draw(picture)
    palette = ("#ffffff", "#ff3b30", "#34c759", "#0a84ff", "#ffd60a", "#ff2d95")
    xy = (tracks.xy * scale).cpu().tolist()
    for n, owner in enumerate(tracks.owner.tolist()):
        colour = palette[(owner + 1) % len(palette)]
        tail = [tuple(xy[t][n]) for t in range(max(0, at - 8), at + 1)]
        if len(tail) > 1:
            pen.line(tail, fill=colour)
        x, y = xy[at][n]
        box = (x - 2, y - 2, x + 2, y + 2)
        if tracks.visible[at, n]:
            pen.ellipse(box, fill=colour, outline="black")
        else:
            pen.ellipse(box, outline=colour)
    return picture


def sheet(clips, columns, tracks, scale):
    """A picture with one row of frames per clip."""
    rows = []
    for clip in clips:
        found = clip.sample_tracks(tracks) if tracks else None
        last = len(clip.frames) - 1
        times = [round(i * last / max(1, columns - 1)) for i in range(columns)]
        rows.append([draw(clip, found, t, scale) for t in times])
    width, height = rows[0][0].size
    page = Image.new("RGB", (columns * (width + 2), len(rows) * (height + 2)))
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            page.paste(picture, (c * (width + 2), r * (height + 2)))
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(8)))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=33)
    parser.add_argument("--size", type=int, nargs=2, default=(160, 96), metavar=("W", "H"))
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--scale", type=int, default=2)
    parser.add_argument("--tracks", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = WorldConfig(width=args.size[0], height=args.size[1], frames=args.frames)
    start = time.perf_counter()
    clips = [sample_clip(seed, config, args.device) for seed in args.seeds]
    seconds = time.perf_counter() - start
    args.out.mkdir(parents=True, exist_ok=True)
    page = sheet(clips, args.columns, args.tracks, args.scale)
    page.save(args.out / f"world-{args.seeds[0]}-{args.seeds[-1]}.png")
    for clip in clips:
        print(f"{clip.seed}: {clip.prompt}")
    print(f"{len(clips) * args.frames / seconds:.1f} frames/s")


if __name__ == "__main__":
    main()
