"""Gives every latent channel mean 0 and deviation 1, by folding both into the tiny VAE's weights.

    python -m train.normalize_latents --clips runs/clips --vae runs/vae/checkpoint.pt \\
        --out runs/vae_normal.pt

Noise has deviation 1; latents should too, or the few noise levels of the student say little. The
encoder's last convolution takes it exactly. The decoder sees its input through a soft clamp and a
padded convolution, so it is only close: train it on, alone, from the result
(`train_vae --decoder-only --start`).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from .make_latents import load_vae


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--sample", type=int, default=40)
    arguments = parser.parse_args()
    vae = load_vae(arguments.vae)
    latents = []
    for path in sorted(Path(arguments.clips).glob("*.npz"))[: arguments.sample]:
        frames = torch.from_numpy(np.load(path)["frames"][:9]).float() / 255
        latents.append(vae.encode(frames.permute(0, 3, 1, 2)[None])[0])
    values = torch.cat(latents).transpose(0, 1).flatten(1)  # [C, samples]
    mean, deviation = values.mean(1), values.std(1)
    last, first = vae.encoder[-1], vae.decoder[1]
    last.weight.div_(deviation[:, None, None, None])
    last.bias.sub_(mean).div_(deviation)
    first.bias.add_((first.weight * mean[None, :, None, None]).sum((1, 2, 3)))
    first.weight.mul_(deviation[None, :, None, None])
    Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": vae.state_dict(), "average": vae.state_dict()}, arguments.out)
    print("means", mean.numpy().round(2), "deviations", deviation.numpy().round(2))


if __name__ == "__main__":
    main()
