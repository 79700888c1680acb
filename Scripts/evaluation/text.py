"""Text control: prompt and tracks, no picture. Do the named colours and shapes appear?

Asked of every object, over the frames in which it is seen well, at the places where its tracks say
that it is: the colour by votes of the pixels near its visible tracks, the shape by a classifier on
the square around its true mask. The same is asked of the true clips: what the measures themselves
get right. Between 1 of 11 colours and 1 of 5 shapes would be right by chance."""

import cv2
import numpy as np
import torch

from . import colours, shapes
from .engine import track_document
from .jobs import each

LOOKED_AT = 10  # frames of a clip
LEAST_POINTS = 3  # visible tracks on an object for a frame to count


def measure(setup, clips, frames, kind, scenes):
    _, accuracy = shapes.classifier(setup, scenes)
    settings = {"frames": frames, "tracks": kind, "scenes": scenes}
    rows = each(one, range(clips), setup, "text", settings)
    result = {"clips": clips, "frames": frames, "tracks": kind} | shares(rows)
    result["shape_accuracy_on_validation_crops"] = accuracy
    return result


def shares(rows):
    """What is right of all that is asked, in percent."""
    asked = [o for r in rows for o in r["objects"]]
    result = {"objects": len(asked), "objects_left_out": sum(r["left_out"] for r in rows)}
    for way in ("made", "true"):
        for what in ("colour", "shape"):
            right = [o[way][what] == o[what] for o in asked]
            result[f"{way}_{what}_percent"] = 100 * float(np.mean(right))
        right = [o[way]["colour"] == o["colour"] and o[way]["shape"] == o["shape"] for o in asked]
        result[f"{way}_both_percent"] = 100 * float(np.mean(right))
    return result


def one(index, setup, settings):
    manifest, frames = setup.manifest, settings["frames"]
    clip = setup.clip(index, frames)
    given = clip.tracks(settings["tracks"])
    document = track_document(given.xy, given.visible, manifest)
    made = setup.engine.generate(clip.prompt, None, document, frames, seed=index)
    network, _ = shapes.classifier(setup, settings["scenes"])
    asked, left_out = [], 0
    for number, solid in enumerate(clip.solids, 1):
        seen = {
            "made": look(made, clip, given, number, network),
            "true": look(clip.frames, clip, given, number, network),
        }
        if seen["true"] is None:
            left_out += 1
        else:
            asked.append({"colour": solid["colour"], "shape": solid["shape"], **seen})
    folder = setup.kept("text-pictures", settings)
    strip = np.concatenate(list(made[np.linspace(0, frames - 1, 6).astype(int)]), 1)
    cv2.imwrite(str(folder / f"{index:05d}.png"), strip[..., ::-1])
    return {"clip": index, "prompt": clip.prompt, "objects": asked, "left_out": left_out}


def look(pictures, clip, given, number, network):
    """The colour and the shape seen where object `number` should be, or None if no frame serves."""
    reach = max(1, round(clip.frames.shape[2] / 160))
    own = given.owner == number
    votes, crops = np.zeros(len(colours.NAMES)), []
    for at in np.linspace(4, len(pictures) - 1, LOOKED_AT).round().astype(int):
        points = given.xy[at, own & given.visible[at]]
        piece = shapes.crop(pictures[at], clip.owner[at] == number)
        if len(points) >= LEAST_POINTS and piece is not None:
            votes += colours.votes(colours.near_points(pictures[at], points, reach))
            crops.append(piece)
    if not crops:
        return None
    with torch.no_grad():
        shape = network(torch.stack(crops)).softmax(1).mean(0).argmax()
    return {"colour": colours.NAMES[int(votes.argmax())], "shape": shapes.SHAPES[int(shape)]}
