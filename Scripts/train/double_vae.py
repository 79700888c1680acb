"""A tiny VAE of twice the picture size with the same latents.

    python -m train.double_vae --vae runs/vae_normal.pt --out runs/vae_double.pt

The encoder averages 2x2 pixels before it does what it did, the decoder makes 2x2 equal pixels of
one; both are exact in the weights of the first and last convolution. The decoder also gets a second
stage, of single frames, that begins by changing nothing. Train the decoder on, alone, on clips of
the new size (`train_vae --scale 2 --decoder-only --start`): it then draws the detail.
So a transformer trained on clips of the small size, which are a quarter of the work to render and
encode, makes pictures of the large one.
"""

import argparse
from pathlib import Path

import torch
from torch import nn

from .make_latents import load_vae
from .train_vae import initialize


def spread(weight, patch, dim):
    """Gives each of the patch x patch pixels along `dim` (PixelUnshuffle's order) to 2x2 pixels."""
    pixels = weight.unflatten(dim, (-1, patch, patch))
    pixels = pixels.repeat_interleave(2, dim + 1).repeat_interleave(2, dim + 2)
    return pixels.flatten(dim, dim + 2)


@torch.no_grad()
def double(small, large):
    """Writes the code of `small`, a VAE of one stage, into `large`, of twice the patch size with
    a second stage in the decoder."""
    patch, state = small.config.patch_size, small.state_dict()
    state["encoder.0.weight"] = spread(state["encoder.0.weight"], patch, 1) / 4
    initialize(large)  # blocks pass on what they get
    *_, grow, conv, _, _ = large.decoder
    nn.init.dirac_(grow.conv.weight)
    nn.init.dirac_(conv.weight)
    last, new = len(small.decoder) - 1, len(large.decoder) - 1
    for part in ("weight", "bias"):
        state[f"decoder.{new}.{part}"] = spread(state.pop(f"decoder.{last}.{part}"), patch, 0)
    large.load_state_dict(large.state_dict() | state)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    small, large = load_vae(arguments.vae), load_vae(None, scale=2)
    double(small, large)
    Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": large.state_dict(), "average": large.state_dict()}, arguments.out)


if __name__ == "__main__":
    main()
