"""What the tiny VAE alone loses: true clips encoded and decoded (PyTorch twin, float32)."""

import numpy as np
import torch

from reference.model_directory import load

from .jobs import each
from .pictures import psnr, sharpness, ssim


def measure(setup, clips, frames):
    rows = each(one, range(clips), setup, "vae", {"frames": frames})
    result = {"clips": clips, "frames": frames}
    for name in ("psnr", "ssim"):
        result[name] = float(np.mean([r[name] for r in rows]))
    result["sharpness_of_true"] = float(
        sum(r["sharpness"] for r in rows) / sum(r["sharpness_true"] for r in rows)
    )
    return result


def one(index, setup, settings):
    clip = setup.clip(index, settings["frames"])
    vae = load(setup.engine.model).tiny_vae
    made = decode(vae, encode(vae, clip.frames))
    return {
        "psnr": psnr(made, clip.frames),
        "ssim": ssim(made, clip.frames),
        "sharpness": float(np.mean([sharpness(f) for f in made])),
        "sharpness_true": float(np.mean([sharpness(f) for f in clip.frames])),
    }


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
    return (video.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()
