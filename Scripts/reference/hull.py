"""What points enclose, seen from 16 directions."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = (1.0, 5**0.5, 2**0.5, 5**0.5)  # of the directions in turn, in pixels


def across(places: Tensor) -> Tensor:
    """How far places [M, 2] are in 16 directions, [M, 16], in STEPS."""
    x, y = places.unbind(1)
    half = (x, 2 * x + y, x + y, x + 2 * y, y, 2 * y - x, y - x, y - 2 * x)
    half = torch.stack(half, 1)
    return torch.cat((half, -half), 1)


def enclosed(places: Tensor, points: Tensor, reach: float = 0.0) -> Tensor:
    """Which of places [M, 2] points [n, 2] enclose, or have within `reach` pixels."""
    limits = across(points).amax(0)
    if reach:
        limits = limits + reach * limits.new_tensor(STEPS * 4)
    return (across(places) <= limits).all(1)


def spacing(points: Tensor) -> float:
    """How far points [n, 2] are from each other, were they spread evenly over an ellipse between
    their outermost."""
    wide, high = (points.amax(0) - points.amin(0)).tolist()
    return (torch.pi / 4 * wide * high / len(points)) ** 0.5
