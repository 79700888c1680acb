"""What the student's training stages share: the model, its inputs, optimisers, checkpoints."""

import json
import os
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from reference.causal_transformer import CausalTransformer
from reference.configuration import ModelConfiguration, TextEncoderConfig, TransformerConfig
from reference.sampler import FlowMatchScheduler
from reference.text_encoder import TextEncoder
from reference.trajectory_guidance import GuidingTracks, carry

from .muon import Muon

HERE = Path(__file__).parent


def read(name):
    return json.loads((HERE / name).read_text())


class Student(nn.Module):
    """Transformer, track head and text encoder; they are trained together."""

    def __init__(self):
        super().__init__()
        self.rules = ModelConfiguration.from_dict(read("motionstream.json"))
        self.transformer = CausalTransformer(
            TransformerConfig.from_dict(read("transformer.json")), self.rules.tracks
        )
        self.text_encoder = TextEncoder(TextEncoderConfig.from_dict(read("text_encoder.json")))
        self.scheduler = FlowMatchScheduler(
            self.rules.sampler.shift, self.rules.sampler.train_timesteps
        )
        self.timesteps = self.scheduler.step_list(self.rules.sampler)
        self.sigmas = [float(self.scheduler.sigma(t)) for t in self.timesteps]

    def text(self, ids):
        """ids [B, M], zero-padded after the end token -> [B, M, text_dim], zero-padded."""
        rows = []
        for row in ids:
            length = int((row != 0).sum())
            rows.append(F.pad(self.text_encoder(row[None, :length]), (0, 0, 0, len(row) - length)))
        return torch.cat(rows)

    def condition(self, first, shown, index, image_dropout=0.0):
        """Image and track channels [B, C + track channels, T, h, w] of the latent frames `index`,
        which the tracks `shown` (a Shown) are cut to.

        Without the picture (dropout), the first chunk has no image channels; later chunks follow
        the first latent that was made, here the true one."""
        B, _, h, w = first.shape
        size, rules = (h, w), self.rules
        tracks = self.transformer.track_encoder(
            shown.points, shown.visible, shown.origin, size, first=False
        )
        r = rules.temporal_compression
        guiding = GuidingTracks(
            shown.points.unflatten(1, (-1, r)),
            shown.visible.unflatten(1, (-1, r)).float(),
            shown.origin,
            shown.from_start.float(),
        )
        image = carry(first, guiding, rules.spatial_compression, rules.image.reach)
        chunk = [i for i, j in enumerate(index) if j < rules.first_chunk]
        if 0 in index:
            image[:, :, index.index(0)] = first
        keep = (torch.rand(B, 1, 1, 1, 1) >= image_dropout).float()
        image[:, :, chunk] = image[:, :, chunk] * keep
        return torch.cat((image, tracks), dim=1)


def importance(latents, image, channels, wrong=4.0):
    """Weights of the loss [B, C, T, h, w], mean 1: channels by what they do in pixels, and cells
    whose image channels are wrong, so that there is something to do, `wrong` times more.

    latents and image [B, C, T, h, w], channels [C]."""
    channels = channels[:, None, None, None]
    error = ((latents - image).square() * channels).mean(1)  # [B, T, h, w]
    cells = 1 + wrong * F.max_pool2d((error > 0.05).float(), 3, 1, 1)
    return channels * (cells / cells.mean())[:, None]


def optimizers(model, lr):
    """Muon for the blocks' matrices, AdamW for everything else."""
    matrices, rest = [], []
    for name, p in model.named_parameters():
        hidden = p.dim() == 2 and ("blocks." in name or "encoder.block" in name)
        (matrices if hidden and "relative" not in name else rest).append(p)
    return [
        Muon(matrices, lr=lr),
        torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.98), weight_decay=0.0),
    ]


class Workers:
    """The processes of one `torchrun`, or this one alone. All hold the same weights."""

    def __init__(self, threads):
        self.count = int(os.environ.get("WORLD_SIZE", 1))
        self.number = int(os.environ.get("RANK", 0))
        torch.set_num_threads(max(1, threads // self.count))
        if self.count > 1:
            dist.init_process_group("gloo")

    @property
    def first(self):
        """Whether this is the one that prints and saves."""
        return self.number == 0

    def average(self, model, *numbers):
        """Averages all gradients, and some numbers (time, losses), over the processes."""
        if self.count == 1:
            return numbers
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        parts = [torch.tensor(numbers, dtype=torch.float64).float(), *(g.flatten() for g in grads)]
        flat = torch.cat(parts)
        dist.all_reduce(flat)
        flat /= self.count
        used = len(numbers)
        for grad in grads:
            grad.copy_(flat[used : used + grad.numel()].view_as(grad))
            used += grad.numel()
        return flat[: len(numbers)].tolist()


class Average:
    """Exponential moving average of the weights: what is exported."""

    def __init__(self, model):
        self.state = {k: v.clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model, decay):
        for key, value in model.state_dict().items():
            self.state[key].lerp_(value, 1 - decay)


def save(path, model, optimizer_list, average, step, seconds):
    temporary = Path(path).with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(),
            "optimizers": [o.state_dict() for o in optimizer_list],
            "average": average.state,
            "step": step,
            "seconds": seconds,
        },
        temporary,
    )
    os.replace(temporary, path)


def resume(path, model, optimizer_list, average):
    saved = torch.load(path)
    model.load_state_dict(saved["model"])
    for optimizer, state in zip(optimizer_list, saved["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    average.state = saved["average"]
    return saved["step"], saved["seconds"]
