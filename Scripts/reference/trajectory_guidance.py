"""Latent trajectory guidance: the first picture's latent, carried along the tracks.

Wan-Move (2512.08765, section 3.2) copies the first frame's latent feature at a track's start to
where the track is in every later frame. Here each cell takes the displacement of the tracks near
it, blended by distance, and reads the first latent there, bilinearly; cells that no track is near
show the first latent as it is. Used for image rule "channels" with tail "tracks".

Letters: B batch, C latent channels, T latent frames, H W latent size, N tracks, r pixel frames of
one latent frame.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEAREST = 0.25  # cells; a track this close to a cell's centre counts as being there


def displacement(
    points: Tensor, visible: Tensor, origin: Tensor, size: tuple[int, int], cell: int, reach: float
) -> Tensor:
    """Displacement in cells [B, T, H, W, 2] (x, y) of every cell; zero where no track is near.

    points [B, T, r, N, 2] and origin [B, N, 2] in pixels, visible [B, T, r, N]. A track's place in
    a latent frame is the mean of its visible places on the canvas. Weights are Franke-Little's,
    ((reach - d) / (reach d))^2 for distances d below `reach` cells: the nearest track rules.
    """
    H, W = size
    points, origin = points.float() / cell, origin.float() / cell
    x, y = points.unbind(-1)
    seen = ((x >= 0) & (x < W) & (y >= 0) & (y < H)).float() * visible  # [B, T, r, N]
    count = seen.sum(2)
    place = (points * seen[..., None]).sum(2) / count.clamp(min=1)[..., None]  # [B, T, N, 2]
    move = place - origin[:, None]
    column = torch.arange(W, device=place.device) + 0.5
    row = torch.arange(H, device=place.device) + 0.5
    dx = column - place[..., 0, None]  # [B, T, N, W]
    dy = row - place[..., 1, None]  # [B, T, N, H]
    distance = (dy.square()[..., None] + dx.square()[..., None, :]).sqrt()  # [B, T, N, H, W]
    weight = ((reach - distance).clamp(min=0) / (reach * distance.clamp(min=NEAREST))).square()
    weight = weight * (count > 0)[..., None, None]
    total = weight.sum(2)  # [B, T, H, W]
    blended = torch.einsum("btnhw,btnc->bthwc", weight, move)
    return torch.where(total[..., None] > 0, blended / total.clamp(min=1e-30)[..., None], 0.0)


def carry(
    first: Tensor, points: Tensor, visible: Tensor, origin: Tensor, cell: int, reach: float
) -> Tensor:
    """The image channels [B, C, T, H, W] of latent frames after the first.

    first [B, C, H, W]; points [B, T, r, N, 2], visible [B, T, r, N], origin [B, N, 2].
    """
    B, C, H, W = first.shape
    T = points.shape[1]
    moved = displacement(points, visible, origin, (H, W), cell, reach)  # [B, T, H, W, 2]
    column = torch.arange(W, device=first.device) + 0.5
    row = torch.arange(H, device=first.device) + 0.5
    x = (column - moved[..., 0] - 0.5).clamp(0, W - 1)
    y = (row[:, None] - moved[..., 1] - 0.5).clamp(0, H - 1)
    left, top = x.floor().clamp(max=max(W - 2, 0)), y.floor().clamp(max=max(H - 2, 0))
    u, v = (x - left)[:, None], (y - top)[:, None]  # [B, 1, T, H, W]
    right = (left + 1).clamp(max=W - 1).long()
    bottom = (top + 1).clamp(max=H - 1).long()
    left, top = left.long(), top.long()

    def pick(rows: Tensor, columns: Tensor) -> Tensor:
        index = (rows * W + columns).flatten(1)[:, None].expand(-1, C, -1)
        return first.flatten(2).gather(2, index).view(B, C, T, H, W)

    upper = pick(top, left) * (1 - u) + pick(top, right) * u
    lower = pick(bottom, left) * (1 - u) + pick(bottom, right) * u
    return upper * (1 - v) + lower * v
