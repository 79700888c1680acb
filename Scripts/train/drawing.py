"""Drawing the first picture from text: latent 0 alone, with the tracks' starts and how far they go
from there (`starts_and_ways`), but no image channels.

Few steps are enough to follow a picture, not to invent one. So a stream without a picture first
draws its own, in more steps and with text guidance (`reference/rollout.py`), and then goes on as if
it had been given it. A network of its own (`drawing.json`) does this, with smaller patches than
the student can afford; trained by rectified flow, in clean estimates.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import sentencepiece
import torch
import torch.nn.functional as F

from reference.sampler import noise_levels, shifted
from reference.track_encoder import starts_and_ways

from .data import Batch, Shown, encode, pad
from .generator import Generator, no_prompt, noise_share
from .likeness import CLEAR, Likeness, Pieces
from .naming import Named, Naming, Words
from .sight import Discriminator, Sight, misnamed
from .tracks import choose_tracks

SIZES = "drawing.json"  # of the network
NO_TRACKS = 0.15  # share of pictures that are shown no tracks
NO_WAYS = 0.15  # share of pictures that are shown the starts of tracks only
ON_OBJECTS = 6.0  # added to the loss's weight 1 where objects are
HEAVIEST = 10.0  # the flow's loss weight 1 / share^2 (noise_share) stops here


class Pictures:
    """All pictures of a folder of make_pictures in memory."""

    def __init__(self, folder, tokenizer, max_tokens, cell, seed=0, limit=120):
        """cell: pixels of a latent cell."""
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        self.max_tokens = max_tokens
        parts = [torch.load(path) for path in sorted(Path(folder).glob("*.pt"))]
        self.latents, self.points, self.object, self.later, self.known = (
            torch.cat([part[name] for part in parts])
            for name in ("latents", "points", "object", "later", "known")
        )
        self.deviation = self.latents.float().std().item()
        self.cast = torch.cat([part["cast"] for part in parts])
        self.told = self.ids([row for part in parts for row in part["prompts"]])
        self.recast_prompts = [row for part in parts for row in part["recast"]]
        self.generator = torch.Generator().manual_seed(seed)
        self.cell, self.limit = cell, limit

    def ids(self, rows):
        """The ids [n, variants, M] of n pictures' prompts."""
        read = [
            torch.stack([encode(self.tokenizer, prompt, self.max_tokens) for prompt in row])
            for row in rows
        ]
        return torch.stack(read).short()

    @cached_property
    def words(self):
        return Words(self.tokenizer)

    @cached_property
    def recast(self):
        """The ids [n, variants, M] of what is told of other objects; only naming asks for them."""
        return self.ids(self.recast_prompts)

    def batch(self, size, text_dropout):
        """`size` random pictures as clips of one latent frame, where objects are [B, h, w], and
        what is at which of their points (a Named)."""
        rows = torch.randint(len(self.latents), (size,), generator=self.generator)
        variant = self.chance(size, self.told.shape[1])
        latents, ids = self.latents[rows].float(), self.told[rows, variant].long()
        bare = torch.rand(size, generator=self.generator) < text_dropout
        ids = torch.where(bare[:, None], no_prompt(ids), ids)
        shown = self.shown(rows, NO_TRACKS)
        counts = ~bare & shown.visible.flatten(1).any(1)
        named = self.named(rows, ids, self.cast[rows, 0], counts)
        latents = latents[:, :, None]
        return Batch(latents, torch.zeros_like(latents), shown, ids), self.cells(rows), named

    def recast_batch(self, size):
        """The tracks of `size` random pictures, told of other objects than those that are there:
        shown, ids, and what the words say is at which of the points (a Named)."""
        rows = torch.randint(len(self.latents), (size,), generator=self.generator)
        variant = self.chance(size, self.recast.shape[1])
        shown = self.shown(rows, 0.0)
        ids, counts = self.recast[rows, variant].long(), shown.visible.flatten(1).any(1)
        return shown, ids, self.named(rows, ids, self.cast[rows, 1 + variant], counts)

    def chance(self, size, below):
        return torch.randint(below, (size,), generator=self.generator)

    def named(self, rows, ids, cast, counts):
        """What prompts `ids` say of the points of pictures `rows`; cast [B, objects, 2]."""
        owner = self.object[rows].long()  # [B, N]
        what = cast.long().gather(1, (owner - 1).clamp(min=0)[..., None].expand(-1, -1, 2)) + 1
        what = torch.where((owner > 0)[..., None], what, 0)
        h, w = self.latents.shape[-2:]
        x, y = (self.points[rows] / self.cell).long().unbind(-1)
        clauses = self.words.clauses_of(ids, cast)
        return Named(y.clamp(0, h - 1), x.clamp(0, w - 1), owner, what, clauses, counts)

    def shown(self, rows, no_tracks):
        """The tracks that the pictures `rows` are shown, `no_tracks` of them none."""
        chosen = []
        for row in rows.tolist():
            objects = self.object[row]
            if torch.rand((), generator=self.generator) < no_tracks:
                kept = torch.zeros(0, dtype=torch.long)
            else:
                everywhere = torch.ones(1, len(objects), dtype=torch.bool)
                kept = choose_tracks(objects, everywhere, self.generator, self.limit)
            chosen.append((row, kept))
        most = max(1, *(len(kept) for _, kept in chosen))

        def gathered(values, axis):
            return torch.stack(
                [pad(values[row].index_select(axis, k), most, axis) for row, k in chosen]
            )

        given = torch.stack([torch.arange(most) < len(kept) for _, kept in chosen])
        ways = torch.rand(len(rows), generator=self.generator) >= NO_WAYS
        known = gathered(self.known, 1) & ways[:, None, None]
        return at_first(gathered(self.points, 0), given, gathered(self.later, 1), known)

    def cells(self, rows):
        """Cells [B, h, w] near a known point of an object."""
        h, w = self.latents.shape[-2:]
        on = (self.object[rows] > 0).float()
        x, y = (self.points[rows] / self.cell).long().unbind(-1)
        at = y.clamp(0, h - 1) * w + x.clamp(0, w - 1)
        cells = torch.zeros(len(rows), h * w).scatter_reduce(1, at, on, "amax")
        return F.max_pool2d(cells.view(-1, 1, h, w), 3, 1, 1)[:, 0]


