"""TAEHV: a tiny video autoencoder of 2-D convolutions (madebyollin/taehv), with free widths.

The only thing that sees time is the MemBlock, which reads the previous frame's input of the same
block, and the TPool / TGrow pairs that merge and split frames. Keys are upstream's
`encoder.N....` / `decoder.N....`.

Layout: [B, T, C, H, W]. Frames are RGB in [0, 1]; latents are what the transformer denoises, no
further normalisation. A clip of 1 + 4k frames has 1 + k latents: frame 0 is repeated three times
in front before encoding, and decoding drops the first three frames.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .configuration import TinyVAEConfig


def conv(n_in: int, n_out: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, padding=1, stride=stride, bias=bias)


class Clamp(nn.Module):
    """Soft limit of the latent to (-3, 3)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class MemBlock(nn.Module):
    """Residual block over the current frame and the previous one."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.conv = nn.Sequential(
            conv(2 * n_in, n_out), nn.ReLU(), conv(n_out, n_out), nn.ReLU(), conv(n_out, n_out)
        )
        self.skip = nn.Conv2d(n_in, n_out, 1, bias=False) if n_in != n_out else nn.Identity()

    def forward(self, x: Tensor, past: Tensor) -> Tensor:
        return F.relu(self.conv(torch.cat((x, past), dim=1)) + self.skip(x))


class TPool(nn.Module):
    """Merge `stride` consecutive frames into one."""

    def __init__(self, n: int, stride: int):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(n * stride, n, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        _, C, H, W = x.shape
        return self.conv(x.reshape(-1, self.stride * C, H, W))


class TGrow(nn.Module):
    """Split one frame into `stride` consecutive frames; the first n channels are the first."""

    def __init__(self, n: int, stride: int):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(n, n * stride, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        _, C, H, W = x.shape
        return self.conv(x).reshape(-1, C, H, W)


# The input of every MemBlock at the last frame seen, in layer order; None at the start.
Memory = list[Tensor] | None


def run(layers: nn.Sequential, x: Tensor, memory: Memory = None) -> tuple[Tensor, Memory]:
    """All frames of x [B, T, C, H, W] through the layers, starting from `memory` (zeros if None).

    One pass over a whole clip and many passes over pieces of it give the same result, as long as
    every piece fills whole latents.
    """
    B = x.shape[0]
    x = x.flatten(0, 1)  # [B*T, C, H, W]
    after: list[Tensor] = []
    for layer in layers:
        if isinstance(layer, MemBlock):
            frames = x.unflatten(0, (B, -1))
            first = torch.zeros_like(frames[:, :1]) if memory is None else memory[len(after)]
            past = torch.cat((first, frames[:, :-1]), dim=1).flatten(0, 1)
            after.append(frames[:, -1:])
            x = layer(x, past)
        else:
            x = layer(x)
    return x.unflatten(0, (B, -1)), after


class TAEHV(nn.Module):
    """Encoder and decoder; both as whole clips (training) and as streams."""

    def __init__(self, config: TinyVAEConfig):
        super().__init__()
        self.config = config
        pixels = config.image_channels * config.patch_size**2
        blocks, e, d = config.memblocks_per_stage, config.encoder_widths, config.decoder_widths

        layers: list[nn.Module] = [conv(pixels, e[0]), nn.ReLU()]
        for stage, (time, space) in enumerate(config.downscale):
            n_in, n = e[stage], e[stage + 1]
            layers += [TPool(n_in, time), conv(n_in, n, stride=space, bias=False)]
            layers += [MemBlock(n, n) for _ in range(blocks)]
        self.encoder = nn.Sequential(*layers, conv(e[-1], config.latent_channels))

        layers = [Clamp(), conv(config.latent_channels, d[0]), nn.ReLU()]
        for stage, (time, space) in enumerate(config.upscale):
            n, n_out = d[stage], d[stage + 1]
            layers += [MemBlock(n, n) for _ in range(blocks)]
            layers += [nn.Upsample(scale_factor=space), TGrow(n, time), conv(n, n_out, bias=False)]
        self.decoder = nn.Sequential(*layers, nn.ReLU(), conv(d[-1], pixels))

    @property
    def temporal_compression(self) -> int:
        factor = 1
        for stride in self.config.encoder_time_downscale:
            factor *= stride
        return factor

    def encode(self, frames: Tensor) -> Tensor:
        """[B, 1 + 4k, 3, H, W] in [0, 1] -> [B, 1 + k, C, H/s, W/s]."""
        first = frames[:, :1].expand(-1, self.temporal_compression - 1, -1, -1, -1)
        return self.encode_more(torch.cat((first, frames), dim=1), None)[0]

    def encode_more(self, frames: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Continue an encoding stream with 4k frames -> k latents."""
        if self.config.patch_size > 1:
            frames = F.pixel_unshuffle(frames, self.config.patch_size)
        return run(self.encoder, frames, memory)

    def decode(self, latents: Tensor, clamp: bool = True) -> Tensor:
        """[B, 1 + k, C, H/s, W/s] -> [B, 1 + 4k, 3, H, W]. Training passes clamp=False, so that
        gradients reach pixels outside [0, 1]."""
        frames, _ = self.decode_more(latents, None, clamp)
        return frames[:, self.temporal_compression - 1 :]

    def decode_more(
        self, latents: Tensor, memory: Memory, clamp: bool = True
    ) -> tuple[Tensor, Memory]:
        """Continue a decoding stream: k latents -> 4k frames, nothing dropped."""
        frames, memory = run(self.decoder, latents, memory)
        if self.config.patch_size > 1:
            frames = F.pixel_shuffle(frames, self.config.patch_size)
        return frames.clamp(0, 1) if clamp else frames, memory

    def load_upstream(self, state: dict[str, Tensor]) -> None:
        """Load upstream weights. Where a stored TGrow is taller than needed (a checkpoint made
        for more frames), its last rows are the ones to keep."""
        own = self.state_dict()
        for key, layer in self.named_modules():
            if isinstance(layer, TGrow):
                name = f"{key}.conv.weight"
                state = {**state, name: state[name][-own[name].shape[0] :]}
        self.load_state_dict(state)
