"""Long streams: held-out clips played forwards and backwards for ever, so that the truth of every
frame is known exactly. Frames come from the pipe one at a time and are never held.

A clip of 101 frames gives a loop of 200, and 1,000 frames are five loops: all blocks of a stream
are compared over the same motion."""

import numpy as np

from . import objects
from .engine import track_document
from .grade import interval
from .jobs import each
from .pictures import colour_means, psnr, sharpness
from .worlds import to_and_fro

CLIP = 101
FIRST = 1000  # index of the first test clip that may serve: others than those of the other parts


def measure(setup, streams, frames, block, kind):
    chosen = choose(setup, streams)
    settings = {"frames": frames, "block": block, "tracks": kind}
    rows = each(one, chosen, setup, "length", settings)
    return {"frames": frames, "block": block, "tracks": kind, **summary(rows), "streams": rows}


def choose(setup, streams):
    """The first clips with a moving object that the tracker follows on the true loop."""
    found, index = [], FIRST
    while len(found) < streams:
        clip = setup.clip(index, CLIP)
        if any(gradable(to_and_fro(clip))):
            found.append(index)
        index += 1
    return found


def gradable(loop):
    """(follower, true centres, frames that count) of the objects that can be followed."""
    for _, mask, truth, counted in objects.moving_objects(loop.owner):
        path = objects.follow(loop.frames, mask)
        error = np.linalg.norm(path - truth, axis=1)[counted].mean()
        if error <= objects.TRACKED * loop.frames.shape[2] / 160:
            yield objects.Follower(loop.frames[0], mask), truth, counted


def one(index, setup, settings):
    manifest = setup.manifest
    clip = setup.clip(index, CLIP)
    loop, given = to_and_fro(clip), clip.tracks(settings["tracks"])
    order = np.r_[0:CLIP, CLIP - 2 : 0 : -1]
    document = track_document(given.xy[order], given.visible[order], manifest, after="loop")
    frames = setup.engine.stream(
        clip.prompt, clip.frames[0], document, settings["frames"], seed=index
    )
    statistics = Statistics(loop, settings["block"])
    for frame in frames:
        statistics.add(frame)
    return {"clip": index, "camera": clip.camera, "blocks": statistics.blocks()}


class Statistics:
    """Figures of a stream by blocks of frames, from one frame at a time."""

    def __init__(self, loop, block):
        self.loop, self.block, self.width = loop, block, loop.frames.shape[2]
        self.objects = list(gradable(loop))
        self.sums, self.count = [], 0

    def add(self, frame):
        at = self.count % len(self.loop.frames)
        if self.count % self.block == 0:
            names = ("frames", "psnr", "sharpness", "sharpness_true", "error", "places")
            self.sums.append(dict.fromkeys(names, 0.0) | {"colour": np.zeros(3)})
        sums = self.sums[-1]
        sums["frames"] += 1
        sums["psnr"] += psnr(frame, self.loop.frames[at])
        sums["sharpness"] += sharpness(frame)
        sums["sharpness_true"] += sharpness(self.loop.frames[at])
        sums["colour"] += colour_means(frame)
        for follower, truth, counted in self.objects:
            place = follower.step(frame) if self.count else follower.at
            if counted[at]:
                error = np.linalg.norm(place - truth[at])
                sums["error"] += 100 * error / self.width
                sums["places"] += 1
        self.count += 1

    def blocks(self):
        """Means of each block: EPE of the objects' centres in percent of the width, PSNR,
        sharpness, and luma and chroma (Y, Cb, Cr) in percent of 255."""
        rows = []
        for s in self.sums:
            n = s["frames"]
            rows.append(
                {
                    "epe": s["error"] / s["places"] if s["places"] else None,
                    "psnr": s["psnr"] / n,
                    "sharpness": s["sharpness"] / n,
                    "sharpness_true": s["sharpness_true"] / n,
                    "colour": (100 * s["colour"] / n / 255).tolist(),
                }
            )
        return rows


def summary(rows):
    """The last block against the first, over all streams, and the drift between all blocks."""
    first, last = ([r["blocks"][at] for r in rows] for at in (0, -1))
    result = {}
    for name in ("epe", "psnr", "sharpness"):
        pairs = [
            (b[name], a[name]) for a, b in zip(first, last, strict=True) if a[name] is not None
        ]
        result[f"{name}_first"] = float(np.mean([a for _, a in pairs]))
        result[f"{name}_last"] = float(np.mean([b for b, _ in pairs]))
    for name in ("epe", "sharpness"):
        before, after = result[f"{name}_first"], result[f"{name}_last"]
        result[f"{name}_change_percent"] = 100 * (after - before) / before if before else 0.0
        pairs = [(b[name], a[name]) for a, b in zip(first, last, strict=True)]
        ratio = interval([p for p in pairs if None not in p])
        result[f"{name}_change_interval"] = ratio and [100 * (v - 1) for v in ratio]
    # Drift of a stream: how far the mean of any block lies from that of the first.
    colour = np.array([[b["colour"] for b in r["blocks"]] for r in rows])  # [streams, blocks, 3]
    drift = np.abs(colour - colour[:, :1])
    result["luma_drift_percent"] = float(drift[:, -1, 0].mean())
    result["chroma_drift_percent"] = float(drift[:, -1, 1:].max(-1).mean())
    result["luma_drift_worst_percent"] = float(drift[..., 0].max())
    result["chroma_drift_worst_percent"] = float(drift[..., 1:].max())
    return result
