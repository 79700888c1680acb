"""The umT5 text encoder (Hugging Face `UMT5EncoderModel` keys) and its tokenizer, any size.

Letters: B batch, M tokens, D width (`d_model`), N heads, d head width (`d_kv`).
"""

from __future__ import annotations

import html
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .configuration import TextEncoderConfig


def clean(text: str) -> str:
    """Wan's "whitespace" cleaning: HTML unescaped twice, runs of white space to one space.

    Upstream first runs ftfy, which repairs wrongly decoded text; that step is left out.
    """
    return " ".join(html.unescape(html.unescape(text)).split())


def tokenize(processor, text: str, max_tokens: int) -> list[int]:
    """SentencePiece ids of the cleaned text, cut so that the end token still fits."""
    ids = processor.encode(clean(text), out_type=int)
    return [*ids[: max_tokens - 1], processor.eos_id()]


def position_bucket(relative: Tensor, buckets: int, max_distance: int) -> Tensor:
    """Bucket of key - query: half the buckets per direction, exact up to a quarter of them, then
    logarithmic up to max_distance."""
    half = buckets // 2
    exact = half // 2
    distance = relative.abs()
    scale = (half - exact) / math.log(max_distance / exact)
    far = exact + (torch.log(distance.clamp(min=1).float() / exact) * scale).long()
    return (relative > 0) * half + torch.where(distance < exact, distance, far.clamp(max=half - 1))


class SelfAttention(nn.Module):
    """Unscaled attention with this layer's own relative position bias."""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        inner = config.num_heads * config.d_kv
        self.config = config
        self.q = nn.Linear(config.d_model, inner, bias=False)
        self.k = nn.Linear(config.d_model, inner, bias=False)
        self.v = nn.Linear(config.d_model, inner, bias=False)
        self.o = nn.Linear(inner, config.d_model, bias=False)
        self.relative_attention_bias = nn.Embedding(
            config.relative_attention_num_buckets, config.num_heads
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        config, M = self.config, x.shape[1]
        index = torch.arange(M, device=x.device)
        bucket = position_bucket(
            index[None, :] - index[:, None],
            config.relative_attention_num_buckets,
            config.relative_attention_max_distance,
        )
        bias = self.relative_attention_bias(bucket).permute(2, 0, 1)  # [N, M, M]
        if mask is not None:
            bias = bias.masked_fill(~mask[:, None, None], -torch.inf)  # [B, N, M, M]
        q, k, v = (
            p(x).unflatten(-1, (config.num_heads, -1)).transpose(1, 2)
            for p in (self.q, self.k, self.v)
        )  # [B, N, M, d]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
        return self.o(y.transpose(1, 2).flatten(2))


class GatedFeedForward(nn.Module):
    """wo( gelu_tanh(wi_0 x) * wi_1 x )"""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.wi_0 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wi_1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.wo(F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))


class AttentionLayer(nn.Module):
    """x + attention(norm(x))"""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.layer_norm = nn.RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.SelfAttention = SelfAttention(config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return x + self.SelfAttention(self.layer_norm(x), mask)


class FeedForwardLayer(nn.Module):
    """x + feed_forward(norm(x))"""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.layer_norm = nn.RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.DenseReluDense = GatedFeedForward(config)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.DenseReluDense(self.layer_norm(x))


class Block(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.layer = nn.ModuleList((AttentionLayer(config), FeedForwardLayer(config)))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        attention, feed_forward = self.layer
        return feed_forward(attention(x, mask))


class Stack(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.block = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_layer_norm = nn.RMSNorm(config.d_model, eps=config.layer_norm_epsilon)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for block in self.block:
            x = block(x, mask)
        return self.final_layer_norm(x)


class TextEncoder(nn.Module):
    """Token ids to embeddings."""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.config = config
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = Stack(config)
        self.initialize()

    def initialize(self) -> None:
        """T5's initial weights, which make up for the missing attention scale."""
        config = self.config
        inner = config.num_heads * config.d_kv
        nn.init.normal_(self.shared.weight, std=1.0)
        for module in self.modules():
            if isinstance(module, SelfAttention):
                nn.init.normal_(module.q.weight, std=(config.d_model * config.d_kv) ** -0.5)
                nn.init.normal_(module.k.weight, std=config.d_model**-0.5)
                nn.init.normal_(module.v.weight, std=config.d_model**-0.5)
                nn.init.normal_(module.o.weight, std=inner**-0.5)
                nn.init.normal_(module.relative_attention_bias.weight, std=config.d_model**-0.5)
            elif isinstance(module, GatedFeedForward):
                nn.init.normal_(module.wi_0.weight, std=config.d_model**-0.5)
                nn.init.normal_(module.wi_1.weight, std=config.d_model**-0.5)
                nn.init.normal_(module.wo.weight, std=config.d_ff**-0.5)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """ids [B, M] -> [B, M, D]; mask [B, M]: which are of the sentence, all if None."""
        return self.encoder(self.shared(ids), mask)

    def encode_padded(self, ids: list[int], rows: int) -> Tensor:
        """One sentence, encoded at its true length and then zero-padded to [1, rows, D]. Wan pads
        the embeddings, not the tokens, and attends to the padding."""
        embedding = self(torch.tensor([ids], device=self.shared.weight.device))
        return F.pad(embedding, (0, 0, 0, rows - len(ids)))
