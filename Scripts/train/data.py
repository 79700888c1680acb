"""Training samples from encoded clips: latents, the tracks shown, prompt ids."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import sentencepiece
import torch

from .tracks import camera_moves, choose_tracks, mask_span, origins


@dataclass
class Shown:
    """The tracks that a batch is shown, over its frames: points [B, F, K, 2] in pixels, visible
    [B, F, K], origin [B, K, 2] where each was first visible (or, of a picture to be drawn,
    [B, F, K, 2]), from_start [B, K] whether that was in the first picture."""

    points: torch.Tensor
    visible: torch.Tensor
    origin: torch.Tensor
    from_start: torch.Tensor

    def frames(self, part):
        """Those of pixel frames `part`."""
        return replace(self, points=self.points[:, part], visible=self.visible[:, part])

    def to(self, device):
        return Shown(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass
class Batch:
    """latents [B, C, T, h, w], first latents [B, C, h, w], the tracks shown (F = 4T), prompt ids
    [B, M] and, of teacher trajectories, the noisy states [levels, B, C, T, h, w]."""

    latents: torch.Tensor
    first: torch.Tensor
    shown: Shown
    ids: torch.Tensor
    states: torch.Tensor | None = None

    def to(self, device):
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(**{k: v if v is None else v.to(device) for k, v in parts.items()})


class LatentClips:
    """All clips of a folder in memory: true ones, or a teacher's (make_trajectories), which are
    shown exactly the tracks and prompt that the teacher was shown."""

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
                if "ids" not in clip:
                    clip["ids"] = self.encode(clip["prompt"])
                clip["camera"] = camera_moves(clip["tracks"], clip["object"])
                self.clips.append(clip)
                self.weights.append(self.motion(clip["latents"].float()))

    @property
    def latent_frames(self):
        """Length of the shortest clip."""
        return min(len(clip["latents"]) for clip in self.clips)

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
        latents, first, ids = (torch.stack([row[i] for row in rows]) for i in (0, 1, 6))
        shown = Shown(
            *(torch.stack([pad(r[i], most, axis) for r in rows]) for i, axis in ((2, 1), (3, 1))),
            *(torch.stack([pad(r[i], most, 0) for r in rows]) for i in (4, 5)),
        )
        states = None if rows[0][7] is None else torch.stack([row[7] for row in rows], 1)
        return Batch(latents, first, shown, ids, states)

    def row(self, clip, index, text_dropout):
        points, visible, from_start = clip["tracks"], clip["visible"], clip["visible"][0]
        ids, states = clip["ids"], clip.get("states")
        if states is None:
            chosen = choose_tracks(
                clip["object"], visible, self.generator, self.limit, clip["camera"]
            )
            points, visible, from_start = points[:, chosen], visible[:, chosen], from_start[chosen]
            origin = origins(points, visible)
            visible = mask_span(visible, self.generator)
            if torch.rand((), generator=self.generator) < text_dropout:
                ids = self.encode("")
        else:
            origin, from_start = clip["origin"], clip["from_start"]
            states = states[:, :, index].float()
        frames = torch.tensor([4 * j + k for j in index for k in (-3, -2, -1, 0)])
        seen = visible[frames.clamp(min=0)] & (frames >= 0)[:, None]
        latents = clip["latents"][index].float().transpose(0, 1)
        first = clip.get("first", clip["latents"][0]).float()
        return latents, first, points[frames.clamp(min=0)], seen, origin, from_start, ids, states


def encode(tokenizer, prompt, max_tokens):
    """Piece ids [max_tokens], cut, with the end token 1 last; zero-padded."""
    ids = [*tokenizer.encode(prompt)[: max_tokens - 1], 1]
    return torch.tensor(ids + [0] * (max_tokens - len(ids)))


def pad(x, length, axis):
    shape = list(x.shape)
    shape[axis] = length - shape[axis]
    return torch.cat((x, x.new_zeros(shape)), axis)
