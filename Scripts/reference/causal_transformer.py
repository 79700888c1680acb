"""The Wan diffusion transformer as teacher (whole clip) and as causal student (chunk by chunk).

State-dict keys are those of diffusers' WanTransformer3DModel; the track head, where the model has
one, adds `track_encoder.*`.

Letters: B batch, T latent frames, H W latent size, h w = H/2 W/2 tokens per column / row,
S = h*w tokens per latent frame, L = T*S, D width, N heads, d head width, M text rows.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .cell_head import CellHead
from .configuration import TrackRules, TransformerConfig
from .kv_cache import KVCache
from .rotary_embedding import rotary_angles
from .track_encoder import TrackEncoder
from .transformer_block import (
    FeedForward,
    TransformerBlock,
    layer_norm,
    modulate,
    modulation_table,
)

# Per block: (K, V) of the text rows and, with image cross-attention, (K, V) of the image tokens.
Context = list[list[tuple[Tensor, Tensor]]]


class TwoLinears(nn.Module):
    """linear_1, activation, linear_2: diffusers' time and text embedders."""

    def __init__(self, dim_in: int, dim: int, activation):
        super().__init__()
        self.linear_1 = nn.Linear(dim_in, dim)
        self.linear_2 = nn.Linear(dim, dim)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(self.activation(self.linear_1(x)))


