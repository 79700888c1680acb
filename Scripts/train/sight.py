"""How the estimates of the network that draws look to others: two small convolutional networks,
which only training has.

The flow's loss hardly asks whether a sphere looks like one: shading and outline are few numbers
among many, and where they are uncertain its best answer is a blur. So one network names the colour
and the shape at points of an estimate, knowing neither its prompt nor its tracks (Sight); the other
is told the names and where the objects' points are, and tells drawn objects from true ones
(Discriminator). Both see through noise, so that what convinces them must be large, not a pattern
that nobody else sees.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from .naming import KINDS

WIDTH = 96
DILATIONS = (1, 2, 4, 2, 1)  # an object is up to a dozen cells wide
NOISE = (0.1, 1.0)  # least and most that names are seen through, in deviations of the latents
HAZE = (0.05, 0.7)  # and objects


class Look(nn.Module):
    """Logits [B, outputs, h, w] of pictures [B, C, h, w], h and w even."""

    def __init__(self, channels, outputs):
        super().__init__()
        self.enter = nn.Conv2d(channels, WIDTH, 4, stride=2, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(8, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=d, dilation=d)
            )
            for d in DILATIONS
        )
        self.leave = nn.Conv2d(WIDTH, 4 * outputs, 1)

    def forward(self, latents):
        x = self.enter(latents)
        for layer in self.layers:
            x = x + layer(x)
        return F.pixel_shuffle(self.leave(F.silu(x)), 2)

    def seen(self, pictures, learn):
        """The logits; gradients reach these weights if they `learn`, else only the pictures."""
        own = {k: v if learn else v.detach() for k, v in self.named_parameters()}
        return functional_call(self, own, (pictures,)).float()


def hazy(latents, deviation, least, most):
    """Latents [B, C, h, w] in their deviations, through noise."""
    amount = torch.empty(len(latents), 1, 1, 1, device=latents.device).uniform_(least, most)
    return latents / deviation + amount * torch.randn_like(latents)


class Sight(Look):
    """Names what it sees. It learns from true latents only."""

    def __init__(self, channels):
        super().__init__(channels, sum(KINDS))

    def loss(self, latents, deviation, named, counts, log, name, learn):
        """Cross entropy at the points of Named, a mean over all rows of those that count [B]; of
        these weights if they `learn`, else of the latents."""
        logits = self.seen(hazy(latents, deviation, *NOISE), learn).flatten(2)
        at = (named.row * latents.shape[-1] + named.column)[:, None]
        on = (named.owner > 0) & counts[:, None]
        total = 0.0
        for i, (part, what) in enumerate(
            zip(logits.split(KINDS, 1), named.what.unbind(-1), strict=True)
        ):
            part = part.gather(2, at.expand(-1, part.shape[1], -1))
            error = F.cross_entropy(part, what, reduction="none")
            total = total + (error * counts[:, None]).mean()
            if on.any():
                right = (part.argmax(1) == what)[on].float().mean()
                log.add(f"{name} {('colours', 'shapes')[i]}", right.item())
        return total


class Discriminator(Look):
    """Tells objects that were drawn from true ones, knowing their names and where their points are.
    Of what is around them it sees a cell: grounds are drawn without their patterns."""

    def __init__(self, channels):
        super().__init__(channels + 1 + sum(KINDS), 1)

    def loss(self, latents, deviation, objects, named, true, log, name, learn):
        """How wrong it is to take latents for `true` ones or not, at the cells [B, h, w] that are
        of `objects` of rows that count."""
        objects = (objects * named.counts[:, None, None])[:, None]
        names = name_map(named, latents.shape[-2:])
        seen = hazy(latents, deviation, *HAZE) * objects
        logits = self.seen(torch.cat((seen, objects, names), 1), learn)
        share = objects / objects.sum().clamp(min=1)
        log.add(name, ((logits > 0) * share).sum().item())
        return (F.softplus(-logits if true else logits) * share).sum()


def name_map(named, size):
    """What is at the points of a Named as maps [B, sum(KINDS), h, w] of zeros and ones."""
    h, w = size
    at = (named.row * w + named.column)[:, None]
    on = named.owner > 0
    maps = []
    for kind, what in zip(KINDS, named.what.unbind(-1), strict=True):
        what = (F.one_hot(what, kind) * on[..., None]).transpose(1, 2).float()
        blank = what.new_zeros(len(what), kind, h * w)
        maps.append(blank.scatter_reduce(2, at.expand_as(what), what, "amax"))
    return torch.cat(maps, 1).unflatten(2, (h, w))


def misnamed(named, most=8):
    """A Named whose objects, fewer than `most` a row, are told to have other shapes."""
    colour, shape = named.what.unbind(-1)
    kinds = KINDS[1] - 1
    other = torch.randint(1, kinds, (len(shape), most), device=shape.device)
    other = other.gather(1, named.owner.clamp(min=0))
    shape = torch.where(named.owner > 0, (shape - 1 + other) % kinds + 1, shape)
    return replace(named, what=torch.stack((colour, shape), -1))
