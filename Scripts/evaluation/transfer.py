"""Motion transfer: first picture, prompt and tracks of held-out clips; do the pixels follow?"""

import numpy as np

from .engine import track_document
from .grade import grade, summary
from .jobs import each

COLUMNS = 6  # frames of a clip on the contact sheet


def measure(setup, clips, frames, kinds, shown):
    """`kinds`: of tracks (see HeldOut.tracks); of the first `shown` clips the frames are kept."""
    result = {}
    for kind in kinds:
        settings = {"frames": frames, "tracks": kind, "shown": shown}
        rows = each(one, range(clips), setup, f"transfer-{kind}", settings)
        result[kind] = summary(rows) | {"frames": frames}
    return result


def one(index, setup, settings):
    clip, given, made = make(index, setup, settings)
    if index < settings["shown"]:
        folder = setup.kept(f"transfer-{settings['tracks']}", settings)
        np.savez(folder / f"{index:05d}.npz", true=clip.frames, made=made)
    return grade(made, clip, given)


def make(index, setup, settings):
    """The clip, the tracks given, and what the engine makes of them [T, H, W, 3]."""
    frames, manifest = settings["frames"], setup.manifest
    clip = setup.clip(index, frames)
    given = clip.tracks(settings["tracks"])
    document = track_document(given.xy, given.visible, manifest)
    made = setup.engine.generate(clip.prompt, clip.frames[0], document, frames, seed=index)
    return clip, given, made


def frames_shown(setup, frames, kind, shown):
    """(true, made) of the first clips of a measurement that has run."""
    settings = {"frames": frames, "tracks": kind, "shown": shown}
    paths = sorted(setup.kept(f"transfer-{kind}", settings).glob("*.npz"))
    return [(saved["true"], saved["made"]) for saved in map(np.load, paths)]
