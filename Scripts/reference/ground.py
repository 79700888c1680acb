"""The ground: what of the first picture is of no thing that moves by itself, and what it looks like
behind things.

Tracks that move unlike most are of things, together with those linked to them, neighbours that
hardly part. The ground is the first picture without things: where they were its rows go on from
both sides, mirrored. Of that only what is finer than BLUR pixels is used: it gives the soft colours
that fill what things uncover (`PictureWarp.filled`) the ground's texture.

Letters: P pixels, N tracks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .hull import enclosed
from .things import LINKED, connected, distances, length

STRAIN = 0.5  # share of their distance by which neighbours that stay linked may part ...
SLACK = 1.0  # ... and pixels more
FEWEST = 4  # tracks that enclose something
CLOSE = 4  # of the tracks around a track, those that tell how far it speaks for its thing
RIM = 2  # pixels around a thing whose colours are mixed with its own
SEAM = 3.0  # the sides of a row meet in the middle third of what was missing
BLUR = 16  # pixels around a pixel of whose mean a texture is the difference


class Ground:
    """The first picture without the things that have moved so far."""

    def __init__(
        self,
        picture: Tensor,
        pixels: Tensor,
        owner: Tensor,
        start: Tensor,
        near: Tensor,
        apart: Tensor,
    ):
        """picture [3, H, W] of pixels [P, 2]; owner [P], the track that owns each, or -1; start
        [N, 2], near [N, k] the tracks that start around each, apart [N, k] how far."""
        self.picture, self.pixels, self.first = picture, pixels, owner
        self.owner, self.start, self.near, self.apart = owner, start, near, apart
        self.thing = torch.full((len(near),), -1)  # of each track, by its first track; -1: none
        self.hidden = torch.zeros(len(owner), dtype=torch.bool)  # pixels that things are on
        self.texture = fine(picture, self.hidden)

    def look(self, move: Tensor, alone: Tensor) -> bool:
        """Tells things from the ground, now that tracks have moved by move [N, 2]; `alone` [N] are
        those that move unlike most. For every frame, in order. Whether anything has changed."""
        near, count, before = self.near, len(move), self.thing
        parted = length(move[near] - move[:, None])
        if ((before < 0) & alone).any():
            part = connected(near, (parted <= self.apart + LINKED) & alone[:, None] & alone[near])
            # What is linked to a thing is of it.
            known = torch.where(before < 0, count, before)
            first = torch.full_like(part, count).scatter_reduce(0, part, known, "amin")[part]
            first = torch.where(first < count, first, part)
            self.thing = torch.where((before < 0) & alone, first, before)
        is_linked = (parted <= STRAIN * self.apart + SLACK) & (
            self.thing[near] == self.thing[:, None]
        )
        part = connected(near, is_linked)
        most = torch.zeros(count, dtype=torch.long).index_add_(0, part, 2 * alone.long() - 1)
        self.thing = torch.where(most[part] > 0, self.thing, -1)
        if torch.equal(self.thing, before):
            return False
        self.owner = self.first.clone()
        for members in self.groups(torch.zeros_like(move)):
            self.claim(members)
        _, H, W = self.picture.shape
        on_thing = (self.owner >= 0) & (self.thing[self.owner] >= 0)
        wide = F.max_pool2d(on_thing.view(1, H, W).float(), 2 * RIM + 1, 1, RIM)
        self.hidden = wide.flatten() > 0
        self.texture = fine(self.picture, self.hidden)
        return True

    def claim(self, members: Tensor) -> None:
        """Gives a thing the pixels among its tracks that are of none: those of another colour than
        these are on."""
        free = (self.owner < 0) | (self.thing[self.owner] < 0)
        free = (free & enclosed(self.pixels, self.start[members])).nonzero()[:, 0]
        away, nearest = distances(self.pixels[free], self.start).min(1)
        mine = torch.isin(nearest, members) & (away <= self.reach(self.start)[nearest])
        self.owner[free[mine]] = nearest[mine]

    def reach(self, place: Tensor) -> Tensor:
        """How far each track speaks for its thing [N], now that they are at place [N, 2]."""
        near = self.near[:, :CLOSE]
        away = length(place[near] - place[:, None])
        own = (self.thing[near] == self.thing[:, None]).float()
        return (away * own).amax(1) + SLACK if near.shape[1] else away.new_full((len(near),), SLACK)

    def groups(self, move: Tensor) -> list[Tensor]:
        """The tracks of each thing, where they are still near each other; move [N, 2]."""
        link = length(move[self.near] - move[:, None]) <= self.apart + LINKED
        thing = self.thing
        part = connected(self.near, link & (thing[self.near] == thing[:, None]))
        groups = [(part == first).nonzero()[:, 0] for first in part[thing >= 0].unique()]
        return [members for members in groups if len(members) >= FEWEST]


def fine(picture: Tensor, hidden: Tensor) -> Tensor:
    """What of the brightness of a picture [3, H, W] without its hidden pixels [P] is finer than
    BLUR pixels, [1, H, W]."""
    hidden = hidden.view(picture.shape[1:])
    red, green, blue = picture
    whole = mirrored((red + green + blue) / 3, hidden)
    texture = whole - blurred(blurred(whole, 1), 0)
    texture[hidden.all(1)] = 0
    return texture[None]


def blurred(x: Tensor, axis: int) -> Tensor:
    """Means of x [H, W] over 2 BLUR + 1 pixels along an axis, of those that are in it."""
    total = F.pad(x.double().transpose(axis, 1).cumsum(1), (1, 0))
    at = torch.arange(x.shape[axis])
    above, below = (at + BLUR + 1).clamp(max=len(at)), (at - BLUR).clamp(min=0)
    return ((total[:, above] - total[:, below]) / (above - below)).transpose(axis, 1).float()


def mirrored(x: Tensor, missing: Tensor) -> Tensor:
    """x [H, W] with what is missing [H, W] taken from both sides of its row, mirrored, as often as
    needed over what is there; a row of which nothing is there stays."""
    x = x.clone()
    for y in missing.any(1).nonzero()[:, 0].tolist():
        there, gap = (~missing[y]).nonzero()[:, 0], missing[y].nonzero()[:, 0]
        if not len(there):
            continue
        right = torch.searchsorted(there, gap)  # the first one to the right
        is_left, is_right = right > 0, right < len(there)
        to_left = gap - there[(right - 1).clamp(min=0)]
        to_right = there[right.clamp(max=len(there) - 1)] - gap
        from_left = x[y, there[(right - to_left).clamp(0, len(there) - 1)]]
        from_right = x[y, there[(right - 1 + to_right).clamp(0, len(there) - 1)]]
        share = to_left.float() / (to_left + to_right)
        share = ((share - 0.5) * SEAM + 0.5).clamp(0, 1)
        share = torch.where(is_left, torch.where(is_right, share, 0.0), 1.0)
        x[y, gap] = from_left * (1 - share) + from_right * share
    return x
