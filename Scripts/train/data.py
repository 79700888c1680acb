"""Training samples from encoded clips: latents, the tracks shown, prompt ids."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import sentencepiece
import torch

from .tracks import camera_moves, choose_tracks, mask_span, origins


@dataclass
class Shown:
    """The tracks that a batch is shown, over its frames: points [B, F, K, 2] in pixels, visible
    [B, F, K], origin [B, K, 2] where each was first visible, from_start [B, K] whether that was in
    the first picture."""

    points: torch.Tensor
    visible: torch.Tensor
    origin: torch.Tensor
    from_start: torch.Tensor

    def frames(self, part):
        """Those of pixel frames `part`."""
        return replace(self, points=self.points[:, part], visible=self.visible[:, part])


class LatentClips:
    """All clips in memory. `sample` cuts latent frames `index` out of a random clip."""

    def __init__(self, folder, tokenizer, max_tokens, seed=0, limit=120):
        self.folder = Path(folder)
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        self.max_tokens, self.limit = max_tokens, limit
        self.generator = torch.Generator().manual_seed(seed)
        self.channels = torch.tensor(json.loads((self.folder / "channels.json").read_text()))
        self.clips, self.weights, self.known = [], [], set()
        self.refresh()

    def refresh(self):
        for path in sorted(self.folder.glob("*.pt")):
            if path.name not in self.known:
                self.known.add(path.name)
                clip = torch.load(path)
                clip["ids"] = self.encode(clip["prompt"])
                clip["camera"] = camera_moves(clip["tracks"], clip["object"])
                self.clips.append(clip)
                self.weights.append(self.motion(clip["latents"].float()))

    def motion(self, latents):
        """How often a clip is drawn: more if much of it moves; 0.1 to 1. latents [T, C, h, w]."""
        change = (latents[::3] - latents[0]).square() * self.channels[:, None, None]
        return 0.1 + 0.9 * min(1.0, (change.mean(1) > 0.05).float().mean().item() / 0.15)

    def encode(self, prompt):
        """Piece ids, cut, with the end token 1 last; zero-padded to max_tokens."""
        ids = [*self.tokenizer.encode(prompt)[: self.max_tokens - 1], 1]
        return torch.tensor(ids + [0] * (self.max_tokens - len(ids)))

    def batch(self, size, index, text_dropout=0.15):
        """`index`: latent frames to cut, the same for all; frames 4j-3 .. 4j go with latent j.

        Returns latents [B, C, T, h, w], first [B, C, h, w], tracks (Shown, F = 4T), ids [B, M]."""
        rows = []
        weights = torch.tensor(self.weights)
        for number in torch.multinomial(weights, size, generator=self.generator).tolist():
            clip = self.clips[number]
            chosen = choose_tracks(
                clip["object"], clip["visible"], self.generator, self.limit, clip["camera"]
            )
            points, visible = clip["tracks"][:, chosen], clip["visible"][:, chosen]
            origin = origins(points, visible)
            visible = mask_span(visible, self.generator)
            frames = torch.tensor([4 * j + k for j in index for k in (-3, -2, -1, 0)])
            shown = visible[frames.clamp(min=0)] & (frames >= 0)[:, None]
            drop = torch.rand((), generator=self.generator) < text_dropout
            rows.append(
                (
                    clip["latents"][index].float().transpose(0, 1),
                    clip["latents"][0].float(),
                    points[frames.clamp(min=0)],
                    shown,
                    origin,
                    clip["visible"][0, chosen],
                    self.encode("") if drop else clip["ids"],
                )
            )
        most = max(1, *(len(row[4]) for row in rows))
        latents, first, ids = (torch.stack([row[i] for row in rows]) for i in (0, 1, 6))
        shown = Shown(
            *(torch.stack([pad(r[i], most, axis) for r in rows]) for i, axis in ((2, 1), (3, 1))),
            *(torch.stack([pad(r[i], most, 0) for r in rows]) for i in (4, 5)),
        )
        return latents, first, shown, ids


def pad(x, length, axis):
    shape = list(x.shape)
    shape[axis] = length - shape[axis]
    return torch.cat((x, x.new_zeros(shape)), axis)
