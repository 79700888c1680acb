"""Which ground-truth tracks a training sample is shown: from dense grids to a single point to none.

People draw few tracks, motion transfer brings many; the student must follow both (paper, 2.3).
"""

import torch


def camera_moves(points, objects):
    """Whether the background moves, by more than 2 px on average. points [T, N, 2], objects [N]."""
    ground = points[:, objects < 1]
    return ground.shape[1] > 0 and (ground - ground[:1]).norm(dim=-1).mean().item() > 2


def choose_tracks(objects, visible, generator, limit=120, dense=False):
    """Indices [K] of the tracks the model is shown; `dense`: always many, from everywhere.

    objects [N] (below 1 = background), visible [T, N]. What moves without a track is noise to a
    regression, so that is kept rare."""
    draw = torch.rand(4, generator=generator).tolist()
    count = len(objects)
    order = torch.randperm(count, generator=generator)
    seen = visible[:, order].any(0)
    order = order[seen]
    if dense:
        return order[:limit]
    if draw[0] < 0.03:
        return order[:0]
    if draw[0] < 0.5:  # dense
        return order[: 30 + int(draw[1] * (limit - 30))]
    # Sparse: some points on each object, and some pins on the background.
    chosen = []
    per_object = 1 + int(draw[1] * 6)
    chosen.append(order[objects[order] < 1][: int(draw[2] ** 2 * 24)])
    for label in objects[objects > 0].unique().tolist():
        own = order[objects[order] == label]
        if torch.rand((), generator=generator) < 0.97:
            chosen.append(own[:per_object])
    return torch.cat(chosen) if chosen else order[:1]


def mask_span(visible, generator, probability=0.1):
    """Stochastic mid-frame masking (paper, 2.3): hides all tracks for a while. visible [T, K]."""
    frames = len(visible)
    if frames > 12 and torch.rand((), generator=generator) < probability:
        length = 4 + int(torch.randint(8, (), generator=generator))
        start = 1 + int(torch.randint(max(1, frames - length - 1), (), generator=generator))
        visible = visible.clone()
        visible[start : start + length] = False
    return visible


def origins(points, visible):
    """Where each track was first visible [K, 2]; of those that never were, where they began.
    points [T, K, 2], visible [T, K]."""
    first = visible.int().argmax(0)  # [K]
    return points.gather(0, first[None, :, None].expand(1, -1, 2))[0]
