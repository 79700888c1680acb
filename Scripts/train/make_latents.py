"""Encodes rendered clips with the trained tiny VAE. Resumable.

    python -m train.make_latents --clips runs/clips --vae runs/vae/checkpoint.pt \
        --out runs/latents

One `NNNNNN.pt` per clip: latents float16 [T_lat, C, h, w]; of the tracks that the model is to be
shown with it, tracks float32 [T, K, 2] in pixels, visible bool [T, K] and origin [K, 2]; the image
channels float16 [T_lat, C, h, w] that they make of the first picture; prompt. With `--mirrored` as
much again in `NNNNNN-mirrored.pt`. `channels.json` holds how much each latent channel matters in
pixels.
"""

import argparse
import json
import os
import re
from pathlib import Path

import numpy as np
import torch

from reference import model_directory
from reference.configuration import TinyVAEConfig
from reference.picture_warp import PictureWarp
from reference.taehv import TAEHV

from .generator import read
from .tracks import camera_moves, choose_tracks, mask_span, origins


def load_vae(path):
    """The tiny VAE of a checkpoint or a model directory (None: its initial weights)."""
    vae = TAEHV(TinyVAEConfig.from_dict(read("tiny_vae.json")))
    if path and Path(path).is_dir():
        vae.load_upstream(model_directory.weights(path, model_directory.TINY_VAE))
    elif path:
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


def image_channels(vae, picture, points, visible):
    """The image channels [T_lat, C, h, w] of a clip that begins with picture [3, H, W] and whose
    tracks are at points [F, K, 2] in pixels, visible [F, K]."""
    return encoded(vae, moved(picture, points, visible))


def moved(picture, points, visible):
    """What the tracks make of the picture, [F, 3, H, W]; as in image_channels."""
    rules = read("motionstream.json")
    cell = rules["spatial_compression"]
    warp = PictureWarp(picture, points[0], visible[0], rules["image"]["reach"] * cell, cell)
    frames = [warp.frame(*now) for now in zip(points[1:], visible[1:], strict=True)]
    return torch.stack([picture, *frames])


def encoded(vae, video):
    """The latents [T_lat, C, h, w] of video [F, 3, H, W], where video is; vae may be elsewhere."""
    return vae.encode(video[None].to(next(vae.parameters()).device))[0].to(video.device)


def samples(clip, vae, seed, length=None, limit=120, mirrored=False):
    """What is stored of the first `length` frames of a rendered clip; if `mirrored`, also of its
    mirror image."""
    frames, tracks, visible = (
        torch.from_numpy(clip[k][:length]) for k in ("frames", "tracks", "visible")
    )
    objects = torch.from_numpy(clip["object"])
    video = frames.permute(0, 3, 1, 2).float() / 255
    generator = torch.Generator().manual_seed(seed)
    dense = camera_moves(tracks, objects)
    chosen = choose_tracks(objects, visible, generator, limit, dense)
    tracks, visible = tracks[:, chosen], visible[:, chosen]
    origin = origins(tracks, visible)
    visible = mask_span(visible, generator)
    row = {
        "latents": video,
        "image": moved(video[0], tracks, visible),
        "tracks": tracks,
        "visible": visible,
        "origin": origin,
        "prompt": str(clip["prompt"]),
    }
    for each in [row, mirror(row)] if mirrored else [row]:
        yield each | {k: encoded(vae, each[k]).half() for k in ("latents", "image")}


def mirror(row):
    """A row of `samples`, before it is encoded, with left and right exchanged."""
    width = torch.tensor((row["latents"].shape[-1], 0.0))
    result = row | {k: row[k].flip(-1) for k in ("latents", "image")}
    result |= {k: width + row[k] * torch.tensor((-1.0, 1.0)) for k in ("tracks", "origin")}
    other = {"left": "right", "right": "left"}
    said = re.sub(r"\b(left|right)\b", lambda word: other[word[0]], row["prompt"])
    return result | {"prompt": said}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="of the autoencoder: cpu or cuda")
    parser.add_argument("--frames", type=int, help="of each clip, its first; all if not given")
    parser.add_argument("--mirrored", action="store_true", help="store mirror images, too")
    parser.add_argument("--first", type=int, default=0, help="of several processes: its number")
    parser.add_argument("--stride", type=int, default=1, help="of several processes: how many")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    vae = load_vae(arguments.vae).to(arguments.device)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(Path(arguments.clips).glob("*.npz"))[arguments.first :: arguments.stride]
    for number, path in enumerate(files):
        target = out / f"{path.stem}.pt"
        if target.exists():
            continue
        clip, mirrored = np.load(path), arguments.mirrored
        rows = samples(clip, vae, int(path.stem), arguments.frames, mirrored=mirrored)
        names = (target, target.with_stem(f"{path.stem}-mirrored"))
        for row, name in zip(rows, names, strict=False):
            temporary = name.with_suffix(f".{os.getpid()}.part")
            torch.save(row, temporary)
            os.replace(temporary, name)
        if not (out / "channels.json").exists() and arguments.first == 0:
            few = row["latents"][None, :5].float().to(arguments.device)
            weights = channel_weights(vae, few)
            (out / "channels.json").write_text(json.dumps(weights))
        if number % 50 == 0:
            print(f"{number} clips, latent std {row['latents'].float().std():.3f}", flush=True)


if __name__ == "__main__":
    main()
