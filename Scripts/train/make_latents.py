"""Encodes rendered clips with the trained tiny VAE: as they are, mirrored, backwards, both.
Resumable.

    python -m train.make_latents --clips runs/clips --vae runs/vae/checkpoint.pt \
        --out runs/latents

One `NNNNNN.pt` per clip and variant: latents float16 [T_lat, C, h, w], tracks float32 [T, N, 2] in
pixels, visible bool [T, N], object int16 [N], prompt. Where left and right change places, the
prompt says so. `channels.json` holds how much each latent channel matters in pixels.
"""

import argparse
import json
import os
import re
from pathlib import Path

import numpy as np
import torch

from reference.configuration import TinyVAEConfig
from reference.taehv import TAEHV

VARIANTS = {"": (False, False), "m": (True, False), "r": (False, True), "mr": (True, True)}
SIDEWAYS = {"left": "right", "clockwise": "counterclockwise"}  # turned by mirror and by time
DEPTH = {"towards": "away from"}  # turned by time


def turned_prompt(prompt, mirror, backwards):
    """The prompt of a clip that is mirrored, runs backwards, or both."""
    swap = (SIDEWAYS if mirror != backwards else {}) | (DEPTH if backwards else {})
    swap |= {b: a for a, b in swap.items()}
    if not swap:
        return prompt
    return re.sub(r"\b(" + "|".join(swap) + r")\b", lambda m: swap[m[0]], prompt)


def load_vae(path, scale=1):
    """The tiny VAE of a checkpoint (None: its initial weights); scale 2: that of double_vae."""
    name = {1: "tiny_vae.json", 2: "large_vae.json"}[scale]
    config = json.loads((Path(__file__).parent / name).read_text())
    vae = TAEHV(TinyVAEConfig.from_dict(config))
    if path:
        vae.load_state_dict(torch.load(path, map_location="cpu")["average"])
    return vae.eval().requires_grad_(False)


@torch.no_grad()
def channel_weights(vae, latents, step=0.3):
    """How far each channel's noise moves the decoded pixels, mean 1. latents [B, T, C, h, w]."""
    decoded, moves = vae.decode(latents), []
    for channel in range(latents.shape[2]):
        moved = latents.clone()
        moved[:, :, channel] += step * torch.randn_like(moved[:, :, channel])
        moves.append((vae.decode(moved) - decoded).square().mean().sqrt())
    moves = torch.stack(moves)
    return (moves / moves.mean()).tolist()


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--first", type=int, default=0, help="of several processes: its number")
    parser.add_argument("--stride", type=int, default=1, help="of several processes: how many")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    vae = load_vae(arguments.vae)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(Path(arguments.clips).glob("*.npz"))[arguments.first :: arguments.stride]
    for number, path in enumerate(files):
        targets = {name: out / f"{path.stem}{name}.pt" for name in arguments.variants}
        if all(target.exists() for target in targets.values()):
            continue
        clip = np.load(path)
        for name in targets:
            mirror, backwards = VARIANTS[name]
            frames, tracks, visible = clip["frames"], clip["tracks"].copy(), clip["visible"]
            if mirror:
                frames = frames[:, :, ::-1]
                tracks[..., 0] = frames.shape[2] - tracks[..., 0]
            if backwards:
                frames, tracks, visible = frames[::-1], tracks[::-1], visible[::-1]
            prompt = str(clip["prompt"])
            video = torch.from_numpy(np.ascontiguousarray(frames)).float() / 255
            latents = vae.encode(video.permute(0, 3, 1, 2)[None])
            if number == arguments.first == 0 and not (out / "channels.json").exists():
                (out / "channels.json").write_text(json.dumps(channel_weights(vae, latents[:, :5])))
            temporary = targets[name].with_suffix(".part")
            torch.save(
                {
                    "latents": latents[0].half(),
                    "tracks": torch.from_numpy(tracks.copy()),
                    "visible": torch.from_numpy(visible.copy()),
                    "object": torch.from_numpy(clip["object"]),
                    "prompt": turned_prompt(prompt, mirror, backwards),
                },
                temporary,
            )
            os.replace(temporary, targets[name])
        if number % 100 == 0:
            print(f"{number} clips, latent std {latents.std():.3f}", flush=True)


if __name__ == "__main__":
    main()
