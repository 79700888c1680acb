"""What a picture shows to someone who knows neither its prompt nor its tracks: while the network
draws, a small convolutional network names the colour and the shape at points of its estimates.

The flow's loss hardly asks whether a sphere looks like one: shading and outline are few numbers
among many. Sight learns from true latents only, and always sees through noise, so that what
convinces it must be large, not a pattern that nobody else sees. Only training has this.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from .naming import KINDS

WIDTH = 96
DILATIONS = (1, 2, 4, 2, 1)  # an object is up to a dozen cells wide
NOISE = (0.1, 1.0)  # least and most that it sees through, in deviations of the latents


class Sight(nn.Module):
    """Logits [B, sum(KINDS), h, w] of latents [B, C, h, w], h and w even."""

    def __init__(self, channels):
        super().__init__()
        self.enter = nn.Conv2d(channels, WIDTH, 4, stride=2, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(8, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=d, dilation=d)
            )
            for d in DILATIONS
        )
        self.leave = nn.Conv2d(WIDTH, 4 * sum(KINDS), 1)

    def forward(self, latents):
        x = self.enter(latents)
        for layer in self.layers:
            x = x + layer(x)
        return F.pixel_shuffle(self.leave(F.silu(x)), 2)

    def loss(self, latents, deviation, named, counts, log, name, learn):
        """Cross entropy at the points of Named, a mean over all rows of those that count [B]; of
        these weights if they `learn`, else of the latents."""
        amount = torch.empty(len(latents), 1, 1, 1, device=latents.device).uniform_(*NOISE)
        seen = latents / deviation + amount * torch.randn_like(latents)
        own = {k: v if learn else v.detach() for k, v in self.named_parameters()}
        logits = functional_call(self, own, (seen,)).float().flatten(2)
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
