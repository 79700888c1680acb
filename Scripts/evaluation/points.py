"""Surface points found again in pixels: OpenCV's pyramidal Lucas-Kanade.

Each point is followed from frame to frame, forwards and backwards; in a frame where the two
disagree it is lost and stays where it was. Where the first frame's own patch is found close to that
place, its place counts, so that small errors do not add up. The tracker sees pixels only.

It cannot follow what has no texture (plain solids, sky), nor find again what was hidden. So a point
counts until it is first hidden, and only if the same tracker follows it on the true clip
(`followed`); what that leaves out is counted.
"""

import cv2
import numpy as np

from .pictures import luma

AGREE = 1.0  # px at 160 wide: how far there and back may differ
ANCHOR = 1.5  # px at 160 wide: how far the first frame's patch may lie from where the chain says
FOLLOWED = 1.0  # px at 160 wide: mean error on the true clip up to which a point is graded
MISSED = 0.2  # share of its frames in which a graded point may be lost on the true clip
LEAST = 4  # frames that a point must be seen in, after the first, to be graded


def track(frames, starts):
    """Places [T, N, 2] (corner origin) of the points starts [N, 2] of the first frame, and
    whether each was lost [T, N]."""
    scale = frames.shape[2] / 160
    window = 2 * round(6 * scale) + 1
    options = {
        "winSize": (window, window),
        "maxLevel": 2 if scale < 1.5 else 3,
        "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01),
    }

    def flow(a, b, points, guess=None, **more):
        if not len(points):  # OpenCV answers None
            return points, np.zeros(0, bool)
        flags = 0 if guess is None else cv2.OPTFLOW_USE_INITIAL_FLOW
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            a, b, points, None if guess is None else guess.copy(), flags=flags, **options | more
        )
        return found, status[:, 0] > 0

    grey = [luma(f) for f in frames]
    # OpenCV counts from pixel centres.
    first = np.ascontiguousarray(starts - 0.5, np.float32)[:, None]
    at, lost = first.copy(), np.zeros(len(starts), bool)
    path, losses = [at[:, 0]], [lost]
    for before, now in zip(grey, grey[1:], strict=False):
        there, ok = flow(before, now, at)
        back, ok_back = flow(now, before, there)
        lost = ~ok | ~ok_back | (np.linalg.norm(back - at, axis=-1)[:, 0] > AGREE * scale)
        anchored, ok = flow(grey[0], now, first, there, maxLevel=0)
        home, ok_back = flow(now, grey[0], anchored, first, maxLevel=0)
        ok &= ok_back & (np.linalg.norm(anchored - there, axis=-1)[:, 0] < ANCHOR * scale)
        ok &= np.linalg.norm(home - first, axis=-1)[:, 0] < AGREE * scale
        at = np.where(lost[:, None, None], at, np.where(ok[:, None, None], anchored, there))
        path.append(at[:, 0])
        losses.append(lost)
    return np.stack(path) + 0.5, np.stack(losses)


def graded(visible):
    """Which places count [T, N]: after the first frame, until a point is first hidden; none of a
    point that is seen in fewer than LEAST frames."""
    until = np.logical_and.accumulate(visible, 0).astype(bool)
    until[0] = False
    return until & (until.sum(0) >= LEAST)


def errors(path, truth, counted):
    """Mean distance [N] of path to truth [T, N, 2] over the places that count; NaN for none."""
    distance = np.where(counted, np.linalg.norm(path - truth, axis=-1), 0).sum(0)
    with np.errstate(invalid="ignore"):
        return distance / counted.sum(0)


def followed(path, lost, truth, counted, width):
    """Which points [N] the tracker follows: path and lost are what it says of the true clip."""
    with np.errstate(invalid="ignore"):
        near = errors(path, truth, counted) <= FOLLOWED * width / 160
    return near & ((lost & counted).sum(0) <= MISSED * counted.sum(0)) & counted.any(0)
