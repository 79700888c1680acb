"""What the settings of a drawing do (`image.drawing` of motionstream.json): prompt and tracks, no
picture, with the same weights. Which named colours and shapes appear, as `text` asks it."""

from pathlib import Path

from . import shapes, text
from .engine import variant
from .jobs import each


def variants(drawing):
    """Changed settings by name."""
    steps = drawing["steps"]
    return {
        "as shipped": {},
        **{f"{n} steps": {"steps": n} for n in (steps // 2, 2 * steps) if n},
        "guided above 0.4 only": {"guidance_above": 0.4},
        "not guided": {"guidance": 1.0},
    }


def measure(setup, clips, frames, kind, scenes):
    """None for a model that does not draw."""
    drawing = setup.manifest["image"].get("drawing")
    if drawing is None:
        return None
    shapes.classifier(setup, scenes)
    result = {"clips": clips, "frames": frames, "tracks": kind, "settings": {}}
    own, settings = setup.engine.model, {"frames": frames, "tracks": kind, "scenes": scenes}
    for name, changes in variants(drawing).items():
        folder = Path(setup.out) / "variants" / Path(own).name / f"drawing-{name.replace(' ', '-')}"
        changes = {f"image.drawing.{key}": value for key, value in changes.items()}
        changed = setup.with_model(variant(own, folder, changes))
        rows = each(text.one, range(clips), changed, "drawing", settings)
        result["settings"][name] = text.shares(rows)
    return result
