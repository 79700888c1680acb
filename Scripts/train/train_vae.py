"""Stage 0: the tiny VAE (TAEHV architecture, causal, streaming decoder). Resumable.

    python -m train.train_vae --clips runs/clips --out runs/vae --minutes 20

Loss: L1 + MSE of pixels, more on colour differences, L1 at an eighth of the size and L1 of image
gradients (edges stay sharp).
"""

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .make_latents import load_vae
from .muon import Muon
from .patch_basis import blocks, set_linear_code


@dataclass
class Recipe:
    batch: int = 4
    clip_frames: int = 9  # 1 + 4k: latents 0 to 2
    crop: int = 16  # cells; the network is convolutional
    on_objects: float = 0.6  # share of crops around a point of an object
    noise: float = 0.05  # on the latents, in their deviations
    learning_rate: float = 3e-4
    bias_rate: float = 0.1  # of the learning rate: fast biases kill ReLUs and whole blocks
    warmup: int = 100
    gradient_weight: float = 0.3
    chroma_weight: float = 1.0
    coarse_weight: float = 1.0
    seed: int = 0


class Clips:
    """Random crops of random clips. New files are picked up while the renderer is still running."""

    def __init__(self, folder, recipe, cell):
        self.folder, self.recipe = Path(folder), recipe
        self.crop = recipe.crop * cell  # pixels
        self.random = np.random.default_rng(recipe.seed + int(time.time()))
        self.cache = {}
        self.refresh()

    def refresh(self):
        self.files = sorted(self.folder.glob("*.npz"))

    def batch(self):
        recipe, out = self.recipe, []
        for _ in range(recipe.batch):
            path = self.files[self.random.integers(len(self.files))]
            if path not in self.cache:
                clip = np.load(path)
                self.cache[path] = clip["frames"], clip["tracks"][:, clip["object"] > 0]
            frames, points = self.cache[path]
            t = self.random.integers(len(frames) - recipe.clip_frames + 1)
            room = np.array(frames.shape[2:0:-1]) - self.crop  # x, y
            corner = self.random.integers(room + 1)
            if points.shape[1] and self.random.random() < recipe.on_objects:
                point = points[t, self.random.integers(points.shape[1])]
                corner = point - self.random.uniform(0.1, 0.9, 2) * self.crop
                corner = corner.clip(0, room).astype(int)
            x, y = corner
            piece = frames[t : t + recipe.clip_frames, y : y + self.crop, x : x + self.crop]
            if self.random.random() < 0.5:
                piece = piece[:, :, ::-1]
            out.append(torch.from_numpy(np.ascontiguousarray(piece)))
        video = torch.stack(out).float() / 255  # [B, T, H, W, 3]
        return video.permute(0, 1, 4, 2, 3)


@torch.no_grad()
def initialize(model):
    """He initialisation, residual branches zero, output in the middle of the range: PyTorch's
    default shrinks the signal by half per layer, and hundreds of steps go by before it arrives."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            if name.endswith("conv.4"):
                module.weight.zero_()
    for last, bias in ((model.encoder[-1], 0.0), (model.decoder[-1], 0.5)):
        nn.init.kaiming_normal_(last.weight, nonlinearity="linear")
        last.weight.mul_(0.3)
        nn.init.constant_(last.bias, bias)


def gradient_loss(a, b):
    dx = (a[..., 1:] - a[..., :-1]) - (b[..., 1:] - b[..., :-1])
    dy = (a[..., 1:, :] - a[..., :-1, :]) - (b[..., 1:, :] - b[..., :-1, :])
    return dx.abs().mean() + dy.abs().mean()


def coarse_loss(error):
    """L1 of the error averaged over 8x8 pixels: colours and light arrive before the detail."""
    return F.avg_pool2d(error.flatten(0, 1), 8).abs().mean()


def chroma(error):
    """Differences of red and blue to green. error [B, T, 3, H, W]."""
    return error[:, :, ::2] - error[:, :, 1:2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = Recipe()
    torch.manual_seed(recipe.seed)
    model = load_vae(None).train().requires_grad_(True)
    config, model = model.config, model.to(arguments.device).to(memory_format=torch.channels_last)
    initialize(model)
    kernels = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    optimizers = [
        Muon(kernels, lr=recipe.learning_rate, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=recipe.learning_rate * recipe.bias_rate, weight_decay=0.0),
    ]
    average = {k: v.clone() for k, v in model.state_dict().items()}
    step, spent = 0, 0.0
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=arguments.device)
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        average, step, spent = saved["average"], saved["step"], saved["seconds"]
    clips = Clips(arguments.clips, recipe, config.patch_size)
    if step == 0 and len(config.downscale) == 1:
        space, time_step = config.patch_size, model.temporal_compression
        values = [blocks(clips.batch()[:, 1:], space, time_step) for _ in range(100)]
        set_linear_code(model, torch.cat(values).to(arguments.device))
        average = {k: v.clone() for k, v in model.state_dict().items()}
    start, last_save = time.time(), time.time()
    running = 0.0
    while (elapsed := spent + time.time() - start) < arguments.minutes * 60:
        progress = elapsed / (arguments.minutes * 60)
        rate = recipe.learning_rate * min(1, (step + 1) / recipe.warmup)
        rate *= 0.5 * (1 + math.cos(math.pi * progress)) * 0.98 + 0.02
        for optimizer, factor in zip(optimizers, (1, recipe.bias_rate), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.zero_grad(set_to_none=True)
        video = clips.batch().to(arguments.device)
        latent = model.encode(video)
        std = latent.std((0, 1, 3, 4)).square().mean().sqrt()
        seen = latent + recipe.noise * std.detach() * torch.randn_like(latent)
        decoded = model.decode(seen, clamp=False)
        error = decoded - video
        loss = error.abs().mean() + 2 * error.square().mean()
        loss = loss + recipe.chroma_weight * chroma(error).abs().mean()
        loss = loss + recipe.gradient_weight * gradient_loss(decoded, video)
        loss = loss + recipe.coarse_weight * coarse_loss(error)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            decay = min(0.995, (1 + step) / (10 + step))
            for key, value in model.state_dict().items():
                average[key].lerp_(value, 1 - decay)
        step += 1
        mse = error.detach().clamp(-1, 1).square().mean().item()
        running = mse if step == 1 else 0.98 * running + 0.02 * mse
        if step % 25 == 0:
            clips.refresh()
            print(
                f"step {step} {elapsed / 60:.1f} min  loss {loss.item():.4f}  "
                f"psnr {-10 * math.log10(running):.2f} dB  "
                f"latent std {std.item():.3f}",
                flush=True,
            )
        if time.time() - last_save > 60:
            save(checkpoint, model, optimizers, average, step, spent + time.time() - start)
            last_save = time.time()
    save(checkpoint, model, optimizers, average, step, spent + time.time() - start)
    (out / "recipe.json").write_text(json.dumps({"stage": "vae", **asdict(recipe), "steps": step}))


def save(path, model, optimizers, average, step, seconds):
    temporary = path.with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(),
            "optimizers": [o.state_dict() for o in optimizers],
            "average": average,
            "step": step,
            "seconds": seconds,
        },
        temporary,
    )
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
