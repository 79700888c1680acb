"""A model directory of any size with random weights: does the engine take it, and how fast is it?

    python Scripts/random_model.py --shape wan-1.3b --out runs/wan-1.3b
    motionstream bench -m runs/wan-1.3b --chunks 2

Shapes are those of the public checkpoints, except that the text encoder has one layer and the
tokenizer is the given one. Weights are bfloat16, as published.
"""

import argparse
import json
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import load_file, save_file

from reference.causal_transformer import CausalTransformer
from reference.configuration import (
    ModelConfiguration,
    TextEncoderConfig,
    TinyVAEConfig,
    TransformerConfig,
)
from reference.model_directory import Model
from reference.model_directory import save as save_model
from reference.taehv import TAEHV
from reference.text_encoder import TextEncoder

# width of a head, heads, feed-forward, layers, canvas
SHAPES = {
    "tiny": (32, 2, 128, 2, (160, 96)),
    "wan-1.3b": (128, 12, 8960, 30, (416, 240)),
    "wan-1.3b-480p": (128, 12, 8960, 30, (832, 480)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--tokenizer", default="Models/solids-320x192/tokenizer/spiece.model")
    arguments = parser.parse_args()
    head, heads, ffn, layers, (width, height) = SHAPES[arguments.shape]
    torch.manual_seed(0)
    manifest = json.loads((Path(__file__).parent / "train/motionstream.json").read_text())
    manifest |= {"name": arguments.shape, "width": width, "height": height}
    manifest |= {"spatial_compression": 8, "text": {"max_tokens": 512}}
    manifest["sampler"] |= {"timesteps": [1000, 750, 500, 250], "prediction": "velocity"}
    manifest["image"] = {"rule": "channels", "tail": "zeros"}
    rules = ModelConfiguration.from_dict(manifest)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=arguments.tokenizer)
    wide = arguments.shape != "tiny"
    text_dim = 4096 if wide else 64
    transformer = json.loads((Path(__file__).parent / "train/transformer.json").read_text())
    transformer |= {
        "cell_head": None,
        "num_attention_heads": heads,
        "attention_head_dim": head,
        "ffn_dim": ffn,
        "num_layers": layers,
        "text_dim": text_dim,
        "patch_size": [1, 2, 2],
    }
    transformer["track_config"]["vae_spatial_compression"] = 8
    text = {
        "vocab_size": tokenizer.get_piece_size(),
        "d_model": text_dim,
        "d_kv": 64,
        "d_ff": 10240 if wide else 128,
        "num_layers": 1,
        "num_heads": 64 if wide else 2,
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "layer_norm_epsilon": 1e-6,
    }
    vae = {
        "latent_channels": 16,
        "image_channels": 3,
        "patch_size": 1,
        "encoder_widths": [64, 64, 64, 64],
        "decoder_widths": [256, 128, 64, 64],
        "encoder_time_downscale": [2, 2, 1],
        "decoder_time_upscale": [1, 2, 2],
        "memblocks_per_stage": 3,
    }
    model = Model(
        rules,
        CausalTransformer(TransformerConfig.from_dict(transformer), rules.tracks),
        TAEHV(TinyVAEConfig.from_dict(vae)),
        TextEncoder(TextEncoderConfig.from_dict(text)),
        tokenizer,
    )
    torch.nn.init.normal_(model.transformer.proj_out.weight, std=0.02)
    save_model(model, arguments.out)
    parameters = sum(p.numel() for p in model.transformer.parameters())
    del model
    for path in Path(arguments.out).glob("*/*.safetensors"):
        state = {k: v.bfloat16() for k, v in load_file(path).items()}
        save_file(state, path, metadata={"format": "pt"})
    print(f"{arguments.out}: transformer of {parameters:,} parameters")


if __name__ == "__main__":
    main()
