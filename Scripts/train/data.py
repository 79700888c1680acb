"""Training samples from encoded clips: latents, the tracks shown, prompt ids."""

import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import sentencepiece
import torch


@dataclass
class Shown:
    """The tracks that a batch is shown, over its frames: points [B, F, K, 2] in pixels, visible
    [B, F, K], origin [B, K, 2] where each was first visible (or, of a picture to be drawn,
    [B, F, K, 2])."""

    points: torch.Tensor
    visible: torch.Tensor
    origin: torch.Tensor

    def frames(self, part):
        """Those of pixel frames `part`."""
        return replace(self, points=self.points[:, part], visible=self.visible[:, part])

    def first(self, rows):
        """Those of the first `rows` of the batch."""
        return Shown(*(getattr(self, field.name)[:rows] for field in fields(self)))

    def to(self, device):
        return Shown(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass
class Batch:
    """latents [B, C, T, h, w], image channels of the same shape (the first picture as the tracks
    move it), the tracks shown (F = 4T), prompt ids [B, M] and, of teacher trajectories, the noisy
    states [levels, B, C, T, h, w]."""

    latents: torch.Tensor
    image: torch.Tensor
    shown: Shown
    ids: torch.Tensor
    states: torch.Tensor | None = None

    def to(self, device):
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(**{k: v if v is None else v.to(device) for k, v in parts.items()})


class LatentClips:
    """All clips of a folder in memory: true ones, or a teacher's (make_trajectories). Each is shown
    the tracks that its image channels were made with."""

    def __init__(self, folder, tokenizer, max_tokens, seed=0, device="cpu"):
        self.folder, self.device = Path(folder), device
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        self.max_tokens = max_tokens
        self.generator = torch.Generator().manual_seed(seed)
        self.channels = channel_importance(folder).to(device)
        self.clips, self.weights, self.known = [], [], set()
        self.refresh()

    def refresh(self):
        for path in sorted(self.folder.glob("*.pt")):
            if path.name not in self.known:
                self.known.add(path.name)
                clip = torch.load(path, map_location=self.device)
                if "ids" not in clip:
                    clip["ids"] = self.encode(clip["prompt"])
                self.clips.append(clip)
                self.weights.append(self.motion(clip["latents"].float()))

    @property
    def latent_frames(self):
        """Length of the shortest clip."""
        return min(len(clip["latents"]) for clip in self.clips)

    @cached_property
    def deviation(self):
        """The standard deviation of latents, over the first clips."""
        some = torch.cat([clip["latents"].float() for clip in self.clips[:16]])
        return some.std().item()

    def motion(self, latents):
        """How often a clip is drawn: more if much of it moves; 0.1 to 1. latents [T, C, h, w]."""
        change = (latents[::3] - latents[0]).square() * self.channels[:, None, None]
        return 0.1 + 0.9 * min(1.0, (change.mean(1) > 0.05).float().mean().item() / 0.15)

    def encode(self, prompt):
        return encode(self.tokenizer, prompt, self.max_tokens)

    def batch(self, size, index, text_dropout=0.15):
        """`size` random clips, cut to the latent frames `index`; frames 4j-3 .. 4j go with
        latent j."""
        numbers = torch.multinomial(
            torch.tensor(self.weights), size, replacement=True, generator=self.generator
        )
        rows = [self.row(self.clips[n], index, text_dropout) for n in numbers.tolist()]
        most = max(1, *(len(row[4]) for row in rows))
        latents, image, ids = (torch.stack([row[i] for row in rows]) for i in (0, 1, 5))
        shown = Shown(
            *(
                torch.stack([pad(row[i], most, axis) for row in rows])
                for i, axis in ((2, 1), (3, 1), (4, 0))
            )
        )
        states = None if rows[0][6] is None else torch.stack([row[6] for row in rows], 1)
        return Batch(latents, image, shown, ids, states)

    def row(self, clip, index, text_dropout):
        points, visible, ids, states = (clip.get(k) for k in ("tracks", "visible", "ids", "states"))
        if states is not None:
            states = states[:, :, index].float()
        elif torch.rand((), generator=self.generator) < text_dropout:
            ids = self.encode("")
        frames = torch.tensor([4 * j + k for j in index for k in (-3, -2, -1, 0)]).to(self.device)
        index = torch.tensor(index).to(self.device)
        seen = visible[frames.clamp(min=0)] & (frames >= 0)[:, None]
        latents, image = (clip[k][index].float().transpose(0, 1) for k in ("latents", "image"))
        ids = ids.to(self.device)
        return latents, image, points[frames.clamp(min=0)], seen, clip["origin"], ids, states


def channel_importance(folder):
    """How much each latent channel matters in pixels [C], as make_latents found it."""
    return torch.tensor(json.loads((Path(folder) / "channels.json").read_text()))


def encode(tokenizer, prompt, max_tokens):
    """Piece ids [max_tokens], cut, with the end token 1 last; zero-padded."""
    ids = [*tokenizer.encode(prompt)[: max_tokens - 1], 1]
    return torch.tensor(ids + [0] * (max_tokens - len(ids)))


def pad(x, length, axis):
    shape = list(x.shape)
    shape[axis] = length - shape[axis]
    return torch.cat((x, x.new_zeros(shape)), axis)
