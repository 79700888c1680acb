"""Does the generated clip do what the tracks say? Held-out worlds, an independent tracker.

    python Scripts/evaluate.py --motionstream .build/release/motionstream \
        --model Models/solids-160x96

For each held-out clip its first frame, its prompt and some of its exact tracks go into
`motionstream generate`. Each object is then found again in the generated pixels by its colours
(OpenCV's mean shift over the back-projected colour histogram of its first-frame mask) and compared
with the centre of its true mask. Surface points would not do: on a plain ball nothing marks them.

Graded are objects that move, over the frames in which at least 60 % of them is seen. An object
whose colours also lead the tracker astray on the true clip (more than 3 px on average) is left out
and counted. "frozen" is what a clip that repeats its first frame scores, and "world" what the
tracker itself loses on the true clip. PSNR compares with the true clip.
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

MOVES = 4.0  # px: an object whose centre is at most this far from its start, on average, stands
TRACKED = 3.0  # px: mean error of the tracker on the true clip above which an object is left out
BINS = 16  # of each Lab channel


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


def cells(frame):
    """The histogram cell [H, W, 3] of every pixel."""
    return cv2.cvtColor(frame, cv2.COLOR_RGB2LAB) // (256 // BINS)


def histogram(pixels):
    """Smoothed distribution over colour cells."""
    counts = np.zeros((BINS,) * 3, np.float32)
    np.add.at(counts, tuple(pixels.T), 1)
    for axis in range(3):
        counts = (np.roll(counts, 1, axis) + 2 * counts + np.roll(counts, -1, axis)) / 4
    return counts / counts.sum()


def follow(frames, mask):
    """Centre [T, 2] of the object that covers `mask` in the first frame."""
    first = cells(frames[0])
    own, rest = histogram(first[mask]), histogram(first[~mask])
    share = own / (own + rest + 1e-6)
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    window = (x - 2, y - 2, width + 4, height + 4)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.1)
    path = [centre(mask)]
    for frame in frames[1:]:
        likely = share[tuple(np.moveaxis(cells(frame), -1, 0))]
        likely = cv2.GaussianBlur(255 * np.where(likely > 0.5, likely, 0), (3, 3), 0)
        likely = likely.clip(0, 255).astype(np.uint8)
        _, window = cv2.meanShift(likely, window, criteria)
        x, y, width, height = window
        inside = np.zeros_like(likely)
        box = np.s_[max(y, 0) : y + height, max(x, 0) : x + width]
        inside[box] = likely[box]
        path.append(centre(inside) if inside.sum() > 50 else path[-1])
    return np.stack(path)


def centre(weights):
    """Mean place (x, y) of a map [H, W], corner origin."""
    rows, columns = np.indices(weights.shape) + 0.5
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


def moving_objects(owner):
    """(mask in the first frame, true centres [T, 2], frames to grade [T]) of each moving object.

    owner [T, H, W]: number of the object seen in each pixel. Frames in which the object touches
    the border do not count: its centre is not seen there."""
    for number in range(1, int(owner.max()) + 1):
        masks = owner == number
        area = masks.sum((1, 2))
        cut = masks[:, :, [0, -1]].any((1, 2)) | masks[:, [0, -1]].any((1, 2))
        graded = (area > 0.6 * area[0]) & ~cut
        if area[0] < 60 or not graded[0]:
            continue
        start = centre(masks[0])
        centres = np.stack([centre(m) if m.any() else start for m in masks])
        if np.linalg.norm(centres - start, axis=1)[graded].mean() > MOVES:
            yield masks[0], centres, graded


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
    parser.add_argument("--still-camera", type=float, default=0.9)
    parser.add_argument("--turning", type=float, default=0.0)
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--sheet-rows", type=int, default=6)
    parser.add_argument("--sheet", help="write a contact sheet (true above generated) here")
    arguments = parser.parse_args()
    config = WorldConfig(
        frames=arguments.frames,
        max_objects=arguments.max_objects,
        still_camera=arguments.still_camera,
        turning=arguments.turning,
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
        true_frames = clip.frames.numpy()
        row = {"clip": index, "psnr": psnr(made, true_frames), "objects": [], "left_out": 0}
        row["psnr_frozen"] = psnr(np.repeat(true_frames[:1], len(made), 0), true_frames)
        for mask, truth, graded in moving_objects(clip.owner.numpy()):
            paths = {
                "generated": follow(made, mask),
                "frozen": np.repeat(truth[:1], len(truth), 0),
                "world": follow(true_frames, mask),
            }
            errors = {n: np.linalg.norm(p - truth, axis=1)[graded] for n, p in paths.items()}
            if errors["world"].mean() > TRACKED:
                row["left_out"] += 1
                continue
            row["objects"].append(
                {n: {"mean": float(e.mean()), "end": float(e[-1])} for n, e in errors.items()}
            )
        rows.append(row)
        sheet.append((true_frames, made))
        print(
            f"clip {index}: PSNR {row['psnr']:.2f} dB (frozen {row['psnr_frozen']:.2f})"
            + "".join(
                "; object: "
                + ", ".join(f"{n} {e['mean']:.1f} end {e['end']:.1f}" for n, e in o.items())
                for o in row["objects"]
            ),
            flush=True,
        )
    result = summary(rows, config)
    print(json.dumps(result, indent=2))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")
    if arguments.sheet:
        save_sheet(sheet[: arguments.sheet_rows], arguments.sheet)


def summary(rows, config):
    """Figures over all clips; errors in pixels, by object."""
    objects = [o for row in rows for o in row["objects"]]
    result = {
        "clips": len(rows),
        "frames": config.frames,
        "objects": len(objects),
        "objects_left_out": sum(row["left_out"] for row in rows),
        "psnr_db": float(np.mean([r["psnr"] for r in rows])),
        "psnr_frozen_db": float(np.mean([r["psnr_frozen"] for r in rows])),
    }
    for name in ("generated", "frozen", "world"):
        means = np.array([o[name]["mean"] for o in objects])
        ends = np.array([o[name]["end"] for o in objects])
        result |= {
            f"{name}_error_px": float(means.mean()),
            f"{name}_error_percent_of_width": float(100 * means.mean() / config.width),
            f"{name}_error_median_px": float(np.median(means)),
            f"{name}_end_point_error_px": float(ends.mean()),
            f"{name}_end_point_error_median_px": float(np.median(ends)),
        }
    return result


def save_sheet(pairs, path, columns=6):
    lines = []
    for truth, made in pairs:
        at = np.linspace(0, len(truth) - 1, columns).round().astype(int)
        lines += [np.concatenate(list(clip[at]), 1) for clip in (truth, made)]
    Image.fromarray(np.concatenate(lines, 0)).save(path)


if __name__ == "__main__":
    main()
