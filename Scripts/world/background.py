"""What lies behind the objects: the sky with its hills, and the patterns of the floor."""

import numpy as np
import torch

from .scene import FLOOR_COLOURS, SKIES


def vector(values, like):
    """A column [3, 1] on the device of `like`."""
    return torch.tensor(np.asarray(values), dtype=torch.float32, device=like.device)[:, None]


def sky(scene, direction):
    """Colour of the sky in world directions [3, N]."""
    top, horizon = (vector(c, direction) for c in SKIES[scene.sky])
    flat = (direction[0] ** 2 + direction[2] ** 2).sqrt().clamp(min=1e-6)
    lift = direction[1] / flat
    blend = (lift.clamp(min=0) * 2.2).clamp(max=1) ** 0.75
    colour = horizon + (top - horizon) * blend
    if scene.hills:
        turn = torch.atan2(direction[0], direction[2])
        a, b, c = scene.hill_phase
        ridge = (
            torch.sin(4 * turn + a)
            + 0.6 * torch.sin(9 * turn + b)
            + 0.25 * torch.sin(23 * turn + c)
        )
        ridge = scene.hills * (0.55 + 0.3 * ridge)
        hill = vector((0.45, 0.55, 0.55), direction) * 0.55 + horizon * 0.45
        colour = torch.where(lift < ridge, hill, colour)
    return colour


def floor(scene, point, fine):
    """Surface colour [3, N] of the floor at world points; `fine` is a pixel's size there."""
    main = vector(FLOOR_COLOURS[scene.floor_colour], point)
    c, s = float(np.cos(scene.floor_angle)), float(np.sin(scene.floor_angle))
    u = (c * point[0] + s * point[2]) / scene.floor_cell
    v = (c * point[2] - s * point[0]) / scene.floor_cell
    if scene.floor == "checkered":
        mark = torch.remainder(torch.floor(u) + torch.floor(v), 2) * 2 - 1
    elif scene.floor == "striped":
        mark = torch.remainder(torch.floor(u), 2) * 2 - 1
    elif scene.floor == "tiled":
        gap = torch.minimum(_gap(u), _gap(v)) * scene.floor_cell
        mark = torch.where(gap < 0.03, -1.5, 0.25 + 0.3 * (_hash(u, v) - 0.5))
    elif scene.floor == "wooden":
        row = torch.floor(v * 2.2)
        along = u * 0.6 + _hash(row, row * 0) * 7
        grain = torch.sin(v * 31 + 1.3 * torch.sin(u * 2.1 + row))
        joint = torch.minimum(_gap(v * 2.2) / 2.2, _gap(along) * 1.6) * scene.floor_cell
        mark = torch.where(joint < 0.016, -1.3, 1.1 * (_hash(row, along) - 0.5) + 0.12 * grain)
    elif scene.floor == "mottled":
        mark = 0
        for i, (a, b) in enumerate(((1.7, 1.1), (-2.3, 2.9), (4.1, -1.9), (3.3, 5.2))):
            mark = mark + torch.sin(a * u + b * v + 1.7 * torch.sin(b * u - a * v + i)) * 0.45
    else:
        mark = torch.zeros_like(u)
    fade = (1.6 - fine / (0.4 * scene.floor_cell)).clamp(0, 1)
    return (main * (1 + scene.floor_contrast * mark * fade)).clamp(0, 1)


def _gap(u):
    """Distance to the nearest integer."""
    return (u - torch.round(u)).abs()


def _hash(u, v):
    """A repeatable number in 0..1 for each cell of the plane."""
    h = torch.sin(torch.floor(u) * 12.9898 + torch.floor(v) * 78.233) * 437.585
    return h - torch.floor(h)
