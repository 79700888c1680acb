"""How the objects that the network draws look as pixels, which only training asks.

The two of `sight.py` look at latents through so much noise that a ragged outline is lost in it: of
objects that were drawn before there was this network they took 93 % for the shape that was asked
for, a classifier of pixels 78 %. This one looks at an object's pixels, as the autoencoder decodes
them, and says which shape it has, or that it was drawn (Salimans et al. 2016, 1606.03498).
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from world.scene import SHAPES

SIDE = 12  # cells of a piece
FEWEST = 3  # points of an object that is looked at
HAZE = 0.15  # most noise that pixels of -1..1 are seen through
WIDTHS = (32, 64, 96, 96)  # each at half the size of the one before
DRAWN = len(SHAPES)  # what is said of objects that were drawn


class Pieces:
    """Where to look: of each row of a Named that counts, around one of its objects."""

    def __init__(self, named, size, cell):
        """`size` (h, w) of the latents, at least SIDE; `cell`: pixels of a cell."""
        self.places, shapes, marks = [], [], []
        for row in range(len(named.owner)):
            owner = named.owner[row]
            there = [i for i in owner[owner > 0].unique() if (owner == i).sum() >= FEWEST]
            if not there or not named.counts[row]:
                continue
            at = owner == there[int(torch.randint(len(there), ()))]
            y, x = named.row[row][at], named.column[row][at]
            top, left = (
                min(max((int(v.min() + v.max()) + 1 - SIDE) // 2, 0), most - SIDE)
                for v, most in zip((y, x), size, strict=True)
            )
            y, x = y - top, x - left
            inside = (y >= 0) & (y < SIDE) & (x >= 0) & (x < SIDE)
            mark = torch.zeros(1, SIDE, SIDE, device=owner.device)
            mark[0, y[inside], x[inside]] = 1.0
            self.places.append((row, top, left))
            shapes.append(int(named.what[row][at][0, 1]) - 1)
            marks.append(mark)
        self.shapes = torch.tensor(shapes, dtype=torch.long, device=named.owner.device)
        self.drawn = torch.full_like(self.shapes, DRAWN)
        self.marks = F.interpolate(torch.stack(marks), scale_factor=cell) if marks else None

    def of(self, vae, latents):
        """The pieces [n, 4, ...] of latents [B, C, h, w]: red, green, blue of -1..1, and 1 where
        cells have points of the object."""
        if not self.places:
            return latents.new_zeros(0, 4, 1, 1)
        cut = [latents[row, :, y : y + SIDE, x : x + SIDE] for row, y, x in self.places]
        pixels = vae.decode(torch.stack(cut)[:, None], clamp=False)[:, 0]
        return torch.cat((2 * pixels - 1, self.marks), 1)


class Likeness(nn.Module):
    """Logits [n, shapes + 1] of pieces [n, 4, ...]."""

    def __init__(self):
        super().__init__()
        layers, before = [], 4
        for width in WIDTHS:
            for entry in (
                nn.Conv2d(before, width, 4, stride=2, padding=1),
                nn.Conv2d(width, width, 3, padding=1),
            ):
                layers += [entry, nn.GroupNorm(8, width), nn.SiLU()]
            before = width
        self.layers = nn.Sequential(*layers)
        self.leave = nn.Linear(2 * before, len(SHAPES) + 1)

    def forward(self, pieces):
        x = self.layers(pieces)
        return self.leave(torch.cat((x.mean((2, 3)), x.amax((2, 3))), 1))

    def loss(self, pieces, says, log, name, learn):
        """Cross entropy, a mean, of what this says [n] of pieces [n, 4, ...]; of these weights if
        they `learn`, else of the pixels."""
        if not len(pieces):
            return pieces.sum()
        amount = HAZE * torch.rand(len(pieces), 1, 1, 1, device=pieces.device)
        haze = amount * torch.randn_like(pieces[:, :3])
        seen = torch.cat((pieces[:, :3] + haze, pieces[:, 3:]), 1)
        mirror = torch.rand(len(pieces), 1, 1, 1, device=pieces.device) < 0.5
        own = {k: v if learn else v.detach() for k, v in self.named_parameters()}
        logits = functional_call(self, own, (torch.where(mirror, seen.flip(3), seen),)).float()
        log.add(f"{name} likeness", (logits.argmax(1) == says).float().mean().item())
        return F.cross_entropy(logits, says)
