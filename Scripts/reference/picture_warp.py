"""The first picture, moved frame by frame as the tracks move: image rule "channels", tail "tracks".

Wan-Move (2512.08765, section 3.2) moves the first latent by whole latent frames. Here the pixels
are moved, frame by frame, and the frames are encoded: what the tracks do within a latent frame and
within a cell is in the image channels then.

Each pixel of the first picture is owned by the track whose start is nearest along the picture,
where a step costs more the more colours differ, so that owners end where objects do. It moves as
its owner does, with the turning and growing of the tracks around. A pixel of a later frame shows
the pixel that comes to it: it tries the tracks near it, the seen ones first, and looks whether what
they bring is theirs. Tracks of something that turns (`things`) take its pixels along as one, and
its outline stays whole. What nothing comes to is filled from around, from what moves as most does.

Letters: H W picture size, P = H*W pixels (places at their centres), N tracks.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .ground import Ground
from .hull import enclosed
from .things import Pose, Solid, Things, distances, length
from .track_encoder import on_canvas

EDGE = 1  # cost of a step for every level, of 255, that colours differ; a step costs 5 a pixel
SHARP = 3  # the same where outlines are looked for
NEIGHBOURS = 8  # tracks around a track that tell how it turns and grows ...
STRAIN = 0.3  # ... unless they part by more than this share of their distance,
PARTS = 6.0  # or by more than so many pixels: then they are on different things
STIFF = 16.0  # square pixels; so few or near tracks say little about turning
TRIED = 4  # tracks near a pixel that are tried
HIDDEN = 16.0  # pixels that hidden tracks count as further away
MISSES = 1.5  # pixels that what comes to a pixel may miss it by
FRONT = 1e-3  # weight of what does not, for filling
REFITS, TYPICAL = 8, 4.0  # rounds of finding how most moves; misses, squared, that tell little
APART = 2.0  # pixels that what moves as most does may differ by
AROUND = 16.0  # pixels around a track that moves unlike most that show its surroundings ...
BEFORE = 12.0  # pixels around a track that is seen before an outline that show what it is on
SLACK = 2.0  # ... as far as they part from it by no more than their distance and so many pixels


def owners(picture: Tensor, start: Tensor, reach: float) -> Tensor:
    """The number of the track that owns each pixel, [P], or -1. picture [3, H, W] in [0, 1], start
    [N, 2] on it; reach in pixels of the cheapest path. Costs are whole numbers: paths of equal
    cost go to the first track."""
    _, H, W = picture.shape
    seeds, unit = torch.full((H * W,), len(start)), max(1, len(start))
    cells = start[:, 1].long() * W + start[:, 0].long()
    seeds.scatter_reduce_(0, cells, torch.arange(len(start)), "amin")
    keys = cheapest(picture, seeds, unit, EDGE)
    return torch.where(keys <= math.floor(5 * reach) * unit + unit - 1, keys % unit, -1)


def outlines(picture: Tensor, start: Tensor) -> Tensor:
    """The number of the track that each pixel is of, [P], or N: those that are nearer, along the
    picture, to its border than to a track."""
    _, H, W = picture.shape
    seeds, unit = torch.full((H, W), len(start) + 1), len(start) + 1
    seeds[0], seeds[-1], seeds[:, 0], seeds[:, -1] = (len(start),) * 4
    cells = start[:, 1].long() * W + start[:, 0].long()
    seeds = seeds.flatten().scatter_reduce(0, cells, torch.arange(len(start)), "amin")
    return cheapest(picture, seeds, unit, SHARP) % unit


def cheapest(picture: Tensor, seeds: Tensor, unit: int, edge: int) -> Tensor:
    """Cost * unit + number of the cheapest path from a seed to each pixel, [P]; seeds [P], numbers
    below unit, others are none."""
    _, H, W = picture.shape
    levels = (255 * picture).round().long()
    far = torch.iinfo(torch.int64).max // 4
    keys = torch.where(seeds < unit, seeds, far)
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    around = F.pad(levels, (1, 1, 1, 1), value=10**6)  # no way from beyond the border
    costs = [
        (7 if y and x else 5) + edge * (levels - shifted(around, y, x)).abs().amax(0)
        for y, x in steps
    ]
    keys = keys.view(H, W)
    while True:
        beside = F.pad(keys, (1, 1, 1, 1), value=far)
        nearer = keys
        for (y, x), cost in zip(steps, costs, strict=True):
            nearer = torch.minimum(nearer, shifted(beside, y, x) + cost * unit)
        if torch.equal(nearer, keys):
            return keys.flatten()
        keys = nearer


def shifted(padded: Tensor, y: int, x: int) -> Tensor:
    """The neighbours at (y, x) of a map [..., H, W] that is padded by one on all sides."""
    H, W = padded.shape[-2] - 2, padded.shape[-1] - 2
    return padded[..., 1 + y : 1 + y + H, 1 + x : 1 + x + W]


def in_order(x: Tensor) -> Tensor:
    """The sum of x [N, k, ...] over k, one after the other: what is compared with limits must not
    depend on who adds it up."""
    total = x.new_zeros(x.shape[:1] + x.shape[2:])
    for part in x.unbind(1):
        total = total + part
    return total


def unlike(moves: Tensor, usual: Tensor) -> Tensor:
    """Which moves [..., 2] are not the usual ones [..., 2]."""
    x, y = (moves - usual).unbind(-1)
    return x.square() + y.square() > APART**2


class PictureWarp:
    """A first picture that tracks move."""

    def __init__(self, picture: Tensor, start: Tensor, seen: Tensor, reach: float, cell: int):
        """picture [3, H, W] in [0, 1]; start [N, 2] in its pixels, seen [N]: only tracks that are
        seen on it count. `cell`: pixels, in squares of which the tracks to try are the same."""
        _, H, W = picture.shape
        self.tracks = ((seen != 0) & (on_canvas(start, (H, W)) > 0)).nonzero()[:, 0]
        self.picture, self.size = picture, (H, W)
        self.start = start[self.tracks].float()
        y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
        self.pixels = torch.stack((x, y), -1).view(-1, 2) + 0.5  # [P, 2]
        u, v = (self.pixels / torch.tensor((W, H)) * 2 - 1).double().unbind(1)
        self.terms = torch.stack((torch.ones_like(u), u, v, u * u, u * v, v * v), 1)  # [P, 6]
        if not len(self.tracks):
            return
        count = min(NEIGHBOURS, len(self.start) - 1)
        apart, order = distances(self.start, self.start).sort(dim=1, stable=True)
        self.near, self.apart = order[:, 1 : 1 + count], apart[:, 1 : 1 + count]
        self.between = self.start[self.near] - self.start[:, None]  # [N, k, 2]
        outline = outlines(picture, self.start)
        self.things = Things(picture, outline, self.pixels, self.start, self.near, self.apart)
        owner = owners(picture, self.start, reach)
        self.ground = Ground(picture, self.pixels, owner, self.start, self.near, self.apart)
        self.own()
        rows, columns = -(-H // cell), -(-W // cell)
        self.square = y.flatten() // cell * columns + x.flatten() // cell
        v, u = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        self.centres = (torch.stack((u, v), -1).view(-1, 2) + 0.5) * cell

    def own(self) -> None:
        self.owned = self.ground.owner >= 0
        self.owner = self.ground.owner.clamp(min=0)
        self.from_start = self.pixels - self.start[self.owner]

    def gradients(self, move: Tensor) -> Tensor:
        """How moves [N, 2] change with the place around each track, [N, 2, 2]: least squares over
        its neighbours."""
        parts = move[self.near] - move[:, None]
        weight = (length(parts) <= (STRAIN * self.apart).clamp(max=PARTS) + 0.5).float() / (
            self.apart + 4
        )
        dx, dy = self.between.unbind(-1)
        a = in_order(weight * dx * dx) + STIFF
        b = in_order(weight * dx * dy)
        c = in_order(weight * dy * dy) + STIFF
        by_x = in_order(weight[..., None] * parts * dx[..., None])  # [N, 2]
        by_y = in_order(weight[..., None] * parts * dy[..., None])
        scale = (a * c - b * b)[:, None]
        along_x = (c[:, None] * by_x - b[:, None] * by_y) / scale
        along_y = (a[:, None] * by_y - b[:, None] * by_x) / scale
        return torch.stack((along_x, along_y), -1)

    def at(self, places: Tensor) -> Tensor:
        """The numbers of the pixels that places [..., 2] are in, or of the nearest."""
        H, W = self.size
        x, y = places.floor().long().unbind(-1)
        return y.clamp(0, H - 1) * W + x.clamp(0, W - 1)

    def frame(self, place: Tensor, visible: Tensor) -> Tensor:
        """The picture [3, H, W] when the tracks are at place [N, 2], visible [N] (those outside it
        are not). For every frame, in order."""
        if not len(self.tracks):
            return self.picture
        H, W = self.size
        place, visible = place[self.tracks].float(), visible[self.tracks] != 0
        visible &= on_canvas(place, self.size) > 0
        move = place - self.start
        moves = self.moves(move)
        most = self.usual(moves)
        alone = unlike(move, most[self.at(self.start)])
        if self.ground.look(move, alone):
            self.own()
            moves = self.moves(move)
        # In front is what is seen now, first what moves unlike most; then what nothing moves, and
        # what is hidden.
        seen = visible.index_select(0, self.owner)
        level = torch.where(self.owned, torch.where(seen, 2 + unlike(moves, most).long(), 0), 1)
        turning = self.things.turned(place, alone)
        for solid, _ in turning:  # what is beside their outlines does not turn with them
            mine = torch.zeros(len(place), dtype=torch.bool)
            mine[solid.members] = True
            beside = self.owned & mine.index_select(0, self.owner)
            moves[beside], level[beside] = most[beside], 1
        for solid, pose in turning:
            moves[solid.pixels] = solid.moves(pose, place)
            level[solid.pixels] = 3 * visible.index_select(0, solid.track).long()
        torn = self.torn(moves)

        away = distances(self.centres, place) + HIDDEN * (~visible)
        tried = away.sort(dim=1, stable=True)[1][:, :TRIED]  # [squares, K]
        source, best = self.pixels.clone(), torch.full((H * W,), -1)
        left = torch.arange(H * W)
        for k in range(tried.shape[1] + 1):
            here, better = self.pixels.index_select(0, left), best.index_select(0, left) < 2
            comes = here
            if k < tried.shape[1]:
                track = tried[:, k].index_select(0, self.square.index_select(0, left))
                comes = here - move.index_select(0, track)
                better |= alone.index_select(0, track)
            for _ in range(2):
                comes = here - moves.index_select(0, self.at(comes))
            at = self.at(comes)
            missed = comes + moves.index_select(0, at) - here
            better &= self.inside(comes)
            better &= missed[:, 0].square() + missed[:, 1].square() <= MISSES**2
            better &= ~torn.index_select(0, at)
            better &= level.index_select(0, at) > best.index_select(0, left)
            found = better.nonzero()[:, 0]
            chosen, at = left.index_select(0, found), at.index_select(0, found)
            source.index_copy_(0, chosen, comes.index_select(0, found))
            best.index_copy_(0, chosen, level.index_select(0, at))
            left = left.index_select(0, (best.index_select(0, left) < 3).nonzero()[:, 0])
        for solid, pose in turning:
            found, comes = self.outlined(left, solid, pose, place, visible)
            source.index_copy_(0, found, comes)
            best.index_fill_(0, found, 3)
            left = left.index_select(0, (best.index_select(0, left) < 3).nonzero()[:, 0])
        for solid, _ in turning:
            alone[solid.members] = False
        for members in self.ground.groups(move):
            if alone[members].any():
                found, comes = self.enclosed(left, members, place, visible)
                source.index_copy_(0, found, comes)
                best.index_fill_(0, found, 3)
                left = left.index_select(0, (best.index_select(0, left) < 3).nonzero()[:, 0])
        found, comes = self.around(left, tried, place, visible, move, alone)
        source.index_copy_(0, found, comes)
        best.index_fill_(0, found, 3)
        return self.filled(self.read(self.picture, source), source, best >= 0, most)

    def moves(self, move: Tensor) -> Tensor:
        """How far pixels [P, 2] move with their owners, which move by move [N, 2]."""
        x, y = self.from_start.unbind(1)
        # Of each track: move, then how it changes along x and along y.
        told = torch.cat((move, self.gradients(move).transpose(1, 2).flatten(1)), 1).T
        told = told.index_select(1, self.owner)  # [6, P]
        across = told[0] + (told[2] * x + told[4] * y)
        down = told[1] + (told[3] * x + told[5] * y)
        return torch.stack((across, down), 1) * self.owned[:, None]

    def outlined(
        self, left: Tensor, solid: Solid, pose: Pose, place: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Which of the pixels `left` [M] are in the outline of a solid now, and the places [., 2]
        in the first picture that they show: those that are there in the outline, but for pixels
        near a track that is seen before it."""
        here = self.pixels.index_select(0, left)
        comes = solid.first(pose, here)
        shown = self.inside(comes) & solid.mask.index_select(0, self.at(comes))
        first = solid.first(pose, place)
        before = visible & self.inside(first) & solid.mask.index_select(0, self.at(first))
        before[solid.members] = False
        if before.any():
            mine = torch.zeros_like(visible)
            mine[solid.members] = visible[solid.members]
            near = distances(here, place[before]).amin(1)
            own = near.new_full(near.shape, BEFORE)
            if mine.any():
                own = distances(here, place[mine]).amin(1).clamp(max=BEFORE)
            shown &= near >= own
        shown = shown.nonzero()[:, 0]
        return left.index_select(0, shown), comes.index_select(0, shown)

    def enclosed(
        self, left: Tensor, members: Tensor, place: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Which of the pixels `left` [M] tracks `members` [n] of a thing enclose, and the places
        [., 2] in the first picture that they show: what the nearest of these brings, or what it is
        on; but for pixels near a track that is seen before it."""
        mine = place[members]
        here = self.pixels.index_select(0, left)
        shown = enclosed(here, mine)
        left, here = left[shown], here[shown]
        away, nearest = distances(here, mine).min(1)
        nearest = members[nearest]
        shown = away <= self.ground.reach(place)[nearest]
        before = visible & enclosed(place, mine)
        before[members] = False
        if before.any():
            own = away.new_full(away.shape, BEFORE)
            seen = members[visible[members]]
            if len(seen):
                own = distances(here, place[seen]).amin(1).clamp(max=BEFORE)
            shown &= distances(here, place[before]).amin(1) >= own
        left, here, nearest = left[shown], here[shown], nearest[shown]
        comes = here - (place - self.start)[nearest]
        thing = self.ground.thing
        at = self.at(comes)
        is_own = self.inside(comes) & self.owned[at] & (thing[self.owner[at]] == thing[nearest])
        return left, torch.where(is_own[:, None], comes, self.start[nearest])

    def inside(self, places: Tensor) -> Tensor:
        """Which places [..., 2] are on the picture."""
        H, W = self.size
        x, y = places.unbind(-1)
        return (x >= 0) & (y >= 0) & (x < W) & (y < H)

    def around(
        self,
        left: Tensor,
        tried: Tensor,
        place: Tensor,
        visible: Tensor,
        move: Tensor,
        alone: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Which of the pixels `left` [M] show what is around a track that moves unlike most and is
        of nothing that turns (`alone` [N]), and the places [., 2] in the first picture that they
        show: of the tracks `tried` [squares, K] the one nearest to a pixel, where what it brings is
        of its thing."""
        here = self.pixels.index_select(0, left)
        near = tried.index_select(0, self.square.index_select(0, left))  # [M, K]
        away = distances(here[:, None], place[near])[:, 0] + HIDDEN * (~visible[near])
        nearest = near.gather(1, away.argmin(1, keepdim=True))[:, 0]
        comes = here - move.index_select(0, nearest)
        owner = self.owner.index_select(0, self.at(comes))
        parted = length(move.index_select(0, owner) - move.index_select(0, nearest))
        apart = length(self.start.index_select(0, owner) - self.start.index_select(0, nearest))
        shown = alone.index_select(0, nearest) & alone.index_select(0, owner)
        shown &= self.owned.index_select(0, self.at(comes))
        shown &= length(here - place.index_select(0, nearest)) <= AROUND
        shown &= parted <= apart + SLACK
        shown &= self.inside(comes)
        shown = shown.nonzero()[:, 0]
        return left.index_select(0, shown), comes.index_select(0, shown)

    def torn(self, moves: Tensor) -> Tensor:
        """The pixels [P] beside which something moves another way, moves [P, 2]: their colours mix
        what parts."""
        H, W = self.size
        field = F.pad(moves.T.reshape(1, 2, H, W), (1, 1, 1, 1), mode="replicate")[0]
        beside = [shifted(field, y, x) for y, x in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))]
        most, least = beside[0], beside[0]
        for other in beside[1:]:
            most, least = torch.maximum(most, other), torch.minimum(least, other)
        return ((most - least) > APART).any(0).flatten()

    def read(self, picture: Tensor, source: Tensor) -> Tensor:
        """picture [C, H, W] at places source [P, 2], bilinear, the border repeated; [C, H, W]."""
        H, W = self.size
        x = (source[:, 0] - 0.5).clamp(0, W - 1)
        y = (source[:, 1] - 0.5).clamp(0, H - 1)
        left, top = x.floor(), y.floor()
        u, v = x - left, y - top
        left, top = left.long(), top.long()
        right, bottom = (left + 1).clamp(max=W - 1), (top + 1).clamp(max=H - 1)
        flat = picture.flatten(1)

        def pick(row, column):
            return flat.index_select(1, row * W + column)

        upper = pick(top, left) * (1 - u) + pick(top, right) * u
        lower = pick(bottom, left) * (1 - u) + pick(bottom, right) * u
        return (upper * (1 - v) + lower * v).view(-1, H, W)

    def usual(self, moves: Tensor) -> Tensor:
        """How far what moves as most does moves, at each pixel [P, 2]: a quadratic function of the
        place, which those tell that agree (Geman and McClure 1987)."""
        H, W = self.size
        near = torch.arange(H * W).view(H, W)[::8, ::8].flatten()
        told, terms = moves[near].double(), self.terms[near]
        middle = told.sort(0)[0][(len(told) - 1) // 2]
        fit = torch.zeros(terms.shape[1], 2, dtype=torch.float64)
        fit[0] = middle
        stiff = 1e-3 * len(near) * torch.eye(terms.shape[1], dtype=torch.float64)
        for _ in range(REFITS):
            missed = (told - terms @ fit).square().sum(1)
            typical = TYPICAL * missed.sort()[0][(len(missed) - 1) // 2]
            weight = (1 + missed / typical.clamp(min=APART**2)).pow(-2)
            known = terms * weight[:, None]
            fit = torch.linalg.solve(known.T @ terms + stiff, known.T @ told + stiff @ fit)
        return (self.terms @ fit).float()

    def filled(self, frame: Tensor, source: Tensor, held: Tensor, most: Tensor) -> Tensor:
        """frame [3, H, W] with its pixels that are not held [P] filled: averages over squares of 2,
        4, 8, ... pixels, the smallest that hold something to tell, and the ground's texture."""
        H, W = self.size
        at = self.at(source)
        common = ~unlike(self.pixels - source, most[at]) & ~self.ground.hidden[at]
        weight = torch.where(held, torch.where(common, 1.0, FRONT), 0.0).view(1, H, W)
        levels = [(frame * (weight > 0), weight)]
        while max(levels[-1][1].shape) > 1:
            colour, weight = levels[-1]
            total = pooled(weight)
            mean = pooled(colour * weight) / total.clamp(min=1e-30)
            levels.append((mean, total.clamp(max=1)))
        coarse = levels[-1][0]
        for colour, weight in reversed(levels[:-1]):
            h, w = weight.shape[1:]
            wide = widened(widened(coarse, 1), 2)[:, :h, :w]
            coarse = weight * colour + (1 - weight) * wide
        behind = self.pixels - most[self.at(self.pixels - most)]
        x, y = (reflected(v, n) for v, n in zip(behind.unbind(1), (W, H), strict=True))
        coarse = coarse + self.read(self.ground.texture, torch.stack((x, y), 1))
        coarse = coarse.clamp(0, 1)
        return torch.where(held.view(1, H, W), frame, coarse)


def reflected(x: Tensor, size: int) -> Tensor:
    """Coordinates x, mirrored once where they are beyond 0 or size."""
    x = x.abs()
    return torch.where(x > size, 2 * size - x, x)


def widened(x: Tensor, axis: int) -> Tensor:
    """x with twice as many pixels along an axis, linear, the border repeated."""
    near = torch.arange(x.shape[axis])
    before, after = near.sub(1).clamp(min=0), near.add(1).clamp(max=len(near) - 1)
    parts = [0.75 * x + 0.25 * x.index_select(axis, other) for other in (before, after)]
    return torch.stack(parts, axis + 1).flatten(axis, axis + 1)


def pooled(x: Tensor) -> Tensor:
    """Sums over 2x2 pixels of x [C, H, W], which may end within one."""
    x = F.pad(x, (0, x.shape[2] % 2, 0, x.shape[1] % 2))
    rows = x[:, ::2] + x[:, 1::2]
    return rows[..., ::2] + rows[..., 1::2]
