"""One block of the Wan transformer (Wan 2.1, `WanAttentionBlock`), diffusers names.

Letters: B batch, T latent frames, S tokens per latent frame, L = T*S tokens, D width, N heads,
d head width, M text rows, I image tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .configuration import TransformerConfig
from .kv_cache import KVCache
from .rotary_embedding import rotate


class Attention(nn.Module):
    """Projections shared by self- and cross-attention: RMS norm over the full width before the
    heads are split, and an optional second K/V pair for image tokens."""

    def __init__(self, config: TransformerConfig, added_kv: bool):
        super().__init__()
        dim = config.dim
        self.heads = config.num_attention_heads
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(dim, dim)
        self.to_v = nn.Linear(dim, dim)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])  # diffusers keeps dropout at index 1
        self.norm_q = nn.RMSNorm(dim, eps=config.eps)
        self.norm_k = nn.RMSNorm(dim, eps=config.eps)
        if added_kv:
            self.add_k_proj = nn.Linear(config.added_kv_proj_dim, dim)
            self.add_v_proj = nn.Linear(config.added_kv_proj_dim, dim)
            self.norm_added_k = nn.RMSNorm(dim, eps=config.eps)

    def split(self, x: Tensor) -> Tensor:
        """[B, L, D] -> [B, L, N, d]"""
        return x.unflatten(-1, (self.heads, -1))

    def query(self, x: Tensor) -> Tensor:
        return self.split(self.norm_q(self.to_q(x)))

    def key_value(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.split(self.norm_k(self.to_k(x))), self.split(self.to_v(x))

    def image_key_value(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.split(self.norm_added_k(self.add_k_proj(x))), self.split(self.add_v_proj(x))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        """softmax(q k^T / sqrt(d)) v for [B, L, N, d] -> [B, L, D]; mask [Lq, Lk], true = seen."""
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)


class GELUProjection(nn.Module):
    """Linear then GELU; diffusers names the linear `proj`."""

    def __init__(self, dim_in: int, dim_out: int, approximate: str):
        super().__init__()
        self.proj = nn.Linear(dim_in, dim_out)
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.proj(x), approximate=self.approximate)


class FeedForward(nn.Module):
    """Linear, GELU, linear; index 1 is diffusers' dropout."""

    def __init__(self, dim_in: int, dim_hidden: int, dim_out: int, approximate: str = "tanh"):
        super().__init__()
        self.net = nn.Sequential(
            GELUProjection(dim_in, dim_hidden, approximate),
            nn.Identity(),
            nn.Linear(dim_hidden, dim_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class TransformerBlock(nn.Module):
    """Modulated self-attention, cross-attention, modulated feed-forward."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        dim = config.dim
        self.eps = config.eps
        self.attn1 = Attention(config, added_kv=False)
        self.attn2 = Attention(config, added_kv=config.added_kv_proj_dim is not None)
        self.norm2 = nn.LayerNorm(dim, config.eps) if config.cross_attn_norm else nn.Identity()
        self.ffn = FeedForward(dim, config.ffn_dim, dim)
        self.scale_shift_table = nn.Parameter(modulation_table(6, dim))

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        angles: tuple[Tensor, Tensor],
        context: list[tuple[Tensor, Tensor]],
        mask: Tensor | None = None,
        cache: KVCache | None = None,
        layer: int = 0,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [B, L, D], modulation [B, T, 6, D], angles of all keys (cached, then current),
        context: (K, V) of the text and, if the model has them, of the image tokens.
        Returns the new x and this block's raw K, V for the cache."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            self.scale_shift_table[:, None] + modulation
        ).unbind(2)  # six [B, T, D]

        q, new = self.qkv(modulate(layer_norm(x, self.eps), shift1, scale1))
        k, v = new if cache is None else cache.with_current(layer, *new)
        current = tuple(a[-x.shape[1] :] for a in angles)  # the query is the current chunk
        y = self.attn1.attend(rotate(q, current), rotate(k, angles), v, mask)
        x = x + gated(self.attn1.to_out[0](y), gate1)

        q = self.attn2.query(self.norm2(x))
        # Text and image tokens are attended to separately and summed before the output.
        y = sum(self.attn2.attend(q, *key_value) for key_value in context)
        x = x + self.attn2.to_out[0](y)

        x = x + gated(self.ffn(modulate(layer_norm(x, self.eps), shift2, scale2)), gate2)
        return x, new

    def qkv(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return self.attn1.query(x), self.attn1.key_value(x)


def modulation_table(rows: int, dim: int) -> Tensor:
    """Initial modulation table [1, rows, D] (Wan 2.1)."""
    return torch.randn(1, rows, dim) / dim**0.5


def layer_norm(x: Tensor, eps: float) -> Tensor:
    """Layer norm over the width without parameters."""
    return F.layer_norm(x, x.shape[-1:], eps=eps)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x [B, T*S, D] * (1 + scale) + shift, with one shift and scale [B, T, D] per latent frame."""
    frames = x.unflatten(1, (shift.shape[1], -1))  # [B, T, S, D]
    return (frames * (1 + scale[:, :, None]) + shift[:, :, None]).flatten(1, 2)


def gated(x: Tensor, gate: Tensor) -> Tensor:
    """x [B, T*S, D] times one gate [B, T, D] per latent frame."""
    return (x.unflatten(1, (gate.shape[1], -1)) * gate[:, :, None]).flatten(1, 2)
