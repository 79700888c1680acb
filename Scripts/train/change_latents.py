"""The weights of a model with another autoencoder, made to fit this one's latents.

    python -m train.change_latents --model ../Models/FORMER --clips runs/clips \
        --vae runs/vae/checkpoint.pt --out runs/start.pt

Both autoencoders must have cells of the same size in pixels and frames. What one makes of a cell is
close to a linear function of what the other makes of it; the two functions, by least squares over
some clips, go into the first and the last weights of the transformer. `--weights` takes a stage's
checkpoint instead of the model's weights; with `--silent` the output begins at zero instead.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from reference.configuration import TinyVAEConfig
from reference.taehv import TAEHV

from .generator import Generator
from .make_latents import load_vae
from .training import take_fitting, weights


def read_vae(folder):
    vae = TAEHV(TinyVAEConfig.from_dict(json.loads((folder / "config.json").read_text())))
    vae.load_upstream(load_file(folder / "diffusion_pytorch_model.safetensors"))
    return vae.float().eval()


def cells(vae, files, count=17):
    """The latents of all cells of the clips' first frames, [N, C]."""
    rows = []
    for file in files:
        frames = torch.from_numpy(np.load(file)["frames"][:count])
        latents = vae.encode(frames.permute(0, 3, 1, 2)[None].float() / 255)[0]
        rows.append(latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]))
    return torch.cat(rows)


def fit(of, to):
    """[C_to, C_of]: `of` [N, C_of] times its transpose is close to `to` [N, C_to], but for a
    constant."""
    of, to = of - of.mean(0), to - to.mean(0)
    found = torch.linalg.lstsq(of, to).solution
    left = (of @ found - to).square().sum() / to.square().sum()
    print(f"{of.shape[1]} to {to.shape[1]} channels: {1 - left:.3f} of the variance")
    return found.T


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--weights")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    files = sorted(arguments.clips.glob("*.npz"))[:32]
    former = cells(read_vae(arguments.model / "tiny_vae"), files)
    new = cells(load_vae(arguments.vae), files)
    to_former, to_new = fit(new, former), fit(former, new)
    state = weights(arguments.weights or arguments.model)
    state = {k: v for k, v in state.items() if "cell_head" not in k}  # is begun anew

    C = former.shape[1]
    name = "transformer.patch_embedding.weight"  # [D, noise + image + tracks, 1, p, q]
    parts = state[name].split([C, C, state[name].shape[1] - 2 * C], 1)
    of_noise = to_former / to_former.norm(dim=1, keepdim=True)  # noise of deviation 1 stays so
    latent = [
        torch.einsum("dctpq,cn->dntpq", part, linear)
        for part, linear in zip(parts[:2], (of_noise, to_former), strict=True)
    ]
    state[name] = torch.cat([*latent, parts[2]], 1)
    for name, axes in (
        ("transformer.proj_out.weight", "pcd,nc->pnd"),
        ("transformer.proj_out.bias", "pc,nc->pn"),
    ):
        by_cell = state[name].unflatten(0, (-1, C)) * (0 if arguments.silent else 1)
        state[name] = torch.einsum(axes, by_cell, to_new).flatten(0, 1)
    take_fitting(Generator(), state)
    torch.save({"average": state}, arguments.out)


if __name__ == "__main__":
    main()