def at_first(start, given, later, known):
    """Tracks as a picture at their start is drawn by them: `starts_and_ways`, 4 frames a latent."""
    return Shown(*starts_and_ways(start, given, later, known, 4))


def clean(model, x, sigma, shown, text):
    """The clean estimate of latent 0, x [B, C, 1, h, w] at noise levels sigma [B]."""
    timestep = (model.rules.sampler.train_timesteps * sigma)[:, None]
    return model.clean(x, timestep, model.no_picture(shown, x.shape[-2:]), text)


@torch.no_grad()
def begun(model, noise, shown, text, steps, taken):
    """A drawing of `steps` steps, without guidance, after `taken` of them, [B, C, 1, h, w] as noise
    is; and the noise level that it is at."""
    levels, x = noise_levels(steps, model.rules.sampler.shift), noise
    for sigma, after in zip(levels[:taken], levels[1:], strict=False):
        estimate = clean(model, x, x.new_full((len(x),), sigma), shown, text)
        x = (1 - after) * estimate + after * torch.randn_like(x)
    return x, levels[taken]


def noised(model, batch, text, recipe):
    """Noisy latents [B, C, 1, h, w] and their levels [B]: the first `recipe.begun` the model's own,
    the others of the batch."""
    latents, own = batch.latents, recipe.begun
    sigma = shifted(torch.rand(len(latents), device=latents.device), model.rules.sampler.shift)
    noise = torch.randn_like(latents)
    amount = sigma[own:, None, None, None, None]
    noisy = (1 - amount) * latents[own:] + amount * noise[own:]
    taken = min(1 + int(torch.randint(recipe.steps, ())), recipe.steps - 1)
    x, sigma[:own] = begun(
        model, noise[:own], batch.shown.first(own), text[:own], recipe.steps, taken
    )
    return torch.cat((x, noisy)), sigma


