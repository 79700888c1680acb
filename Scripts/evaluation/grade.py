"""One made clip against its true clip, and the figures over many clips.

EPE, the end-point error, is the distance between where a given track says that a point is and
where the tracker finds it in the made pixels, in percent of the picture's width. "frozen" is what
a clip that repeats its first frame scores, "tracker" what the tracker itself loses on the true
clip. Means are over all graded places (point and frame), intervals over clips (95 %, bootstrap).
"""

import numpy as np

from . import objects, points
from .pictures import psnr, sharpness, ssim

WAYS = ("made", "frozen", "tracker")
MOVING = 4.0  # px at 160 wide: mean distance from its start from which a point moves


def grade(made, clip, given):
    """Figures of one made clip [T, H, W, 3]; `given` are the tracks it was made from."""
    true, width = clip.frames, clip.frames.shape[2]
    frozen = np.broadcast_to(true[:1], true.shape)
    return {
        "clip": clip.index,
        "camera": clip.camera,
        "prompt": clip.prompt,
        "psnr": psnr(made, true),
        "psnr_frozen": psnr(frozen, true),
        "ssim": ssim(made, true),
        "ssim_frozen": ssim(frozen, true),
        "sharpness": float(np.mean([sharpness(f) for f in made])),
        "sharpness_true": float(np.mean([sharpness(f) for f in true])),
        "points": grade_points(made, true, given),
        "objects": grade_objects(made, clip),
        "width": width,
    }


def grade_points(made, true, given):
    """Of every graded point: whether it is on an object, whether it moves, in how many frames it
    counts, and its mean error in pixels each way; and how many points were left out."""
    width = true.shape[2]
    counted = points.graded(given.visible)
    path, lost = points.track(true, given.xy[0])
    keep = points.followed(path, lost, given.xy, counted, width)
    truth, counted, start = given.xy[:, keep], counted[:, keep], given.xy[0, keep]
    found, lost = points.track(made, start)
    still = np.broadcast_to(start, truth.shape)
    error = {
        "made": points.errors(found, truth, counted),
        "frozen": points.errors(still, truth, counted),
        "tracker": points.errors(path[:, keep], truth, counted),
    }
    return {
        "object": (given.owner[keep] > 0).tolist(),
        "moving": (error["frozen"] > MOVING * width / 160).tolist(),
        "frames": counted.sum(0).tolist(),
        "lost": (lost & counted).sum(0).tolist(),
        **{way: np.round(e, 4).tolist() for way, e in error.items()},
        "given": [int((given.owner > 0).sum()), int((given.owner < 1).sum())],
    }


def grade_objects(made, clip):
    """Of every moving object its mean error in pixels, and in the last frame that counts."""
    rows = []
    for number, mask, truth, counted in objects.moving_objects(clip.owner):
        paths = {
            "made": objects.follow(made, mask),
            "frozen": np.repeat(truth[:1], len(truth), 0),
            "tracker": objects.follow(clip.frames, mask),
        }
        error = {w: np.linalg.norm(p - truth, axis=1)[counted] for w, p in paths.items()}
        row = {w: {"mean": float(e.mean()), "end": float(e[-1])} for w, e in error.items()}
        followed = error["tracker"].mean() <= objects.TRACKED * clip.frames.shape[2] / 160
        rows.append({"number": number, "left_out": not followed, **row})
    return rows


def summary(rows):
    """Figures over the clips' rows. Errors in percent of the width."""
    result = {"clips": len(rows)}
    for name in ("psnr", "psnr_frozen", "ssim", "ssim_frozen"):
        result[name] = float(np.mean([r[name] for r in rows]))
    result["psnr_interval"] = interval([[r["psnr"], 1] for r in rows])
    result["sharpness_of_true"] = float(
        np.sum([r["sharpness"] for r in rows]) / np.sum([r["sharpness_true"] for r in rows])
    )
    result["points"] = {
        "all": epe(rows),
        "background": epe(rows, object=False),
        "objects": epe(rows, object=True),
        "moving points": epe(rows, moving=True),
        "still camera": epe([r for r in rows if r["camera"] == "still"]),
        "moving camera": epe([r for r in rows if r["camera"] != "still"]),
    }
    for camera, on in (("still", True), ("moving", True), ("still", False), ("moving", False)):
        chosen = [r for r in rows if (r["camera"] == "still") == (camera == "still")]
        name = f"{'objects' if on else 'background'}, {camera} camera"
        result["points"][name] = epe(chosen, object=on)
    result["points_left_out"] = left_out(rows)
    result["objects"] = object_errors(rows)
    return result


def epe(rows, **only):
    """Mean error over all graded places of the points whose flags are as `only` says."""
    sums, medians, lost = {w: [] for w in WAYS}, [], 0.0
    count = 0
    for row in rows:
        part, width = row["points"], row["width"]
        frames = np.array(part["frames"], float)
        keep = np.ones(len(frames), bool)
        for flag, value in only.items():
            keep &= np.array(part[flag], bool) == value
        for way in WAYS:
            error = 100 * np.array(part[way], float)[keep] / width
            sums[way].append(((error * frames[keep]).sum(), frames[keep].sum()))
        medians += (100 * np.array(part["made"], float)[keep] / width).tolist()
        lost += np.array(part["lost"], float)[keep].sum()
        count += int(keep.sum())
    if not count:
        return {"points": 0}
    places = sum(n for _, n in sums["made"])
    result = {way: float(np.sum(sums[way], 0)[0] / places) for way in WAYS}
    return {
        "points": count,
        "places": int(places),
        **result,
        "made_interval": interval(sums["made"]),
        "made_median_of_points": float(np.median(medians)),
        "lost_places": lost / places,
    }


def left_out(rows):
    """How many given points were not graded, on objects and on the background."""
    result = {}
    for place, (on, name) in enumerate(((True, "objects"), (False, "background"))):
        given = sum(r["points"]["given"][place] for r in rows)
        kept = sum(r["points"]["object"].count(on) for r in rows)
        result[name] = {"given": given, "left_out": given - kept}
    return result


def object_errors(rows):
    """Errors of the moving objects' centres in percent of the width."""
    graded = [(o, r["width"]) for r in rows for o in r["objects"] if not o["left_out"]]
    found = sum(len(r["objects"]) for r in rows)
    result = {"objects": len(graded), "left_out": found - len(graded)}
    if graded:
        for way in WAYS:
            for what in ("mean", "end"):
                values = [100 * o[way][what] / width for o, width in graded]
                result[f"{way}_{what}"] = float(np.mean(values))
                result[f"{way}_{what}_median"] = float(np.median(values))
    return result


def interval(sums, draws=2000):
    """95 % interval [low, high] of a ratio of sums over clips: rows of (numerator, denominator)."""
    sums = np.array(sums, float)
    drawn = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    top, bottom = sums[drawn].sum(1).T
    ratios = top[bottom > 0] / bottom[bottom > 0]
    return [float(v) for v in np.percentile(ratios, (2.5, 97.5))] if len(ratios) else None
