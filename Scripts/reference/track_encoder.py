"""From point tracks to the track channels of the latent video (MotionStream section 3.1).

Letters: B batch, F pixel frames, N tracks, T latent frames, H W latent size, E id dimension,
s spatial and r temporal compression of the autoencoder.

A clip of 1 + r*k pixel frames belongs to 1 + k latents: latent 0 sees frame 0 alone, latent j the
frames r*(j-1)+1 .. r*j, which is what left-padding the clip with r-1 zero frames gives.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .configuration import TrackHeadConfig, TrackRules


def embed_ids(ids: Tensor, dim: int, rules: TrackRules) -> Tensor:
    """Sinusoidal embedding of track ids: cosines then sines, [..., dim] float32.

    Angles are formed in float64: an id near 100,000 leaves a float32 angle three good digits.
    """
    if rules.ids == "scattered":  # neighbouring ids get unrelated embeddings
        ids = (ids * 61813 + 12345) % rules.max_id
    half = dim // 2
    steps = torch.arange(half, dtype=torch.float64, device=ids.device)
    angle = ids[..., None].double() * torch.exp(-math.log(rules.base) * steps / half)
    return torch.cat((angle.cos(), angle.sin()), dim=-1).float()


def embed_origins(origins: Tensor, dim: int, spatial_compression: int, rules: TrackRules) -> Tensor:
    """Embedding of the place [..., 2] (pixels) where a track was first visible: the ID of rule
    "origin". Half of the dimensions hold x, half y, each in latent cells, cosines then sines.

    The paper draws IDs at random; a place says more than a number: points that start close to each
    other get similar embeddings, which far fewer training clips suffice to make use of.
    """
    quarter = dim // 4
    steps = torch.arange(quarter, dtype=torch.float64, device=origins.device)
    frequency = torch.exp(-math.log(rules.base) * steps / quarter)
    x, y = (origins.double() / spatial_compression)[..., None].unbind(-2)  # [..., 1]
    angles = x * frequency, y * frequency
    return torch.cat([part for a in angles for part in (a.cos(), a.sin())], dim=-1).float()


def on_canvas(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Whether points [..., 2] lie on a grid (H, W) of their unit: latent cells, or pixels."""
    x, y = points.unbind(-1)
    return ((x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])).float()


def first_visible(points: Tensor, visible: Tensor, canvas: tuple[int, int]) -> Tensor:
    """Where each track is first visible on the canvas (width, height), [N, 2]: rule "origin"."""
    inside = ((points >= 0) & (points < torch.tensor(canvas))).all(-1)
    first = (inside & (visible != 0)).int().argmax(0)
    return points[first, torch.arange(points.shape[1])]


