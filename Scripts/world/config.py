"""Settings of the procedural world and the seed ranges of its three splits."""

from dataclasses import dataclass

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class WorldConfig:
    """What a clip looks like, apart from its seed. Sizes in pixels, times in frames."""

    width: int = 160
    height: int = 96
    fps: float = 16.0
    frames: int = 33
    max_objects: int = 4
    still_camera: float = 0.5  # share of clips whose camera does not move
    turning: float = 1.0  # share of objects that may turn, roll or tumble as they move
    edge_samples: int = 4  # extra rays for a pixel on an edge; 0 turns anti-aliasing off
    chunk: int = 12  # frames traced at once on a CPU: small ones stay in cache


def split_seed(split: str, index: int) -> int:
    """The seed of clip `index` of a split. No two splits share one, however long they are."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, found {split!r}")
    if index < 0:
        raise ValueError(f"index must not be negative, found {index}")
    return index * len(SPLITS) + SPLITS.index(split)
