"""The rolling key/value cache of the causal student: sink | window | (current chunk).

Keys are stored raw (before RoPE) and rotated when they are read, so one cache serves both
position rules: "slot" (MotionStream section 3.3: the temporal index is the place in the cache)
and "absolute" (Self-Forcing: the temporal index is the latent frame).
"""

from __future__ import annotations

import torch
from torch import Tensor


class KVCache:
    """Raw keys and values of the clean latent frames that later chunks may attend to.

    layers: per transformer block, K and V as [B, cached tokens, N, d].
    frames: absolute index of each cached latent frame, oldest first.
    """

    def __init__(self, num_layers: int, sink_frames: int, window_frames: int, positions: str):
        if positions not in ("slot", "absolute"):
            raise ValueError(f"positions {positions!r} is not slot or absolute")
        self.sink_frames = sink_frames
        self.window_frames = window_frames
        self.positions = positions
        self.layers: list[tuple[Tensor, Tensor] | None] = [None] * num_layers
        self.frames: list[int] = []
        self.next_frame = 0

    def temporal_positions(self, chunk_frames: int) -> Tensor:
        """RoPE temporal index of every cached frame followed by the current chunk's frames."""
        if self.positions == "slot":
            return torch.arange(len(self.frames) + chunk_frames)
        current = range(self.next_frame, self.next_frame + chunk_frames)
        return torch.tensor([*self.frames, *current])

    def with_current(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Cached tokens followed by the current chunk's k, v [B, L, N, d]."""
        if self.layers[layer] is None:
            return k, v
        past_k, past_v = self.layers[layer]
        return torch.cat((past_k, k), dim=1), torch.cat((past_v, v), dim=1)

    def commit(self, new: list[tuple[Tensor, Tensor]], chunk_frames: int) -> None:
        """Append a clean chunk (per layer K, V) and evict what is neither sink nor window."""
        frames = [*self.frames, *range(self.next_frame, self.next_frame + chunk_frames)]
        window_start = max(len(frames) - self.window_frames, 0)
        keep = [i for i, f in enumerate(frames) if f < self.sink_frames or i >= window_start]
        for layer, (k, v) in enumerate(new):
            k, v = self.with_current(layer, k, v)
            if len(keep) < len(frames):
                k, v = (_select_frames(t, keep, len(frames)) for t in (k, v))
            self.layers[layer] = (k, v)
        self.frames = [frames[i] for i in keep]
        self.next_frame += chunk_frames

    def copy(self) -> KVCache:
        """An independent continuation; tensors are never written in place, so they are shared."""
        twin = KVCache(len(self.layers), self.sink_frames, self.window_frames, self.positions)
        twin.layers, twin.frames = list(self.layers), list(self.frames)
        twin.next_frame = self.next_frame
        return twin


def _select_frames(x: Tensor, keep: list[int], frames: int) -> Tensor:
    """Keep some latent frames of x [B, frames*S, N, d]."""
    return x.unflatten(1, (frames, -1))[:, keep].flatten(1, 2)
