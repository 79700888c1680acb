"""Contact sheet and moving picture: the true clip above the made one."""

import numpy as np
from PIL import Image


def save_sheet(pairs, path, wide=960):
    """Some frames of each pair (true, made) uint8 [T, H, W, 3], true above made: as many as fill
    about `wide` pixels, at least four."""
    lines, columns = [], max(4, wide // pairs[0][0].shape[2])
    for pair in pairs:
        at = np.linspace(0, len(pair[0]) - 1, columns).round().astype(int)
        lines += [np.concatenate(list(clip[at]), 1) for clip in pair]
    Image.fromarray(np.concatenate(lines, 0)).save(path, optimize=True)


def save_moving(pairs, path, fps):
    """An animated WebP of all frames: clips side by side, true above made."""
    columns = [np.concatenate(pair, 1) for pair in pairs]
    frames = [Image.fromarray(frame) for frame in np.concatenate(columns, 2)]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 / fps),
        loop=0,
        quality=70,
    )
