"""How the objects that the network draws look as pixels, which only training asks.

The two of `sight.py` look at latents through so much noise that a ragged outline is lost in it: of
objects that were drawn before there was this network they took 93 % for the shape that was asked
for, a classifier of pixels 78 %. This one looks at an object's pixels, as the autoencoder decodes
them, and says which shape it has, or that it was drawn (Salimans et al. 2016, 1606.03498),
and which colour. What lies around the object it does not see: to tell true from drawn by the ground
would teach nothing about the object.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from world.scene import COLOURS, SHAPES

SIDE = 12  # cells of a piece
FEWEST = 3  # points of an object that is looked at
REACH = 2  # cells between points of an object that are taken for cells of it
CLEAR = 0.6  # highest noise level whose estimates are looked at
HAZE = 0.15  # most noise that pixels of -1..1 are seen through
WIDTHS = (32, 64, 96, 96)  # each at half the size of the one before
DRAWN = len(SHAPES)  # the shape that is said of objects that were drawn,
NONE = -100  # and their colour: not asked


class Pieces:
    """Where to look: of each row of a Named that counts, around one of its objects."""

    def __init__(self, named, size, cell):
        """`size` (h, w) of the latents, at least SIDE; `cell`: pixels of a cell."""
        device, named = named.owner.device, named.to("cpu")  # number by number
        self.places, says, marks = [], [], []
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
            mark = torch.zeros(1, SIDE, SIDE)
            mark[0, y[inside], x[inside]] = 1.0
            self.places.append((row, top, left))
            says.append(named.what[row][at][0] - 1)
            marks.append(mark)
        true = torch.stack(says) if says else named.what[0, :0]
        self.true = true.to(device)  # [n, 2], colours and shapes
        self.drawn = self.true.new_tensor((NONE, DRAWN)).expand_as(self.true)
        if marks:
            cells = F.max_pool2d(torch.stack(marks), 2 * REACH + 1, 1, REACH)
            cells = -F.max_pool2d(-cells, 2 * REACH - 1, 1, REACH - 1)
            self.cells = F.interpolate(cells, scale_factor=cell).to(device)

    def of(self, vae, latents):
        """The pieces [n, 4, ...] of latents [B, C, h, w]: red, green, blue of -1..1, and 1 in the
        object's cells and the next ones; 0 elsewhere."""
        if not self.places:
            return latents.new_zeros(0, 4, 1, 1)
        cut = [latents[row, :, y : y + SIDE, x : x + SIDE] for row, y, x in self.places]
        pixels = vae.decode(torch.stack(cut)[:, None], clamp=False)[:, 0]
        return torch.cat(((2 * pixels - 1) * self.cells, self.cells), 1)


class Likeness(nn.Module):
    """Logits of pieces [n, 4, ...]: of colours, [n, colours], and of shapes, [n, shapes + 1]."""

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
        self.leave = nn.Linear(2 * before, len(COLOURS) + len(SHAPES) + 1)

    def forward(self, pieces):
        x = self.layers(pieces)
        x = self.leave(torch.cat((x.mean((2, 3)), x.amax((2, 3))), 1))
        return x.split((len(COLOURS), len(SHAPES) + 1), 1)

    def loss(self, pieces, says, log, name, learn):
        """Cross entropy, a mean, of what this says of pieces [n, 4, ...], when asked for colour and
        shape `says` [n, 2]; of these weights if they `learn`, else of the pixels."""
        if not len(pieces):
            return pieces.sum()
        amount = HAZE * torch.rand(len(pieces), 1, 1, 1, device=pieces.device)
        haze = amount * torch.randn_like(pieces[:, :3]) * pieces[:, 3:]
        seen = torch.cat((pieces[:, :3] + haze, pieces[:, 3:]), 1)
        mirror = torch.rand(len(pieces), 1, 1, 1, device=pieces.device) < 0.5
        own = {k: v if learn else v.detach() for k, v in self.named_parameters()}
        answers = functional_call(self, own, (torch.where(mirror, seen.flip(3), seen),))
        total = 0.0
        for kind, logits, said in zip(("colours", "likeness"), answers, says.T, strict=True):
            if (said != NONE).all():
                right = (logits.argmax(1) == said).float().mean()
                log.add(f"{name} as pixels {kind}", right.item())
                total = total + F.cross_entropy(logits.float(), said)
        return total
