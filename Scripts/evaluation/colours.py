"""Which of the world's named colours a piece of picture shows.

Every saturated pixel votes for the named colour that is nearest under some shade; where few are
saturated, all pixels vote for white or black. Stripes and checks bring a second, pale or dark
colour along, which this passes over."""

import cv2
import numpy as np

from world.scene import COLOURS

NAMES = tuple(COLOURS)
PALE = ("white", "black")
SHADES = np.linspace(0.45, 1.15, 15)
SATURATED = 0.4  # of HSV: from here a pixel has a colour
ENOUGH = 0.2  # share of saturated pixels below which the object is white or black


def lab(rgb):
    """RGB in 0..1 [..., 3] to Lab."""
    flat = np.asarray(rgb, np.float32).clip(0, 1).reshape(1, -1, 3)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(np.shape(rgb))


TABLE = lab(np.stack([np.outer(SHADES, COLOURS[n]) for n in NAMES]))  # [colours, shades, 3]


def votes(pixels):
    """Votes [colours] of pixels uint8 [n, 3], as shares; all zero for no pixels."""
    if not len(pixels):
        return np.zeros(len(NAMES))
    rgb = pixels.astype(np.float32) / 255
    top, bottom = rgb.max(1), rgb.min(1)
    saturated = (top - bottom > SATURATED * top) & (top > 0.12)
    names = [n not in PALE for n in NAMES]
    if saturated.mean() < ENOUGH:
        saturated[:], names = True, [n in PALE for n in NAMES]
    distance = np.linalg.norm(lab(rgb[saturated])[:, None, None] - TABLE, axis=-1).min(-1)
    distance[:, ~np.array(names)] = np.inf
    return np.bincount(distance.argmin(1), minlength=len(NAMES)) / saturated.sum()


def near_points(frame, xy, reach):
    """The pixels [n, 3] of a frame within `reach` of points [N, 2]."""
    height, width = frame.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for x, y in xy:
        if 0 <= x < width and 0 <= y < height:
            cv2.circle(mask, (int(x), int(y)), reach, 1, -1)
    return frame[mask > 0]
