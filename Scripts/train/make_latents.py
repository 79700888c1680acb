"""Encodes rendered clips (and their mirror images) with the trained tiny VAE. Resumable.

    python -m train.make_latents --clips runs/clips --vae runs/vae/checkpoint.pt \
        --out runs/latents

One `NNNNNN.pt` per clip and mirror: latents float16 [T_lat, C, h, w], tracks float32 [T, N, 2] in
pixels, visible bool [T, N], object int16 [N], prompt. A mirrored clip's prompt swaps left and
right.
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

SWAP = {
    "left": "right",
    "right": "left",
    "clockwise": "counterclockwise",
    "counterclockwise": "clockwise",
}


def mirrored_prompt(prompt):
    return re.sub(r"\b(left|right|clockwise|counterclockwise)\b", lambda m: SWAP[m[0]], prompt)


def load_vae(path, config=None):
    config = TinyVAEConfig.from_dict(
        json.load(open(config or Path(__file__).parent / "tiny_vae.json"))
    )
    vae = TAEHV(config)
    vae.load_state_dict(torch.load(path, map_location="cpu")["average"])
    return vae.eval().requires_grad_(False)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    vae = load_vae(arguments.vae)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(Path(arguments.clips).glob("*.npz"))):
        targets = [out / f"{path.stem}{suffix}.pt" for suffix in ("", "m")]
        if all(target.exists() for target in targets):
            continue
        clip = np.load(path)
        for target, mirror in zip(targets, (False, True), strict=True):
            frames, tracks, prompt = clip["frames"], clip["tracks"].copy(), str(clip["prompt"])
            if mirror:
                frames, prompt = frames[:, :, ::-1], mirrored_prompt(prompt)
                tracks[..., 0] = frames.shape[2] - tracks[..., 0]
            video = torch.from_numpy(np.ascontiguousarray(frames)).float() / 255
            latents = vae.encode(video.permute(0, 3, 1, 2)[None])[0]
            temporary = target.with_suffix(".part")
            torch.save(
                {
                    "latents": latents.half(),
                    "tracks": torch.from_numpy(tracks),
                    "visible": torch.from_numpy(clip["visible"]),
                    "object": torch.from_numpy(clip["object"]),
                    "prompt": prompt,
                },
                temporary,
            )
            os.replace(temporary, target)
        if number % 100 == 0:
            print(f"{number} clips, latent std {latents.std():.3f}", flush=True)


if __name__ == "__main__":
    main()
