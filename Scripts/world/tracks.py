"""Ground-truth point tracks: points fixed to a surface, projected in every frame."""

from dataclasses import dataclass

import numpy as np
import torch

TOLERANCE = 0.012  # of the depth: how near the first hit must be to the point


@dataclass
class Tracks:
    """Pixel coordinates have a corner origin: x in 0..width, y in 0..height."""

    xy: torch.Tensor  # [T, N, 2] float32
    visible: torch.Tensor  # [T, N] bool: on the canvas and not hidden
    owner: torch.Tensor  # [N] int64: -1 sky, 0 floor, 1... objects


def grid_points(config, count):
    """About `count` points on a uniform grid [n, 2], half a cell from the borders."""
    rows = max(1, round((count * config.height / config.width) ** 0.5))
    columns = max(1, round(count / rows))
    x = (torch.arange(columns) + 0.5) * config.width / columns
    y = (torch.arange(rows) + 0.5) * config.height / rows
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)


def random_points(config, count, seed, owners=None, on_objects=0.5):
    """Random points [count, 2]; a share of them on objects, by the owner map [H, W]."""
    rng = np.random.default_rng([seed, 0x7AC5])
    points = rng.uniform(0, 1, (count, 2)) * (config.width, config.height)
    if owners is not None:
        rows, columns = np.nonzero(owners.cpu().numpy() > 0)
        if len(rows):
            chosen = np.nonzero(rng.random(count) < on_objects)[0]
            pick = rng.integers(0, len(rows), len(chosen))
            inside = rng.uniform(0, 1, (len(chosen), 2))
            points[chosen] = np.stack([columns[pick], rows[pick]], 1) + inside
    return torch.from_numpy(points.astype(np.float32))


def follow(tracer, points, frame=0):
    """Tracks of the surface points seen at pixels [N, 2] of a frame, over all frames."""
    scene, device = tracer.scene, tracer.device
    camera = scene.camera
    points = points.to(device=device, dtype=torch.float32)
    at = torch.full((len(points),), frame, dtype=torch.int64, device=device)
    hit = tracer.trace(at, points[:, 0], points[:, 1], colour=False)
    owner = hit.owner.cpu().numpy()
    # From here in double precision: a few thousand points cost nothing.
    pixel = points.cpu().numpy().astype(np.float64)
    ray = np.concatenate([(pixel - camera.centre) / camera.focal, np.ones((len(pixel), 1))], 1)
    ray = ray @ camera.axes[frame]
    depth = hit.depth.cpu().numpy().astype(np.float64)
    sky = owner < 0
    depth[sky] = 1e6  # far enough that only the camera's turning moves it
    world = camera.position[frame] + ray * depth[:, None]
    path = np.repeat(world[None], len(camera.position), 0)
    for number, solid in enumerate(scene.solids, 1):
        own = owner == number
        local = (world[own] - solid.position[frame]) @ solid.rotation[frame]
        path[:, own] = np.einsum("tij,nj->tni", solid.rotation, local) + solid.position[:, None]
    xy, depth = camera.project(path)
    visible = seen(tracer, xy, depth, hit.owner)
    # A point behind the camera has no picture: keep numbers finite and out of the canvas.
    xy = np.where((depth > 1e-3)[..., None], xy, -1e4)
    xy = np.clip(xy, -1e4, 1e4)
    return Tracks(torch.from_numpy(xy.astype(np.float32)).to(device), visible, hit.owner)


def seen(tracer, xy, depth, owner):
    """Whether points at pixels xy [T, N, 2] and depths [T, N] are on the canvas, unhidden."""
    config, device = tracer.scene.config, tracer.device
    inside = (xy >= 0).all(-1) & (xy < (config.width, config.height)).all(-1) & (depth > 1e-3)
    visible = torch.zeros(inside.shape, dtype=torch.bool, device=device)
    frames, points = (torch.from_numpy(i).to(device) for i in np.nonzero(inside))
    pixel = torch.from_numpy(xy[inside].astype(np.float32)).to(device)
    hit = tracer.trace(frames, pixel[:, 0].contiguous(), pixel[:, 1].contiguous(), colour=False)
    expected = torch.from_numpy(depth[inside].astype(np.float32)).to(device)
    same = hit.owner == owner[points]
    near = (hit.owner < 0) | (hit.depth > expected * (1 - TOLERANCE))
    visible[frames, points] = same & near
    return visible
