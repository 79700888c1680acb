"""Three-axis rotary position embedding (RoPE) of the Wan transformer.

Letters: B batch, L tokens, N heads, d head width, T latent frames, h w tokens per column / row.
"""

import torch
from torch import Tensor


def axis_split(head_dim: int) -> tuple[int, int, int]:
    """Head channels given to time, height and width; the remainder goes to time (Wan 2.1)."""
    spatial = 2 * (head_dim // 6)
    return head_dim - 2 * spatial, spatial, spatial


def rotary_angles(positions: Tensor, size: tuple[int, int], head_dim: int) -> tuple[Tensor, Tensor]:
    """cos and sin for a run of latent frames.

    positions: [T] temporal index of each latent frame; size: tokens per column and row (h, w).
    Returns two [T*h*w, d/2] float32 tensors. Token order is (t, h, w), w fastest. Angles are
    formed in float64, as upstream does.
    """
    h, w = size
    frames = positions.numel()
    axes = []
    for axis, count in enumerate(axis_split(head_dim)):
        frequency = 10000.0 ** (-torch.arange(0, count, 2, dtype=torch.float64) / count)
        index = (positions, torch.arange(h), torch.arange(w))[axis].to(torch.float64)
        angle = index[:, None] * frequency  # [T | h | w, count/2]
        shape = [1, 1, 1, count // 2]
        shape[axis] = -1
        axes.append(angle.view(shape).expand(frames, h, w, count // 2))
    angle = torch.cat(axes, dim=-1).reshape(frames * h * w, head_dim // 2)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the interleaved pairs (2j, 2j+1) of x [B, L, N, d] by angles [L, d/2]."""
    cos, sin = (a.to(x)[:, None, :] for a in angles)  # [L, 1, d/2]
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
