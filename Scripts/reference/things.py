"""Things that turn: tracks that move as the points of one solid do.

What turns shows sides that the first picture does not have, and track by track its outline would
fall to pieces. So tracks are grouped by how they move. A group is taken for a solid that has the
outline of what its tracks are on, and is as deep as it is wide, row by row: balls, cylinders and
cones are. Seen from afar, wherever a solid moves and however it turns and grows, the places of its
points are linear in (x, y, z) (Tomasi and Kanade 1992, section 2): four pairs of numbers, by least
squares over its tracks, the hidden ones too. They tell how its pixels move and where its outline
is.

Letters: P pixels, N tracks, n tracks of a solid.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .hull import enclosed, spacing

LEAST = 8  # tracks of a solid
LINKED = 2.0  # pixels that tracks near each other may part by more than they were apart
REACH = 0.75  # of the distance between its tracks, and a pixel, how far a solid goes beyond them
BODY = 1.3  # squared distance from the centre, in half axes, of pixels that tell what these are ...
OUTLINE = 2.1  # ... and of those that are of the solid: corners of boxes and cones are
ROUNDS = 5  # of finding the half axes
FILLED = 0.8  # share of an ellipse that an outline fills: two things side by side do not
CLEAR = 0.62  # share of an outline across which colours differ ...
LEVELS = 12  # ... by more levels, of 255: a piece of ground has no such outline
PARTED = 0.9  # or share of the tracks beside it that do not move with it: nor so few that do
RIGID = 0.1  # square pixels of a track; so near ones say little about turning
TYPICAL, SPARE = 4.0, 0.7  # tracks that miss by so many medians, and pixels more, do not tell how
REFITS = 3  # a solid moves
LOST = 0.5  # share of the half axes by which tracks miss that are of something else
AGREED = 0.9  # share of the tracks of one solid that agree
FITS = 0.06  # share of the half axes that tracks of a solid miss by ...
ROUGH = 0.5  # ... and pixels more;
KEPT, CLOSE = 1.15, 0.6  # so many times as much if it was one before, and if it was two
STRETCHED = 1.25  # how much larger it may be along one way than across it
AROUND, BLUNT = 4, 4.0  # tracks around a pixel that tell how it is off; square pixels, nearer ones
#     than which tell as much
GROWN = (0.4, 2.5)  # how much smaller and larger a solid may become
TURNED = 0.15  # share of the half axes, and
STIRRED = 2.0  # pixels, that a track of what turns is from where it would be if it did not ...
NEARER = (
    1.25  # ... and by how much it has grown, times this: what comes nearer looks as if it turned
)


@dataclass
class Pose:
    """Where a solid is. In pixels; across and down."""

    turn: Tensor  # [3, 2] double: what a pixel to the right, down and towards the viewer becomes
    centre: Tensor  # [2] double: the place of what is at the solid's centre, in its outline's plane
    missed: Tensor  # [n] double: how far the tracks are from where the solid's points are
    told: Tensor  # [n]: which tracks told this
    scale: Tensor  # how much larger it is
    turned: Tensor  # how far the tracks are from where they would be, had it not turned

    @property
    def is_one(self) -> bool:
        """Whether nearly all tracks say that this is one solid, as large along the picture as
        across: what turns does not stretch."""
        a, b, c = ((self.turn[:, i] * self.turn[:, j]).sum() for i, j in ((0, 0), (0, 1), (1, 1)))
        middle, half = (a + c) / 2, (((a - c) / 2).square() + b * b).sqrt()
        is_rigid = middle + half <= STRETCHED**2 * (middle - half)
        return bool(is_rigid and self.told.sum() >= AGREED * len(self.told))

    def of(self, points: Tensor) -> Tensor:
        """Where points [..., 3] of the solid are, [..., 2]."""
        return self.centre + points @ self.turn


class Solid:
    """Tracks `members` [n] that move as one, and the pixels that they are on."""

    def __init__(self, members: Tensor, start: Tensor, outline: Tensor, pixels: Tensor, steps):
        """start [N, 2]; outline [P], the track that each of `pixels` [P, 2] is of (`outlines`);
        steps: by how many levels of 255 the colours differ to the right and down."""
        self.members, self.start = members, start[members].double()
        mine = torch.zeros(len(start) + 1, dtype=torch.bool)
        mine[members] = True
        own = start[members]
        mask = mine[outline] & enclosed(pixels, own, REACH * spacing(own) + 1)
        away = torch.zeros(len(outline), dtype=torch.float64)
        for _ in range(ROUNDS):
            body = pixels[mask & (away <= BODY)].double()
            self.centre = body.mean(0)
            x, y = (body - self.centre).unbind(1)
            a, b, c = (x * x).mean() + 1 / 12, (x * y).mean(), (y * y).mean() + 1 / 12
            area = a * c - b * b
            # An ellipse of half axes p, q has moments p^2 / 4 and q^2 / 4.
            self.form = torch.stack((c, -b, a)) / (4 * area)
            away = self.squared(pixels.double() - self.centre)
        self.half = (16 * area).sqrt().sqrt()  # mean of the half axes
        self.mask = mask & (away <= OUTLINE)
        self.is_full = bool(self.mask.sum() >= FILLED * 4 * torch.pi * area.sqrt())
        self.is_whole = self.is_full and self.is_clear(*steps)
        self.middle, self.radius = self.rows(steps[1].shape[1])
        self.points = self.seen(self.start)
        self.pixels = self.mask.nonzero()[:, 0]
        self.surface = self.seen(pixels[self.pixels].double()).float()
        self.track = outline[self.pixels]
        away = distances(pixels[self.pixels], own)  # [p, n]
        near = away.sort(dim=1, stable=True)[1][:, :AROUND]
        weight = 1 / (away.gather(1, near).square() + BLUNT)
        total = weight[:, 0]
        for other in weight.unbind(1)[1:]:
            total = total + other
        self.near, self.share = members[near], weight / total[:, None]

    def is_clear(self, right: Tensor, down: Tensor) -> bool:
        """Whether colours differ across the outline; right [H, W - 1] and down [H - 1, W]."""
        mask = self.mask.view(right.shape[0], down.shape[1])
        across = right[mask[:, 1:] != mask[:, :-1]], down[mask[1:] != mask[:-1]]
        clear = sum((steps > LEVELS).sum() for steps in across)
        return bool(clear >= CLEAR * sum(len(steps) for steps in across))

    def squared(self, away: Tensor) -> Tensor:
        """Squared distance from the centre in half axes, of away [..., 2] from it."""
        x, y = away.unbind(-1)
        a, b, c = self.form
        return a * x * x + 2 * b * x * y + c * y * y

    def seen(self, places: Tensor) -> Tensor:
        """The points [..., 3] of the solid that the first picture shows at places [..., 2]: it is
        as deep as it is wide there."""
        away = places - self.centre
        x, row = places[..., 0], places[..., 1].long()
        squared = self.radius[row].square() - (x - self.middle[row]).square()
        return torch.cat((away, squared.clamp(min=0).sqrt()[..., None]), -1)

    def rows(self, width: int) -> tuple[Tensor, Tensor]:
        """The middle and the half width of the outline in each row of the picture, [H]; 0 where it
        is not."""
        mask = self.mask.view(-1, width)
        first = mask.int().argmax(1)
        last = width - mask.flip(1).int().argmax(1)
        there = mask.any(1)
        return (first + last).double() / 2, torch.where(there, (last - first).double() / 2, 0.0)

    def pose(self, place: Tensor) -> Pose:
        """Where the solid is when the tracks are at place [N, 2]; `told` by those that agree."""
        place = place[self.members].double()
        told = torch.ones(len(place), dtype=torch.bool)
        for _ in range(1 + REFITS):
            pose = self.fitted(place, told)
            missed = pose.missed[told].sort()[0]
            typical = missed[(len(missed) - 1) // 2]
            agree = pose.missed <= TYPICAL * typical + SPARE
            if agree.sum() < LEAST or torch.equal(agree, told):
                break
            told = agree
        return pose

    def fitted(self, place: Tensor, told: Tensor) -> Pose:
        """Least squares over the tracks `told` [n], place [n, 2]; a little for not turning."""
        points = torch.cat((torch.ones(len(place), 1), self.points), 1)  # [n, 4]
        known, moved = points[told], place[told] - self.centre
        stiff = RIGID * len(known)
        normal = known.T @ known + torch.diag(torch.tensor([0.0, stiff, stiff, stiff]))
        right = known.T @ moved
        right[1, 0] += stiff
        right[2, 1] += stiff
        fit = torch.linalg.solve(normal, right)
        scale = (fit[1:].square().sum() / 2).sqrt()
        predicted = points @ fit
        still = fit[0] + scale * self.points[:, :2]
        return Pose(
            turn=fit[1:],
            centre=fit[0] + self.centre,
            missed=length(predicted - (place - self.centre)),
            told=told,
            scale=scale,
            turned=length(predicted - still).max(),
        )

    def fits(self, pose: Pose, share: float = 1.0) -> bool:
        """Whether the tracks miss by no more than `share` of what those of a solid may."""
        error = pose.missed[pose.told].square().mean().sqrt()
        is_near = error <= share * (FITS * self.half + ROUGH)
        return bool(is_near and GROWN[0] < pose.scale < GROWN[1])

    def turns(self, pose: Pose) -> bool:
        share = TURNED + NEARER * (pose.scale - 1).abs()
        return bool(pose.turned >= share * self.half + STIRRED)

    def moves(self, pose: Pose, place: Tensor) -> Tensor:
        """How far the solid's pixels [p, 2] have moved, with what their tracks, at place [N, 2],
        are off where the solid's points are, if they told where it is."""
        x, y, z = self.surface.unbind(1)
        turn, by = pose.turn.float(), (pose.centre - self.centre).float()
        points = self.points.float()
        off = torch.zeros(len(place), 2)
        mine = place[self.members] - self.start.float()
        mine = mine - self.moved(points[:, 0], points[:, 1], points[:, 2], turn, by)
        off[self.members] = mine * pose.told[:, None]
        moves = self.moved(x, y, z, turn, by)
        for near, share in zip(self.near.unbind(1), self.share.unbind(1), strict=True):
            moves = moves + share[:, None] * off[near]
        return moves

    @staticmethod
    def moved(x: Tensor, y: Tensor, z: Tensor, turn: Tensor, by: Tensor) -> Tensor:
        across = by[0] + (turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z) - x
        down = by[1] + (turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z) - y
        return torch.stack((across, down), 1)

    def first(self, pose: Pose, places: Tensor) -> Tensor:
        """Where in the first picture is what the solid's outline shows at places [..., 2] now, as
        if it had not turned."""
        return self.centre.float() + (places - pose.centre.float()) / pose.scale.float()


