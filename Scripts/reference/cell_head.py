"""A head that sees every cell of the latents, after the transformer's, which sees patches.

A patch goes through the transformer as one token. Where the width is hardly more than the numbers
of a patch, fine detail does not get through. So a few 3x3 convolutions look at the latents that
went in, guided by the tokens that came out, and change what those say.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .configuration import TransformerConfig


class CellHead(nn.Module):
    """Changes what the transformer says, cell by cell; each latent frame by itself."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        width, (_, p, q) = config.cell_head.width, config.patch_size
        self.proj_in = nn.Linear(config.dim, p * q * width)
        self.conv_in = conv(config.in_channels + config.out_channels, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(config.cell_head.num_blocks))
        self.conv_out = conv(width, config.out_channels)

    def forward(self, x: Tensor, output: Tensor, guide: Tensor) -> Tensor:
        """The change to output [B, out, T, H, W], which the transformer says of x [B, in, T, H, W];
        guide [B, width, T, H, W]: its modulated tokens through `proj_in`, laid out as cells."""
        B = len(x)
        x, output, guide = (v.transpose(1, 2).flatten(0, 1) for v in (x, output, guide))
        maps = F.relu(self.conv_in(torch.cat((x, output), 1)) + guide)  # [B*T, width, H, W]
        for block in self.blocks:
            maps = block(maps)
        return self.conv_out(maps).unflatten(0, (B, -1)).transpose(1, 2)


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.conv2 = conv(width, width), conv(width, width)

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.conv2(F.relu(self.conv1(maps))) + maps)


def conv(channels: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(channels, outputs, 3, padding=1)
