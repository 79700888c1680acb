"""What each size of the shipped model costs: the same model with other patches, widths, depths and
autoencoders, random weights, timed one after the other on this machine.

    swift build -c release --product motionstream
    python Scripts/bench/sizes.py [--chunks 6] [--rounds 3]

Weights do not change the speed, so that nothing has to be trained to know what fits.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts"))

from reference.causal_transformer import CausalTransformer  # noqa: E402
from reference.configuration import (  # noqa: E402
    ModelConfiguration,
    TinyVAEConfig,
    TransformerConfig,
)
from reference.model_directory import Model, load, save  # noqa: E402
from reference.taehv import TAEHV  # noqa: E402

NARROW = {"encoder_widths": [64, 64], "decoder_widths": [96, 64]}
DEEP = {  # 16x16 pixels a cell, as deep compression has them
    "patch_size": 16,
    "decoder_widths": [192, 128],
}

# What differs from the shipped model: transformer, autoencoder, manifest.
SIZES = {
    "as shipped": ({}, {}, {}),
    "patch 2x2": ({"patch_size": [1, 2, 2]}, {}, {}),
    "patch 8x8": ({"patch_size": [1, 8, 8]}, {}, {}),
    "128 wide": ({"num_attention_heads": 2, "ffn_dim": 512}, {}, {}),
    "256 wide": ({"num_attention_heads": 4, "ffn_dim": 1024}, {}, {}),
    "384 wide": ({"num_attention_heads": 6, "ffn_dim": 1536}, {}, {}),
    "12 blocks": ({"num_layers": 12}, {}, {}),
    "1 step": ({}, {}, {"timesteps": [1000]}),
    "autoencoder 64 wide": ({}, NARROW, {}),
    "cells of 16 pixels, patch 2x2": ({"patch_size": [1, 2, 2]}, DEEP, {}),
}


def build(shipped, transformer, vae, sampler):
    """The shipped model with other sizes and random weights."""
    rules = json.loads((ROOT / "Models/solids-320x192/motionstream.json").read_text())
    rules["sampler"] |= sampler
    vae = TinyVAEConfig.from_dict(vars(shipped.tiny_vae.config) | vae)
    rules["spatial_compression"] = vae.patch_size
    rules = ModelConfiguration.from_dict(rules)
    folder = ROOT / "Models/solids-320x192/transformer/config.json"
    values = json.loads(folder.read_text()) | transformer
    values["track_config"]["vae_spatial_compression"] = rules.spatial_compression
    network = CausalTransformer(TransformerConfig.from_dict(values), rules.tracks)
    parts = (TAEHV(vae), shipped.text_encoder, shipped.tokenizer)
    cells = rules.spatial_compression == shipped.configuration.spatial_compression
    return Model(rules, network, *parts, drawing=shipped.drawing if cells else network)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / ".build/release/motionstream")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--chunks", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    shipped = load(ROOT / "Models/solids-320x192")
    with tempfile.TemporaryDirectory() as folder:
        parameters, found = {}, {name: [] for name in SIZES}
        for name, changes in SIZES.items():
            model = build(shipped, *changes)
            parameters[name] = sum(p.numel() for p in model.transformer.parameters())
            save(model, f"{folder}/{name}")
        for _ in range(arguments.rounds):  # in turns, so that a busy moment hits all
            for name in SIZES:
                command = [arguments.program, "bench", "-m", f"{folder}/{name}", "--json"]
                command += ["--threads", str(arguments.threads)]
                command += ["--chunks", str(arguments.chunks)]
                found[name].append(json.loads(subprocess.check_output(command)))
    print("| | Parameters | Frames/s | First frame, ms | Decoder | Memory, MiB |")
    print("|---|---|---|---|---|---|")
    for name, runs in found.items():
        print(f"| {name} | {parameters[name] / 1e6:.1f} M | " + " | ".join(columns(runs)) + " |")


def columns(runs):
    """Medians over the runs of one size."""

    def median(value):
        return statistics.median(value(run) for run in runs)

    return (
        f"{median(lambda r: r['frames_per_second']):.0f}",
        f"{1000 * median(lambda r: r['first_frame_seconds']):.0f}",
        f"{100 * median(lambda r: r['stage_shares']['decode']):.0f} %",
        f"{median(lambda r: r['peak_bytes']) / 2**20:.0f}",
    )


if __name__ == "__main__":
    main()
