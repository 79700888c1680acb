"""Tiny random models for the fixtures: every part present, nothing learnt."""

from __future__ import annotations

import io
import math

import sentencepiece
import torch
from torch import nn

from reference.causal_transformer import CausalTransformer
from reference.configuration import (
    ModelConfiguration,
    TextEncoderConfig,
    TinyVAEConfig,
    TrackRules,
    TransformerConfig,
)
from reference.model_directory import Model
from reference.taehv import TAEHV
from reference.text_encoder import TextEncoder

LATENT_CHANNELS = 4
TRACK_CHANNELS = 3
TEXT_DIM = 16
MAX_TOKENS = 12

CORPUS = """
a red ball rolls over the green floor and hits the blue wall
the yellow square slides to the left while the purple circle waits
two small triangles fall slowly through a dark room
a grey cube spins in the middle of a bright field
the camera pans right and the white star leaves the picture
an orange ring bounces between the walls and comes to rest
""".strip().splitlines()


def randomize(module: nn.Module, generator: torch.Generator, gain: float = 1.0) -> nn.Module:
    """Weights of the scale that keeps activations near 1, nothing left at zero or one, so that a
    forgotten bias, norm weight or modulation row shows."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if name.endswith("relative_attention_bias.weight"):
                p.copy_(noise)
            elif "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.2 * noise)
            elif "scale_shift_table" in name:
                p.copy_(0.3 * noise)
            elif p.dim() < 2:
                p.copy_(0.1 * noise)
            elif name == "shared.weight":
                p.copy_(noise)
            else:
                p.copy_(gain * noise / math.sqrt(p[0].numel()))
    return module.eval()


def transformer(
    generator: torch.Generator,
    in_channels: int,
    track_rules: TrackRules | None,
    track_bias: bool = True,
    image_dim: int | None = None,
    num_layers: int = 2,
    cell: int = 8,
    patch: tuple[int, int] = (2, 2),
    cell_head: dict[str, int] | None = None,
) -> CausalTransformer:
    """Width 32, 2 heads of 16: RoPE gives 8 channels to time, 4 each to space."""
    heads, head_dim = 2, 16
    track_config = {
        "id_dim": 8,
        "track_channels": TRACK_CHANNELS,
        "vae_spatial_compression": cell,
        "vae_temporal_compression": 4,
        "max_track_id": track_rules.max_id if track_rules else 1,
        "use_bias": track_bias,
    }
    config = TransformerConfig.from_dict(
        {
            "patch_size": [1, *patch],
            "num_attention_heads": heads,
            "attention_head_dim": head_dim,
            "in_channels": in_channels,
            "out_channels": LATENT_CHANNELS,
            "text_dim": TEXT_DIM,
            "freq_dim": 16,
            "ffn_dim": 48,
            "num_layers": num_layers,
            "cross_attn_norm": True,
            "qk_norm": "rms_norm_across_heads",
            "eps": 1e-6,
            "image_dim": image_dim,
            "added_kv_proj_dim": heads * head_dim if image_dim else None,
            "rope_max_seq_len": 1024,
            "track_config": track_config if track_rules else None,
            "cell_head": cell_head,
        }
    )
    return randomize(CausalTransformer(config, track_rules), generator)


def tiny_vae(generator: torch.Generator, memblocks: int, **changes) -> TAEHV:
    config = TinyVAEConfig.from_dict(
        {
            "latent_channels": LATENT_CHANNELS,
            "image_channels": 3,
            "patch_size": 1,
            "encoder_widths": [4, 4, 6, 6],
            "decoder_widths": [8, 6, 4, 4],
            "encoder_time_downscale": [2, 2, 1],
            "decoder_time_upscale": [1, 2, 2],
            "memblocks_per_stage": memblocks,
        }
        | changes
    )
    vae = randomize(TAEHV(config), generator)
    with torch.no_grad():
        # Mid-grey on average with most values inside (0, 1), where clamping hides nothing.
        vae.decoder[-1].bias.fill_(0.5)
        vae.decoder[-1].weight.mul_(0.4)
        vae.encoder[-1].weight.mul_(2)
    return vae


def tokenizer() -> sentencepiece.SentencePieceProcessor:
    """A Unigram model with umT5's special ids (pad 0, end 1, unknown 2) and no normalisation
    table, which would be most of the file."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        model_type="unigram",
        vocab_size=72,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def text_encoder(generator: torch.Generator, vocab_size: int) -> TextEncoder:
    config = TextEncoderConfig.from_dict(
        {
            "vocab_size": vocab_size,
            "d_model": TEXT_DIM,
            "d_kv": 6,
            "d_ff": 24,
            "num_layers": 2,
            "num_heads": 2,
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
            "layer_norm_epsilon": 1e-6,
        }
    )
    return randomize(TextEncoder(config), generator)


