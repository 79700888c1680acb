"""Does the generated clip do what the tracks say? Held-out worlds, an independent tracker.

    python Scripts/evaluate.py --motionstream .build/release/motionstream \
        --model Models/solids-160x96

For each held-out clip its first frame, its prompt and some of its exact tracks go into
`motionstream generate`. The tracks are then found again in the generated pixels with pyramidal
Lucas-Kanade (OpenCV), chained frame to frame from the first frame, and compared where the true
point is visible. Errors are in pixels and in per cent of the frame width. "frozen" is what a clip
that repeats its first frame scores on the same points, and "world" what the tracker itself loses
on the true clip. PSNR compares with the true clip.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from world import WorldConfig, sample_clip, split_seed

SCALE = 3  # pictures are enlarged before tracking: LK wants more texture than 160 pixels hold


def track_document(clip, tracks, config):
    """The tracks as motionstream-tracks JSON, version 1."""
    rows = []
    for n in range(tracks.xy.shape[1]):
        rows.append(
            {
                "id": n,
                "points": [[round(float(x), 3), round(float(y), 3)] for x, y in tracks.xy[:, n]],
                "visible": [int(v) for v in tracks.visible[:, n]],
                "after": "hold",
            }
        )
    return {
        "format": "motionstream-tracks",
        "version": 1,
        "width": config.width,
        "height": config.height,
        "fps": config.fps,
        "tracks": rows,
    }


def generate(arguments, clip, document, config, seed, folder):
    """Frames uint8 [T, H, W, 3] of motionstream for the clip's first frame, prompt and tracks."""
    image, tracks = folder / "first.png", folder / "tracks.json"
    Image.fromarray(clip.frames[0].numpy()).save(image)
    tracks.write_text(json.dumps(document))
    command = [arguments.motionstream, "generate", "-m", arguments.model, "-p", clip.prompt]
    command += ["-i", str(image), "-k", str(tracks), "--frames", str(config.frames)]
    command += ["-s", str(seed), "--format", "raw", "-o", "-", "-q"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, config.height, config.width, 3)


def follow(frames, points):
    """Pyramidal LK from frame to frame: points [N, 2] (corner origin) -> [T, N, 2]."""
    grey = [
        cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), None, fx=SCALE, fy=SCALE) for f in frames
    ]
    # OpenCV counts from pixel centres.
    at = (points * SCALE - 0.5).astype(np.float32)[:, None]
    path = [at]
    for before, after in zip(grey, grey[1:], strict=False):
        at, found, _ = cv2.calcOpticalFlowPyrLK(
            before, after, at, None, winSize=(21, 21), maxLevel=3
        )
        path.append(at)
    return (np.stack(path)[:, :, 0] + 0.5) / SCALE


def psnr(a, b):
    return -10 * np.log10(((a.astype(float) - b) ** 2).mean() / 255**2 + 1e-12)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motionstream", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=81)
    parser.add_argument("--per-object", type=int, default=6)
    parser.add_argument("--background", type=int, default=12)
    parser.add_argument("--max-objects", type=int, default=2)
    parser.add_argument("--still-camera", type=float, default=0.8)
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--sheet", help="write a contact sheet (true above generated) here")
    arguments = parser.parse_args()
    config = WorldConfig(
        frames=arguments.frames,
        max_objects=arguments.max_objects,
        still_camera=arguments.still_camera,
    )
    rows, sheet = [], []
    for index in range(arguments.clips):
        clip = sample_clip(split_seed("validation", index), config)
        tracks = clip.sample_tracks(400, mode="random", on_objects=0.6)
        owner, start = tracks.owner.numpy(), tracks.visible[0].numpy()
        chosen = [np.flatnonzero((owner < 1) & start)[: arguments.background]]
        for label in range(1, int(owner.max()) + 1):
            chosen.append(np.flatnonzero((owner == label) & start)[: arguments.per_object])
        chosen = np.concatenate(chosen)
        tracks.xy, tracks.visible = tracks.xy[:, chosen], tracks.visible[:, chosen]
        owner = owner[chosen]
        document = track_document(clip, tracks, config)
        with tempfile.TemporaryDirectory() as folder:
            made = generate(arguments, clip, document, config, index, Path(folder))
        if len(made) != config.frames:
            raise SystemExit(f"clip {index}: {len(made)} frames, expected {config.frames}")
        truth, seen = tracks.xy.numpy(), tracks.visible.numpy()
        moving = (owner > 0) & (np.linalg.norm(truth[-1] - truth[0], axis=-1) > 4)
        true_frames = clip.frames.numpy()
        paths = {
            "generated": follow(made, truth[0]),
            "frozen": np.repeat(truth[:1], len(truth), 0),
            "world": follow(true_frames, truth[0]),
        }
        row = {"clip": index, "psnr": psnr(made, true_frames), "points": int(moving.sum())}
        row["psnr_frozen"] = psnr(np.repeat(true_frames[:1], len(truth), 0), true_frames)
        for name, path in paths.items():
            error = np.linalg.norm(path - truth, axis=-1)
            row[f"{name}_epe"] = float(error[seen].mean())
            row[f"{name}_end"] = error[-1][seen[-1] & moving].tolist()
        rows.append(row)
        sheet.append((true_frames, made))
        ends = {n: np.mean(row[f"{n}_end"]) if row[f"{n}_end"] else np.nan for n in paths}
        print(
            f"clip {index}: PSNR {row['psnr']:.2f} dB (frozen {row['psnr_frozen']:.2f}), EPE "
            + ", ".join(f"{n} {row[f'{n}_epe']:.2f}" for n in paths)
            + "; end of moving points "
            + ", ".join(f"{n} {v:.2f}" for n, v in ends.items()),
            flush=True,
        )
    width = config.width
    result = {
        "clips": len(rows),
        "frames": config.frames,
        "psnr_db": float(np.mean([r["psnr"] for r in rows])),
        "psnr_frozen_db": float(np.mean([r["psnr_frozen"] for r in rows])),
    }
    for name in ("generated", "frozen", "world"):
        epe = float(np.mean([r[f"{name}_epe"] for r in rows]))
        ends = np.concatenate([r[f"{name}_end"] for r in rows])
        result |= {
            f"{name}_epe_px": epe,
            f"{name}_epe_percent_of_width": 100 * epe / width,
            f"{name}_moving_end_point_error_px": float(ends.mean()),
            f"{name}_moving_end_point_error_median_px": float(np.median(ends)),
        }
    print(json.dumps(result, indent=2))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")
    if arguments.sheet:
        save_sheet(sheet[:6], arguments.sheet)


def save_sheet(pairs, path, columns=6):
    lines = []
    for truth, made in pairs:
        at = np.linspace(0, len(truth) - 1, columns).round().astype(int)
        lines += [np.concatenate(list(clip[at]), 1) for clip in (truth, made)]
    Image.fromarray(np.concatenate(lines, 0)).save(path)


if __name__ == "__main__":
    main()
