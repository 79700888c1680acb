"""Which of the world's shapes a piece of picture shows: a small convolutional network, trained in
minutes on crops of the train split and graded on crops of the validation split."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from world import Tracer, render, sample_scene, split_seed
from world.scene import SHAPES

from .jobs import processes
from .objects import SMALLEST

SIDE = 32  # px of a crop
PER_SCENE = 3  # frames drawn of each scene
MARGIN = 0.25  # of the object's box, on each side
FRAMES = 81  # of the scenes


class Classifier(nn.Module):
    """Crops float [B, 3, 32, 32] to logits [B, shapes]."""

    def __init__(self):
        super().__init__()

        def stage(a, b):
            return [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)]

        widths = (3, 24, 48, 96)
        layers = [m for a, b in zip(widths, widths[1:], strict=False) for m in stage(a, b)]
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(96 * 16, len(SHAPES))
        )

    def forward(self, crops):
        return self.layers(crops)


def crop(frame, mask, shift=(0.0, 0.0), grow=1.0):
    """The square around a mask [H, W] of a frame, float [3, 32, 32] in -1..1; or None where the
    object is small or touches the border. `shift`, in sides, and `grow` move it."""
    small = mask.sum() < SMALLEST * (frame.shape[1] / 160) ** 2
    if small or mask[[0, -1]].any() or mask[:, [0, -1]].any():
        return None
    rows, columns = np.nonzero(mask)
    size = max(np.ptp(rows), np.ptp(columns)) + 1
    side = size * (1 + 2 * MARGIN) * grow
    y = (rows.min() + rows.max() + 1) / 2 + shift[1] * size
    x = (columns.min() + columns.max() + 1) / 2 + shift[0] * size
    height, width = mask.shape
    steps = ((torch.arange(SIDE) + 0.5) / SIDE - 0.5) * side
    grid_y, grid_x = torch.meshgrid((steps + y) / height, (steps + x) / width, indexing="ij")
    grid = torch.stack((grid_x, grid_y), -1)[None].float() * 2 - 1
    picture = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float()
    return F.grid_sample(picture / 127.5 - 1, grid, padding_mode="border", align_corners=False)[0]


def crops_of(job):
    """Crops uint8 [n, 3, 32, 32] and shapes [n] of one scene's objects at random times."""
    split, index, config = job
    rng = np.random.default_rng([index, 0xC209])
    scene = sample_scene(split_seed(split, index), config)
    tracer, crops, labels = Tracer(scene), [], []
    for at in rng.integers(0, config.frames, PER_SCENE):
        frames, _, owner = render(tracer, int(at), int(at) + 1)
        for number, solid in enumerate(scene.solids, 1):
            shift = rng.uniform(-0.12, 0.12, 2) if split == "train" else (0, 0)
            grow = rng.uniform(0.85, 1.2) if split == "train" else 1.0
            piece = crop(frames[0].numpy(), owner[0].numpy() == number, shift, grow)
            if piece is not None:
                crops.append(piece)
                labels.append(SHAPES.index(solid.shape))
    crops = torch.stack(crops) if crops else torch.zeros(0, 3, SIDE, SIDE)
    return quantized(crops), labels


def quantized(crops):
    """Crops in -1..1 as uint8, four times as small on their way between processes."""
    return ((crops + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()


def restored(crops):
    return torch.from_numpy(crops).float() / 127.5 - 1


def dataset(split, scenes, config, workers):
    jobs = [(split, i, config) for i in range(scenes)]
    parts = processes(workers).map(crops_of, jobs, 8) if workers else list(map(crops_of, jobs))
    crops = restored(np.concatenate([c for c, _ in parts]))
    return crops, torch.tensor([label for _, labels in parts for label in labels])


def classifier(setup, scenes, epochs=12):
    """(network, its accuracy on true crops of the validation split), from the output folder if it
    was trained before."""
    config = setup.mix.config(setup.manifest, FRAMES)
    name = f"shapes-{config.width}x{config.height}-{scenes}-{PER_SCENE}-{epochs}"
    mix = f"{config.max_objects}-{config.still_camera:g}-{config.turning:g}"
    path = Path(setup.out) / f"{name}-{mix}.pt"
    network = Classifier()
    if path.exists():
        saved = torch.load(path)
        network.load_state_dict(saved["network"])
        return network.eval(), saved["accuracy"]
    crops, labels = dataset("train", scenes, config, setup.workers)
    train(network, crops, labels, epochs)
    crops, labels = dataset("validation", max(20, scenes // 6), config, setup.workers)
    with torch.no_grad():
        accuracy = float((network(crops).argmax(1) == labels).float().mean())
    temporary = path.with_suffix(f".{os.getpid()}")
    torch.save({"network": network.state_dict(), "accuracy": accuracy}, temporary)
    os.replace(temporary, path)
    print(f"text: shapes of {len(labels)} true crops, {100 * accuracy:.1f} % right", flush=True)
    return network, accuracy


def train(network, crops, labels, epochs, size=64):
    """Mirrored, blurred and noisy as generated pictures may be, so that it goes by the shape."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    steps = epochs * (len(crops) // size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=max(1, steps))
    network.train()
    for _ in range(steps):
        chosen = torch.randint(0, len(crops), (size,), generator=generator)
        batch = crops[chosen]
        draw = torch.rand(3, generator=generator).tolist()
        if draw[0] < 0.5:
            batch = batch.flip(3)
        if draw[1] < 0.5:
            batch = F.avg_pool2d(F.pad(batch, (1, 1, 1, 1), mode="replicate"), 3, 1)
        batch = batch + 0.1 * draw[2] * torch.randn(batch.shape, generator=generator)
        loss = F.cross_entropy(network(batch), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
