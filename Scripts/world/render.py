"""Pictures of a traced scene: whole frames, with smooth edges where they are needed."""

import torch

from .tracer import gather, put

CONTRAST = 0.08  # neighbours that differ by more (of 1) are smoothed


def render(tracer, start=0, stop=None):
    """Frames start..stop: uint8 [T, H, W, 3], depth float32 [T, H, W], owner int8 [T, H, W]."""
    config = tracer.scene.config
    height, width = config.height, config.width
    stop = config.frames if stop is None else stop
    device = tracer.device
    step = config.chunk if device.type == "cpu" else max(config.chunk, 64)
    pieces = []
    for begin in range(start, stop, step):
        count = min(step, stop - begin)
        size = count, height, width
        frame = torch.arange(begin, begin + count, device=device)[:, None, None].expand(size)
        y = (torch.arange(height, device=device) + 0.5)[None, :, None].expand(size)
        x = (torch.arange(width, device=device) + 0.5)[None, None].expand(size)
        frame, x, y = frame.reshape(-1), x.reshape(-1), y.reshape(-1)
        hit = tracer.trace(frame, x, y, block=(begin, begin + count))
        picture = hit.colour.clamp(0, 1)
        if config.edge_samples:
            _smooth(tracer, hit, picture, frame, x, y, size)
        picture = (picture.view(3, *size).permute(1, 2, 3, 0) * 255 + 0.5).to(torch.uint8)
        owner = hit.owner.to(torch.int8).view(size)
        pieces.append((picture.contiguous(), hit.depth.view(size), owner))
    return tuple(torch.cat(part) for part in zip(*pieces, strict=True))


def _smooth(tracer, hit, picture, frame, x, y, size):
    """Trace the pixels that differ from a neighbour again, several times each."""
    image = picture.view(3, *size)
    owner = hit.owner.view(size)
    edge = torch.zeros(size, dtype=torch.bool, device=picture.device)
    for axis in (1, 2):
        count = size[axis] - 1
        a, b = image.narrow(axis + 1, 0, count), image.narrow(axis + 1, 1, count)
        differs = ((a - b).abs().amax(0) > CONTRAST) | (
            owner.narrow(axis, 0, count) != owner.narrow(axis, 1, count)
        )
        edge.narrow(axis, 0, count).logical_or_(differs)
        edge.narrow(axis, 1, count).logical_or_(differs)
    rays = edge.view(-1).nonzero()[:, 0]
    samples = tracer.scene.config.edge_samples
    if not len(rays):
        return
    i = torch.arange(samples, device=rays.device)[:, None]
    # points spread evenly over the pixel (a rank-1 lattice)
    dx, dy = (i + 0.5) / samples - 0.5, torch.remainder(i * 0.618034 + 0.31, 1) - 0.5
    again = tracer.trace(
        gather(frame, rays).repeat(samples),
        (gather(x, rays) + dx).flatten(),
        (gather(y, rays) + dy).flatten(),
    )
    put(picture, rays, again.colour.clamp(0, 1).view(3, samples, -1).mean(1))
