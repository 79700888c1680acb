"""Objects found again in pixels by their colours: OpenCV's mean shift over the back-projected
colour histogram of the object's mask in the first frame."""

import cv2
import numpy as np

BINS = 16  # of each Lab channel
# Pixels at a width of 160.
MOVES = 4.0  # an object whose centre is no further from its start, on average, stands
TRACKED = 3.0  # mean error of the tracker on the true clip above which an object is left out
SMALLEST = 60  # that an object must cover

SEEN = 0.6  # share of its first area that must be seen for a frame to count


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


def centre(weights):
    """Mean place (x, y) of a map [H, W], corner origin."""
    rows, columns = np.indices(weights.shape) + 0.5
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


class Follower:
    """Follows the object that covers `mask` [H, W] in `frame`; `step` gives its centre."""

    def __init__(self, frame, mask):
        first = cells(frame)
        own, rest = histogram(first[mask]), histogram(first[~mask])
        self.share = own / (own + rest + 1e-6)
        margin = round(2 * frame.shape[1] / 160)
        x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
        self.window = (x - margin, y - margin, width + 2 * margin, height + 2 * margin)
        self.at = centre(mask)
        self.enough = 50 * (frame.shape[1] / 160) ** 2

    def step(self, frame):
        likely = self.share[tuple(np.moveaxis(cells(frame), -1, 0))]
        likely = cv2.GaussianBlur(255 * np.where(likely > 0.5, likely, 0), (3, 3), 0)
        likely = likely.clip(0, 255).astype(np.uint8)
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.1)
        _, self.window = cv2.meanShift(likely, self.window, criteria)
        x, y, width, height = self.window
        inside = np.zeros_like(likely)
        box = np.s_[max(y, 0) : y + height, max(x, 0) : x + width]
        inside[box] = likely[box]
        if inside.sum(dtype=np.int64) > self.enough:
            self.at = centre(inside)
        return self.at


def follow(frames, mask):
    """Centres [T, 2] of the object that covers `mask` in the first frame."""
    follower = Follower(frames[0], mask)
    return np.stack([follower.at, *(follower.step(f) for f in frames[1:])])


def moving_objects(owner):
    """(number, mask in the first frame, true centres [T, 2], frames to grade [T]) of each moving
    object; owner [T, H, W] is the number of the object seen in each pixel.

    Frames in which the object touches the border do not count: its centre is not seen there."""
    scale = owner.shape[2] / 160
    for number in range(1, int(owner.max()) + 1):
        masks = owner == number
        area = masks.sum((1, 2))
        cut = masks[:, :, [0, -1]].any((1, 2)) | masks[:, [0, -1]].any((1, 2))
        counted = (area > SEEN * area[0]) & ~cut
        if area[0] < SMALLEST * scale**2 or not counted[0]:
            continue
        start = centre(masks[0])
        centres = np.stack([centre(m) if m.any() else start for m in masks])
        if np.linalg.norm(centres - start, axis=1)[counted].mean() > MOVES * scale:
            yield number, masks[0], centres, counted