class Things:
    """The solids that tracks tell of, as far as they have moved."""

    def __init__(
        self,
        picture: Tensor,
        outline: Tensor,
        pixels: Tensor,
        start: Tensor,
        near: Tensor,
        apart: Tensor,
    ):
        """picture [3, H, W] in [0, 1]; outline [P] of pixels [P, 2] (`outlines`); start [N, 2],
        near [N, k] the tracks that start around each, apart [N, k] how far."""
        self.outline, self.pixels, self.start = outline, pixels, start
        levels = (255 * picture).round()
        self.steps = [
            (b - a).abs().amax(0)
            for a, b in ((levels[:, :, :-1], levels[:, :, 1:]), (levels[:, :-1], levels[:, 1:]))
        ]
        self.near, self.apart = near, apart
        self.solids: list[Solid] = []

    def turned(self, place: Tensor, alone: Tensor) -> list[tuple[Solid, Pose]]:
        """What turns, now that the tracks are at place [N, 2]; `alone` [N] are those that move
        unlike most. For every frame, in order: a solid once found is followed."""
        found = [(s, s.pose(place)) for s in self.solids]
        found = [self.without_lost(s, pose, place) for s, pose in found]
        found = [pair for pair in found if pair is not None and pair[0].fits(pair[1], KEPT)]
        free = alone.clone()
        for solid, _ in found:
            free[solid.members] = False
        for members in self.linked(place - self.start, free):
            solid = self.solid(members)
            pair = self.without_lost(solid, solid.pose(place), place)
            if pair is not None and pair[1].is_one and pair[0].fits(pair[1]):
                found.append(pair)
        for i, pair in enumerate(found):
            found[i] = self.grown(*pair, place, alone, found)
        found = self.joined(found, place)
        self.solids = [solid for solid, _ in found]
        for solid in self.solids:  # once told apart, it stays so
            solid.is_whole |= solid.is_full and self.is_apart(solid, place - self.start)
        return [(s, pose) for s, pose in found if s.is_whole and s.fits(pose) and s.turns(pose)]

    def grown(
        self, solid: Solid, pose: Pose, place: Tensor, alone: Tensor, found: list
    ) -> tuple[Solid, Pose]:
        """A solid with the tracks beside it that move unlike most, are of nothing that was found
        and are where its points are."""
        free = alone.clone()
        for other, _ in found:
            free[other.members] = False
        beside = torch.zeros_like(free)
        beside[self.near[solid.members].flatten()] = True
        others = (beside & free).nonzero()[:, 0]
        if not len(others):
            return solid, pose
        missed = length(pose.of(solid.seen(self.start[others].double())) - place[others].double())
        others = others[missed <= FITS * solid.half + ROUGH]
        if not len(others):
            return solid, pose
        both = self.solid(torch.cat((solid.members, others)).sort()[0])
        told = both.pose(place)
        both.is_whole |= solid.is_whole and both.is_full
        return (both, told) if both.fits(told) else (solid, pose)

    def joined(self, found: list, place: Tensor) -> list:
        """The solids, those that are one joined: side by side they move as one does."""
        for first, (solid, _) in enumerate(found):
            beside = self.near[solid.members].flatten()
            for other in range(first + 1, len(found)):
                if not torch.isin(beside, found[other][0].members).any():
                    continue
                both = self.solid(torch.cat((solid.members, found[other][0].members)).sort()[0])
                pose = both.pose(place)
                if both.is_full and pose.is_one and both.fits(pose, CLOSE):
                    both.is_whole |= solid.is_whole and found[other][0].is_whole
                    rest = found[:other] + found[other + 1 :]
                    rest[first] = both, pose
                    return self.joined(rest, place)
        return found

    def is_apart(self, solid: Solid, move: Tensor) -> bool:
        """Whether the tracks that start beside a solid's do not move with them; move [N, 2]."""
        beside = ~torch.isin(self.near[solid.members], solid.members)
        parted = ~self.close(move)[solid.members] & beside
        return bool(beside.any() and parted.sum() >= PARTED * beside.sum())

    def close(self, move: Tensor) -> Tensor:
        """Which tracks [N, k] of those near each part from it by little; move [N, 2]."""
        return length(move[self.near] - move[:, None]) <= self.apart + LINKED

    def solid(self, members: Tensor) -> Solid:
        return Solid(members, self.start, self.outline, self.pixels, self.steps)

    def without_lost(self, solid: Solid, pose: Pose, place: Tensor) -> tuple[Solid, Pose] | None:
        """A solid without tracks that turn out to be of something else; None if few are left."""
        lost = pose.missed > LOST * solid.half + 1
        if not lost.any():
            return solid, pose
        if (~lost).sum() < LEAST:
            return None
        solid = self.solid(solid.members[~lost])
        return solid, solid.pose(place)

    def linked(self, move: Tensor, free: Tensor) -> list[Tensor]:
        """The free tracks [N] that are linked, enough of them, by neighbours that part by little;
        move [N, 2]."""
        label = connected(self.near, self.close(move) & free[:, None] & free[self.near])
        groups = [(free & (label == first)).nonzero()[:, 0] for first in label[free].unique()]
        return [members for members in groups if len(members) >= LEAST]


def connected(near: Tensor, link: Tensor) -> Tensor:
    """Of each track the lowest number of a track that it is linked to, directly or not, [N]; near
    [N, k] numbers, link [N, k] which of them are linked."""
    one, column = link.nonzero(as_tuple=True)
    other = near[one, column]
    label = torch.arange(len(near))
    while True:
        least = label.clone()
        least.scatter_reduce_(0, one, label[other], "amin")
        least.scatter_reduce_(0, other, label[one], "amin")
        if torch.equal(least, label):
            return label
        label = least


def distances(a: Tensor, b: Tensor) -> Tensor:
    """[..., A, B] of places a [..., A, 2], b [..., B, 2]."""
    return length(a[..., :, None, :] - b[..., None, :, :])


def length(x: Tensor) -> Tensor:
    """[...] of x [..., 2]."""
    return (x[..., 0].square() + x[..., 1].square()).sqrt()