def place(
    points: Tensor, size: tuple[int, int], spatial_compression: int, cell_rule: str
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Where each point lands: a list of (row, column, weight), each [...], for points [..., 2].

    Points are (x, y) in pixels of the model canvas. Weight 0 means "not on the grid"; a point
    outside the canvas [0, W*s) x [0, H*s) is invisible under every rule.
    """
    H, W = size
    s = spatial_compression
    x, y = points.float().unbind(-1)
    inside = ((x >= 0) & (x < W * s) & (y >= 0) & (y < H * s)).float()
    if cell_rule == "floor":  # the paper's equation 1
        return [((y / s).floor().long(), (x / s).floor().long(), inside)]
    if cell_rule == "round_grid":  # Track-v0; torch rounds half to even
        row = (y / (H * s) * (H - 1)).round().long()
        column = (x / (W * s) * (W - 1)).round().long()
        return [(row, column, inside)]
    if cell_rule == "bilinear":  # splat over the four nearest cell centres
        left, top = (x / s - 0.5).floor(), (y / s - 0.5).floor()
        right_share, bottom_share = x / s - 0.5 - left, y / s - 0.5 - top
        cells = []
        for down, row_weight in ((0, 1 - bottom_share), (1, bottom_share)):
            for right, column_weight in ((0, 1 - right_share), (1, right_share)):
                row, column = top.long() + down, left.long() + right
                on_grid = (row >= 0) & (row < H) & (column >= 0) & (column < W)
                cells.append((row, column, row_weight * column_weight * inside * on_grid))
        return cells
    raise ValueError(f"cell_rule {cell_rule!r} is not floor, round_grid or bilinear")


def track_map(
    points: Tensor,
    visible: Tensor,
    embedding: Tensor,
    size: tuple[int, int],
    spatial_compression: int,
    rules: TrackRules,
) -> Tensor:
    """points [B, F, N, 2], visible [B, F, N] in {0, 1}, embedding [B, N, E] -> [B, F, H, W, E]."""
    H, W = size
    B, frames, N = visible.shape
    E = embedding.shape[-1]
    frame_start = torch.arange(B * frames, device=points.device).view(B, frames, 1) * (H * W)
    cells = place(points, size, spatial_compression, rules.cell_rule)

    if rules.collision == "add":
        out = torch.zeros(B * frames * H * W, E, device=points.device)
        for row, column, weight in cells:
            weight = weight * visible
            seen = weight != 0
            index = (frame_start + row * W + column)[seen]
            value = embedding[seen] * weight[seen][:, None]
            out = out.index_add(0, index, value)
    elif rules.collision == "assign":  # the later track of the list overwrites
        if rules.cell_rule == "bilinear":
            raise ValueError("collision assign has no meaning with cell_rule bilinear")
        row, column, weight = cells[0]
        seen = (weight * visible) != 0
        track = torch.arange(N, device=points.device).expand(B, frames, N)[seen]
        index = (frame_start + row * W + column)[seen]
        winner = torch.full((B * frames * H * W,), -1, device=points.device)
        winner = winner.scatter_reduce(0, index, track, "amax")
        frame = torch.arange(B * frames, device=points.device).repeat_interleave(H * W)
        out = embedding.flatten(0, 1)[frame, winner.clamp(min=0)] * (winner >= 0)[:, None]
    else:
        raise ValueError(f"collision {rules.collision!r} is not add or assign")
    return out.view(B, frames, H, W, E)


def starts_and_ways(
    start: Tensor, given: Tensor, later: Tensor, known: Tensor, frames: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The tracks as a picture to be drawn at their start sees them: start [..., N, 2], given
    [..., N], and where they are some frames later [..., A, N, 2], as far as known [..., A, N].

    Latent 0 has `frames` frames, of which only the last is its own. The first A of those before
    hold the tracks at their starts too, but the place that makes their ID (rule "origin") is how
    far they have gone by then: which points belong together, and what the prompt's words for
    motion are about, is not to be seen in one frame. Returns points [..., frames, N, 2], visible
    [..., frames, N] and origins as points."""
    A = later.shape[-3]
    points = start.unsqueeze(-3).expand(*later.shape[:-3], frames, -1, -1)
    visible = torch.zeros_like(points[..., 0], dtype=torch.bool)
    visible[..., :A, :] = known.bool() & given.bool().unsqueeze(-2)
    visible[..., -1, :] = given
    origins = points.clone()
    origins[..., :A, :, :] = later - start.unsqueeze(-3)
    return points, visible, origins


class TrackEncoder(nn.Module):
    """Track map, packed r frames to one latent, then a 1x1x1 convolution."""

    def __init__(self, config: TrackHeadConfig, rules: TrackRules):
        super().__init__()
        self.config, self.rules = config, rules
        r, channels, bias = config.vae_temporal_compression, config.track_channels, config.use_bias
        kernel = (r, 1, 1)
        self.temporal_conv = nn.Conv3d(config.id_dim, channels, kernel, stride=kernel, bias=bias)
        self.proj = nn.Conv3d(channels, channels, 1, bias=bias)

    def forward(
        self,
        points: Tensor,
        visible: Tensor,
        ids: Tensor,
        size: tuple[int, int],
        first: bool = True,
    ) -> Tensor:
        """Track channels of a run of latents.

        points [B, F, N, 2] pixels, visible [B, F, N], ids [B, N] (or [N], or [B, F, N] to differ
        from frame to frame; under rule "origin" with a last axis of 2, pixels); size = latent
        (H, W).
        With `first` the run starts the clip (F = 1 + r*k) and gets the zero padding; without it
        the run continues one (F = r*k). Returns [B, track_channels, T, H, W].
        "No tracks at all" is not this function with nothing visible (that gives the biases) but
        an exact zero map, which is the caller's to make.
        """
        r = self.config.vae_temporal_compression
        scale, dim = self.config.vae_spatial_compression, self.config.id_dim
        if self.rules.ids == "origin":
            embedding = embed_origins(ids, dim, scale, self.rules)
        else:
            embedding = embed_ids(ids, dim, self.rules)
        if embedding.dim() == 3:
            embedding = embedding[:, None]
        embedding = embedding.expand(*visible.shape, -1)
        maps = track_map(points, visible, embedding, size, scale, self.rules)  # [B, F, H, W, E]
        if first:
            maps = F.pad(maps, (0, 0, 0, 0, 0, 0, r - 1, 0))
        if maps.shape[1] % r:
            raise ValueError(f"{points.shape[1]} track frames do not fill whole latents")
        packed = maps.unflatten(1, (-1, r)).permute(0, 1, 3, 4, 5, 2).flatten(4)  # [B,T,H,W,E*r]
        hidden = F.linear(packed, self.temporal_conv.weight.flatten(1), self.temporal_conv.bias)
        out = F.linear(hidden, self.proj.weight.flatten(1), self.proj.bias)
        return out.permute(0, 4, 1, 2, 3)  # [B, track_channels, T, H, W]

    def window(
        self,
        points: Tensor,
        visible: Tensor,
        ids: Tensor,
        size: tuple[int, int],
        start: int,
        end: int,
    ) -> Tensor:
        """Track channels of latents [start, end) out of the tracks of a whole clip."""
        r = self.config.vae_temporal_compression
        frames = slice(max(0, r * start - (r - 1)), r * (end - 1) + 1)
        return self(points[:, frames], visible[:, frames], ids, size, first=start == 0)