@dataclass
class Networks:
    """What learns while a network learns to draw."""

    model: Generator
    naming: Naming
    sight: Sight
    discriminator: Discriminator
    likeness: Likeness


def loss(networks, vae, pictures, recipe, channels, workers, log):
    """Rectified flow on `recipe.pictures` pictures; channels [C] as importance() takes them. And
    what is where: as the tokens tell it (naming), `recipe.names` times, and as the estimate shows
    it (sight), `recipe.seen` times; whether objects look true as latents (discriminator),
    `recipe.fooled` times, and as pixels (likeness; vae decodes them), `recipe.alike` times. All of
    these go on learning.

    With the first `recipe.begun` pictures the model goes on from a drawing that it has begun itself
    (ReFL, 2304.05977). There is no picture to compare it with, but the others have their say: noisy
    true latents show what is to be drawn, and do not teach what to do without."""
    batch, objects, named = pictures.batch(recipe.pictures, recipe.text_dropout)
    batch, objects = batch.to(workers.device), objects.to(workers.device)
    latents, own = batch.latents, recipe.begun
    model, naming, sight = networks.model, networks.naming, networks.sight
    with workers.precision():
        text = model.text(batch.ids)
        noisy, sigma = noised(model, batch, text, recipe)
        estimate = clean(model, noisy, sigma, batch.shown, text)
    weight = channels.to(latents)[:, None, None] * (1 + ON_OBJECTS * objects)[:, None]
    error = ((estimate - latents)[:, :, 0].square() * weight).mean((1, 2, 3))
    share = noise_share(sigma, pictures.deviation)
    total = (error * share.pow(-2).clamp(max=HEAVIEST))[own:].mean()
    log.add("drawn", total.item())
    named = named.to(workers.device)
    true, made = latents[:, :, 0], estimate[:, :, 0]
    total = total + recipe.names * naming.loss(named, latents.shape[-1], log, "drawn")
    everyone = torch.ones_like(named.counts)
    total = total + sight.loss(true, pictures.deviation, named, everyone, log, "true", True)
    is_own = torch.arange(len(latents), device=latents.device) < own
    for name, rows, weight in (("seen", ~is_own, recipe.seen), ("begun", is_own, recipe.ended)):
        seen = sight.loss(made, pictures.deviation, named, named.counts & rows, log, name, False)
        total = total + weight * seen

    def told_apart(latents, named, name, true, learn=True):
        """What the discriminator makes of objects that are told to be what `named` says."""
        about = pictures.deviation, objects, named, true, log, f"{name} taken as true", learn
        return networks.discriminator.loss(latents, *about)

    learnt = told_apart(true, named, "true", True)
    learnt = learnt + told_apart(true, misnamed(named), "misnamed", False)
    learnt = learnt + told_apart(made.detach(), named, "drawn", False)
    fooled = told_apart(made, named, "drawn", True, learn=False)
    clear = replace(named, counts=named.counts & (sigma <= CLEAR))
    pieces, likeness = Pieces(clear, true.shape[-2:], pictures.cell), networks.likeness
    with torch.no_grad():
        true_pixels = pieces.of(vae, true)
    pixels = pieces.of(vae, made)
    learnt = learnt + likeness.loss(true_pixels, pieces.true, log, "true", True)
    learnt = learnt + likeness.loss(pixels.detach(), pieces.drawn, log, "drawn", True)
    alike = likeness.loss(pixels, pieces.true, log, "taken", False)
    return total + learnt + recipe.fooled * fooled + recipe.alike * alike
