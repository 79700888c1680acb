"""Latent trajectory guidance: the first picture's latent, carried along the tracks.

Wan-Move (2512.08765, section 3.2) copies the first frame's latent feature at a track's start to
where the track is in every later frame. Here each cell takes the displacement of the tracks near
it, blended by distance, and reads the first latent there, bilinearly. Cells that no track is near
show the first latent as it is; cells whose content has moved away, or that would show what went
another way, are filled from the cells around them, or zero. Used for image rule "channels" with
tail "tracks". Only tracks that are seen in the first picture count.

Letters: B batch, C latent channels, T latent frames, H W latent size, N tracks, r pixel frames of
one latent frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NEAREST = 0.25  # cells; a track this close to a cell's centre counts as being there
STANDS = 0.5  # cells; a track that is no further from its start has not moved away
STRAYS = 2.0  # cells; tracks that differ by more may go different ways ...
MOST = 0.75  # ... if most near a place do: they differ by this share of how far they go
HIDDEN = 0.01  # weight of a track that is hidden: it moves what nothing seen is near to move


@dataclass
class GuidingTracks:
    """Tracks over T latent frames, in pixels: points [B, T, r, N, 2], visible [B, T, r, N], and
    start [B, N, 2], seen [B, N] in the first picture."""

    points: Tensor
    visible: Tensor
    start: Tensor
    seen: Tensor


def on_canvas(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Whether points [..., 2] lie on a grid (H, W) of their unit: latent cells, or pixels."""
    x, y = points.unbind(-1)
    return ((x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])).float()


def nearness(place: Tensor, size: tuple[int, int], reach: float) -> Tensor:
    """Franke-Little weights ((reach - d) / (reach d))^2 [..., H, W] of the distances d < reach
    from places [..., 2] in cells to the cells' centres: the nearest place rules."""
    H, W = size
    dx = torch.arange(W, device=place.device) + 0.5 - place[..., 0, None]  # [..., W]
    dy = torch.arange(H, device=place.device) + 0.5 - place[..., 1, None]  # [..., H]
    distance = (dy.square()[..., None] + dx.square()[..., None, :]).sqrt()
    return ((reach - distance).clamp(min=0) / (reach * distance.clamp(min=NEAREST))).square()


def carry(
    first: Tensor, tracks: GuidingTracks, cell: int, reach: float, fill: float | None = None
) -> Tensor:
    """The image channels [B, C, T, H, W] of latent frames after the first; first [B, C, H, W].

    A track's place in a latent frame is the mean of its visible places on the canvas, or of its
    hidden ones if it is hidden in all (the object may only have turned); without any place on the
    canvas it has moved away."""
    size = first.shape[-2:]
    points, start = tracks.points.float() / cell, tracks.start.float() / cell
    on_grid = on_canvas(points, size)
    seen_now = (on_grid * tracks.visible).sum(2, keepdim=True) > 0  # [B, T, 1, N]
    counts = on_grid * torch.where(seen_now, tracks.visible, 1 - tracks.visible)
    count = counts.sum(2)  # [B, T, N]
    place = (points * counts[..., None]).sum(2) / count.clamp(min=1)[..., None]
    strength = torch.where(seen_now[:, :, 0], 1.0, HIDDEN)
    move = place - start[:, None]  # [B, T, N, 2]
    known = (tracks.seen * on_canvas(start, size))[:, None]  # [B, 1, N]
    shown = known * (count > 0)

    weight = nearness(place, size, reach) * (shown * strength)[..., None, None]  # [B, T, N, H, W]
    total = weight.sum(2)[..., None]
    blended = torch.einsum("btnhw,btnc->bthwc", weight, move)
    moved = torch.where(total > 0, blended / total.clamp(min=1e-30), 0.0)  # [B, T, H, W, 2]

    away = known * ((count == 0) | (move.norm(dim=-1) > STANDS))  # [B, T, N]
    near_start = nearness(start, size, reach)  # [B, N, H, W]
    leaves = torch.einsum("bnhw,btn->bthw", near_start, away)
    stays = torch.einsum("bnhw,btn->bthw", near_start, known - away)
    stands = moved.norm(dim=-1) <= STANDS
    empty = (stands & (leaves > stays)) | foreign(moved, move, near_start, shown)
    image = displaced(first, moved) * ~empty[:, None]
    return image if fill is None else filled(image, empty, stands, fill)


def foreign(moved: Tensor, move: Tensor, near_start: Tensor, shown: Tensor) -> Tensor:
    """Cells [B, T, H, W] whose displacement would show what has gone another way: the tracks that
    started where the cell reads went elsewhere, most of them by nearness."""
    total = torch.einsum("bnhw,btn->bthw", near_start, shown)
    went = torch.einsum("bnhw,btnc->bthwc", near_start, move * shown[..., None])
    went = went / total.clamp(min=1e-30)[..., None]
    B, T, H, W = total.shape
    row = (
        (torch.arange(H, device=moved.device)[:, None] - moved[..., 1])
        .round()
        .long()
        .clamp(0, H - 1)
    )
    column = (torch.arange(W, device=moved.device) - moved[..., 0]).round().long().clamp(0, W - 1)
    at = (row * W + column).flatten(2)
    there = went.flatten(2, 3).gather(2, at[..., None].expand(-1, -1, -1, 2)).view_as(went)
    known = total.flatten(2).gather(2, at).view_as(total) > 0
    far = MOST * torch.maximum(there.norm(dim=-1), moved.norm(dim=-1))
    return known & ((there - moved).norm(dim=-1) > far.clamp(min=STRAYS))


def filled(image: Tensor, empty: Tensor, stands: Tensor, reach: float) -> Tensor:
    """image [B, C, T, H, W] with the mean of cells within reach in the `empty` ones [B, T, H, W]:
    of those that stand, or where there are none, of all; weights ((reach - d) / (reach d))^4 of
    the distance d of the cells' centres."""
    r = math.ceil(reach) - 1
    steps = torch.arange(-r, r + 1, device=image.device, dtype=torch.float32)
    distance = (steps[:, None].square() + steps.square()).sqrt()
    kernel = ((reach - distance).clamp(min=0) / (reach * distance.clamp(min=1))) ** 4
    kernel[r, r] = 0

    def around(x: Tensor) -> Tensor:
        return F.conv2d(x.reshape(-1, 1, *x.shape[-2:]), kernel[None, None], padding=r).view_as(x)

    out, left = image, empty[:, None]
    for source in (stands & ~empty, ~empty):
        source = source[:, None].float()
        total = around(source)
        mean = around(image * source) / total.clamp(min=1e-30)
        out = torch.where(left & (total > 0), mean, out)
        left = left & (total <= 0)
    return out


def displaced(first: Tensor, moved: Tensor) -> Tensor:
    """first [B, C, H, W] read at every cell less its displacement moved [B, T, H, W, 2] (x, y), in
    cells; bilinear, the border repeated. Returns [B, C, T, H, W]."""
    B, C, H, W = first.shape
    T = moved.shape[1]
    x = (torch.arange(W, device=first.device) - moved[..., 0]).clamp(0, W - 1)
    y = (torch.arange(H, device=first.device)[:, None] - moved[..., 1]).clamp(0, H - 1)
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