class ImageEmbedder(nn.Module):
    """CLIP tokens [B, I, image_dim] -> [B, I, D] (Wan 2.1 `img_emb`: exact GELU, eps 1e-5)."""

    def __init__(self, image_dim: int, dim: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(image_dim)
        self.ff = FeedForward(image_dim, image_dim, dim, approximate="none")
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm2(self.ff(self.norm1(x)))


class ConditionEmbedder(nn.Module):
    """Time, text and (optionally) image embeddings under diffusers' names."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        dim = config.dim
        self.freq_dim = config.freq_dim
        self.time_embedder = TwoLinears(config.freq_dim, dim, F.silu)
        self.time_proj = nn.Linear(dim, 6 * dim)
        self.text_embedder = TwoLinears(config.text_dim, dim, gelu_tanh)
        if config.image_dim is not None:
            self.image_embedder = ImageEmbedder(config.image_dim, dim)

    def time(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """timestep [B, T] in 0..1000 -> embedding [B, T, D], block modulation [B, T, 6, D]."""
        embedding = self.time_embedder(sinusoid(timestep, self.freq_dim))
        return embedding, self.time_proj(F.silu(embedding)).unflatten(-1, (6, -1))


class CausalTransformer(nn.Module):
    """Velocity prediction v = noise - clean for latent video."""

    def __init__(self, config: TransformerConfig, track_rules: TrackRules | None = None):
        super().__init__()
        self.config = config
        dim, patch = config.dim, config.patch_size
        self.patch_embedding = nn.Conv3d(config.in_channels, dim, patch, stride=patch)
        self.condition_embedder = ConditionEmbedder(config)
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.num_layers))
        self.proj_out = nn.Linear(dim, config.out_channels * math.prod(patch))
        self.scale_shift_table = nn.Parameter(modulation_table(2, dim))
        if config.track_config is not None:
            self.track_encoder = TrackEncoder(config.track_config, track_rules)
        if config.cell_head is not None:
            self.cell_head = CellHead(config)
        self.initialize()

    def initialize(self) -> None:
        """Wan 2.1's initial weights: Xavier linears, zero biases, zero output projection."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                if "time_embedder" in name or "text_embedder" in name:
                    nn.init.normal_(module.weight, std=0.02)
                else:
                    nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.patch_embedding.weight.flatten(1))
        nn.init.zeros_(self.proj_out.weight)
        if self.config.cell_head is not None:
            nn.init.zeros_(self.cell_head.conv_out.weight)
            nn.init.zeros_(self.cell_head.conv_out.bias)

    def forward(
        self,
        x: Tensor,
        timestep: Tensor,
        text: Tensor,
        image: Tensor | None = None,
        positions: Tensor | None = None,
        frame_mask: Tensor | None = None,
    ) -> Tensor:
        """The whole clip at once: teacher, critic, and causal training with a mask.

        x [B, in, T, H, W]; timestep [B, T]; text [B, M, text_dim], already zero-padded;
        image [B, I, image_dim]; positions [T]: RoPE index of each latent frame, 0..T-1 if None;
        frame_mask [T, T]: true where the latent frame of the row may look at that of the column.
        Returns velocity [B, out, T, H, W].
        """
        if positions is None:
            positions = torch.arange(x.shape[2])
        tokens, size = self.patchify(x)
        mask = None
        if frame_mask is not None:
            per_frame = size[0] * size[1]
            mask = frame_mask.repeat_interleave(per_frame, 0).repeat_interleave(per_frame, 1)
        angles = self.angles(positions, size, x.device)
        context = self.context(text, image)
        embedding, modulation = self.condition_embedder.time(timestep)
        for block, key_values in zip(self.blocks, context, strict=True):
            tokens, _ = block(tokens, modulation, angles, key_values, mask)
        return self.head(tokens, embedding, size, x)

    def forward_chunk(
        self, x: Tensor, timestep: Tensor, context: Context, cache: KVCache, commit: bool
    ) -> Tensor:
        """One chunk of a stream. x [B, in, T, H, W]; timestep [B, T]; context from `context`.

        With `commit` the chunk (clean, at the commit timestep) enters the cache. Gradients flow
        into the cache unless the commit runs under `torch.no_grad()`, as Self-Forcing does it.
        """
        tokens, size = self.patchify(x)
        angles = self.angles(cache.temporal_positions(x.shape[2]), size, x.device)
        embedding, modulation = self.condition_embedder.time(timestep)
        new = []
        for layer, (block, key_values) in enumerate(zip(self.blocks, context, strict=True)):
            tokens, key_value = block(
                tokens, modulation, angles, key_values, cache=cache, layer=layer
            )
            new.append(key_value)
        if commit:
            cache.commit(new, x.shape[2])
        return self.head(tokens, embedding, size, x)

    def context(self, text: Tensor, image: Tensor | None = None) -> Context:
        """Cross-attention K, V of every block: once per prompt."""
        text = self.condition_embedder.text_embedder(text)  # [B, M, D]
        context = [[block.attn2.key_value(text)] for block in self.blocks]
        if self.config.image_dim is not None:
            if image is None:
                raise ValueError("this model needs image tokens (image_dim is set)")
            image = self.condition_embedder.image_embedder(image)  # [B, I, D]
            for block, key_values in zip(self.blocks, context, strict=True):
                key_values.append(block.attn2.image_key_value(image))
        return context

    def angles(self, positions: Tensor, size: tuple[int, int], device) -> tuple[Tensor, Tensor]:
        cos, sin = rotary_angles(positions.cpu(), size, self.config.attention_head_dim)
        return cos.to(device), sin.to(device)

    def patchify(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """[B, in, T, H, W] -> tokens [B, T*h*w, D] and (h, w). The strided convolution is a matrix
        product over (channel, row, column) of each patch."""
        _, p, q = self.config.patch_size
        B, C, T, H, W = x.shape
        if H % p or W % q:
            raise ValueError(f"latent {H}x{W} is not a multiple of the patch {p}x{q}")
        patches = x.reshape(B, C, T, H // p, p, W // q, q).permute(0, 2, 3, 5, 1, 4, 6)
        weight = self.patch_embedding.weight.flatten(1)  # [D, C*p*q]
        tokens = F.linear(patches.flatten(4), weight, self.patch_embedding.bias)
        return tokens.flatten(1, 3), (H // p, W // q)

    def head(self, tokens: Tensor, embedding: Tensor, size: tuple[int, int], x: Tensor) -> Tensor:
        """Modulated projection [B, L, D] -> velocity [B, out, T, H, W], changed by the cell head,
        where there is one, which sees the input x [B, in, T, H, W] as well."""
        shift, scale = (self.scale_shift_table[:, None] + embedding[:, :, None]).unbind(2)
        tokens = modulate(layer_norm(tokens, self.config.eps), shift, scale)
        output = self.unpatchify(self.proj_out(tokens), size)
        if self.config.cell_head is not None:
            guide = self.unpatchify(self.cell_head.proj_in(tokens), size)
            output = output + self.cell_head(x, output, guide)
        return output

    def unpatchify(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """[B, T*h*w, p*q*n], channel fastest -> [B, n, T, H, W]."""
        _, p, q = self.config.patch_size
        h, w = size
        grid = tokens.unflatten(-1, (p, q, -1)).unflatten(1, (-1, h, w))  # [B, T, h, w, p, q, n]
        B, T = grid.shape[:2]
        return grid.permute(0, 6, 1, 2, 4, 3, 5).reshape(B, -1, T, h * p, w * q)


def gelu_tanh(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def sinusoid(timestep: Tensor, dim: int) -> Tensor:
    """[..., dim]: cosines then sines of t * 10000^(-i / (dim/2)), formed in float64."""
    half = dim // 2
    frequency = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=timestep.device) / half)
    angle = timestep.to(torch.float64)[..., None] * frequency
    return torch.cat((angle.cos(), angle.sin()), dim=-1).float()