def configuration(name: str, **changes) -> ModelConfiguration:
    """MotionStream's c3s1w1 with slot positions, on a 6x4 latent; `changes` make the others."""
    values = {
        "format": "motionstream-model",
        "version": 1,
        "name": name,
        "fps": 16,
        "width": 48,
        "height": 32,
        "spatial_compression": 8,
        "temporal_compression": 4,
        "cache": {"unit": "chunks", "sink": 1, "window": 1, "positions": "slot"},
        "chunk": 3,
        "first_chunk": 3,
        "sampler": {
            "timesteps": [1000, 750, 500],
            "warp": True,
            "shift": 6.0,
            "train_timesteps": 1000,
            "commit_timestep": 0,
        },
        "input_slots": ["noise", "image", "tracks"],
        "image": {"rule": "channels", "tail": "zeros"},
        "tracks": {
            "cell_rule": "bilinear",
            "collision": "add",
            "max_id": 100000,
            "base": 10000,
            "ids": "scattered",
        },
        "text": {"max_tokens": MAX_TOKENS},
    }
    return ModelConfiguration.from_dict(values | changes)


TRACK_V0 = {
    "cache": {"unit": "frames", "sink": 1, "window": 2, "positions": "slot"},
    "first_chunk": 1,
    "sampler": {
        "timesteps": [1000, 750, 500, 250],
        "warp": True,
        "shift": 6.0,
        "train_timesteps": 1000,
        "commit_timestep": 0,
    },
    "input_slots": ["noise", "mask", "image", "tracks"],
    "image": {"rule": "channels", "tail": "grey"},
    "tracks": {
        "cell_rule": "round_grid",
        "collision": "add",
        "max_id": 100000,
        "base": 10000,
        "ids": "file",
    },
}

SELF_FORCING = {
    "cache": {"unit": "chunks", "sink": 0, "window": 2, "positions": "absolute"},
    "sampler": {
        "timesteps": [1000, 750, 500, 250],
        "warp": True,
        "shift": 5.0,
        "train_timesteps": 1000,
        "commit_timestep": 0,
    },
    "input_slots": ["noise"],
    "image": {"rule": "prefill", "tail": "zeros"},
    "tracks": None,
}


GUIDED = {
    "spatial_compression": 4,
    "sampler": {
        "timesteps": [1000, 667, 333],
        "warp": True,
        "shift": 6.0,
        "train_timesteps": 1000,
        "commit_timestep": 0,
        "prediction": "residual",
    },
    "image": {
        "rule": "channels",
        "tail": "tracks",
        "reach": 4,
        "drawing": {"steps": 4, "guidance": 2.0, "ahead": [3, 8], "guidance_above": 0.9},
    },
    "tracks": {
        "cell_rule": "bilinear",
        "collision": "add",
        "max_id": 100000,
        "base": 30,
        "ids": "origin",
    },
}
ONE_STAGE = {
    "patch_size": 4,
    "encoder_widths": [6, 8],
    "decoder_widths": [10, 7],
    "encoder_time_downscale": [4],
    "decoder_time_upscale": [4],
    "encoder_space_downscale": [1],
    "decoder_space_upscale": [1],
}
CELL_HEAD = {"width": 6, "num_blocks": 2}


def model(
    generator: torch.Generator, rules: ModelConfiguration, memblocks: int, **vae: list[int]
) -> Model:
    widths = {
        "noise": LATENT_CHANNELS,
        "mask": rules.temporal_compression,
        "image": LATENT_CHANNELS,
        "tracks": TRACK_CHANNELS,
    }
    in_channels = sum(widths[slot] for slot in rules.input_slots)
    processor = tokenizer()
    cell = rules.spatial_compression
    made = Model(
        rules,
        transformer(generator, in_channels, rules.tracks, cell=cell),
        tiny_vae(generator, memblocks, **vae),
        text_encoder(generator, processor.vocab_size()),
        processor,
    )
    if rules.image.drawing is not None:
        made.drawing = transformer(
            generator,
            in_channels,
            rules.tracks,
            num_layers=1,
            cell=cell,
            patch=(2, 1),
            cell_head=CELL_HEAD,
        )
    return made
