"""What the tiny VAE alone loses: true clips encoded and decoded (PyTorch twin, float32), graded as
if they had been made. Its EPE is what the tracker loses on such pictures: no model that uses this
VAE can be expected to score less."""

import numpy as np
import torch

from reference.model_directory import load

from .grade import grade, summary
from .jobs import each


def measure(setup, clips, frames, kind):
    settings = {"frames": frames, "tracks": kind}
    rows = each(one, range(clips), setup, "vae", settings)
    return summary(rows) | settings


def one(index, setup, settings):
    clip = setup.clip(index, settings["frames"])
    vae = load(setup.engine.model).tiny_vae
    made = decode(vae, encode(vae, clip.frames))
    return grade(made, clip, clip.tracks(settings["tracks"]))


@torch.no_grad()
def encode(vae, frames):
    """uint8 [T, H, W, 3], T = 1 + 4k -> latents [1, C, 1 + k, h, w]."""
    video = torch.from_numpy(frames.astype(np.float32) / 255).permute(0, 3, 1, 2)
    return vae.encode(video[None]).transpose(1, 2)


@torch.no_grad()
def decode(vae, latents):
    """latents [1, C, 1 + k, h, w] -> uint8 [1 + 4k, H, W, 3]; streamed, in little memory."""
    frames, memory = [], None
    for latent in latents.transpose(1, 2).split(1, dim=1):
        made, memory = vae.decode_more(latent, memory)
        frames.append(made[0])
    video = torch.cat(frames)[vae.temporal_compression - 1 :]
    return (video.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
