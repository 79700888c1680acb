"""What the choices of inference do: the same weights with other settings of motionstream.json.

The weights were trained with one of them; the others show what they have learned to rely on."""

from pathlib import Path

from .engine import silenced, variant
from .grade import summary
from .jobs import each
from .transfer import one

CACHES = {  # chunk, sink, window
    "c3s1w1": (3, 1, 1),
    "c3s0w1": (3, 0, 1),
    "c1s1w1": (1, 1, 1),
    "c3s1w5": (3, 1, 5),
}
CELL_RULES = ("floor", "bilinear", "round_grid")


def variants(manifest):
    """Changed settings by group and name."""
    groups = {"cache": {}, "steps": {}, "placement": {}}
    for name, (chunk, sink, window) in CACHES.items():
        groups["cache"][name] = {
            "chunk": chunk,
            "first_chunk": chunk if manifest["first_chunk"] > 1 else 1,
            "cache.sink": sink,
            "cache.window": window,
        }
    for steps in (1, 2, 3, 4):
        groups["steps"][str(steps)] = {"sampler.timesteps": timesteps(manifest, steps)}
    for rule in CELL_RULES:
        groups["placement"][rule] = {"tracks.cell_rule": rule}
    return groups


def timesteps(manifest, steps):
    """The model's own list if it has `steps`, else evenly spaced ones."""
    own = manifest["sampler"]["timesteps"]
    if len(own) == steps:
        return own
    return [round(manifest["sampler"]["train_timesteps"] * (1 - i / steps)) for i in range(steps)]


def measure(setup, clips, frames, kind):
    result = {"clips": clips, "frames": frames, "tracks": kind}
    own = setup.engine.model
    settings = {"frames": frames, "tracks": kind, "shown": 0}
    for group, members in variants(setup.manifest).items():
        result[group] = {}
        for name, changes in members.items():
            folder = Path(setup.out) / "variants" / Path(own).name / f"{group}-{name}"
            changed = setup.with_model(variant(own, folder, changes))
            rows = each(one, range(clips), changed, "ablation", settings)
            result[group][name] = brief(summary(rows)) | {"settings": changes}
    if setup.manifest["sampler"].get("prediction") == "residual":
        folder = Path(setup.out) / "variants" / Path(own).name / "network-none"
        changed = setup.with_model(silenced(own, folder))
        rows = each(one, range(clips), changed, "ablation", settings)
        name = "none, the image channels alone"
        result["network"] = {name: brief(summary(rows)) | {"settings": {}}}
    return result


def brief(figures):
    """What an ablation's table shows."""
    points, objects = figures["points"]["all"], figures["objects"]
    return {
        "epe": points.get("made"),
        "epe_interval": points.get("made_interval"),
        "objects_epe": objects.get("made_mean"),
        "psnr": figures["psnr"],
        "ssim": figures["ssim"],
        "sharpness_of_true": figures["sharpness_of_true"],
    }
