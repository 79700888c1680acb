"""Which words belong to which tracks, as a question of its own: while the network draws, a linear
reading of its tokens names the colour and the shape at points of the picture.

The flow's loss asks that too, but in few numbers among many, and only of pictures that were drawn.
Here the same tracks are told of other objects too (`recast`), with nothing but noise to see, so
that only the words can tell. Only training has this; the model directory does not.
"""

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from world.scene import COLOURS, SHAPES

from .generator import END

AFTER = 4  # blocks: the rest of them draw what is named
LOOKS = (2, 3)  # blocks whose cross-attention looks at the words of the own object
HEADS = 2  # in so many heads
KINDS = (1 + len(COLOURS), 1 + len(SHAPES))  # 0: nothing that has a name


@dataclass
class Named:
    """Of points: their cells, row and column [B, N], the object there, owner [B, N] (below 1:
    none), and its colour and shape, what [B, N, 2]. Of objects: which pieces of the prompt are of
    clauses that tell of it, clauses [B, objects, M]. And which rows of the batch count, [B]."""

    row: Tensor
    column: Tensor
    owner: Tensor
    what: Tensor
    clauses: Tensor
    counts: Tensor

    def to(self, device):
        return Named(*(getattr(self, field.name).to(device) for field in fields(self)))


class Words:
    """What naming has to know of a tokenizer."""

    def __init__(self, tokenizer):
        def pieces(*words):
            ids = [tokenizer.piece_to_id(word) for word in words]
            if tokenizer.unk_id() in ids:
                missing = words[ids.index(tokenizer.unk_id())]
                raise ValueError(f"the tokenizer has no piece {missing!r} (make_tokenizer)")
            return torch.tensor(ids)

        self.ends = pieces(",", ".", "\u2581and")
        self.colours = pieces(*("\u2581" + name for name in COLOURS))

    def clause(self, ids):
        """The number of each piece's clause [B, M], and whether it is a word of one."""
        ends = torch.isin(ids, self.ends.to(ids.device))
        return ends.long().cumsum(1), (ids > END) & ~ends

    def clauses_of(self, ids, cast):
        """Which pieces [B, objects, M] of prompts are of a clause that names the colour of an
        object, cast [B, objects, 2] as make_pictures stores it."""
        clause, word = self.clause(ids)
        own = ids[:, None] == self.colours[cast[..., 0].long()][..., None]  # [B, objects, M]
        same = clause[:, :, None] == clause[:, None]
        return (own.float() @ same.float() > 0) & word[:, None]


class Naming(nn.Module):
    """Reads names off the tokens of a generator's pass over single latent frames."""

    def __init__(self, model):
        super().__init__()
        config = model.transformer.config
        _, self.p, self.q = config.patch_size
        self.norm = nn.LayerNorm(config.dim)
        self.read = nn.Linear(config.dim, self.p * self.q * sum(KINDS))
        self.told = nn.Linear(config.text_dim, model.text_encoder.config.vocab_size)
        self.kept = {}
        blocks = model.transformer.blocks
        blocks[AFTER - 1].register_forward_hook(self.keep("tokens", 0))
        for i in LOOKS:
            blocks[i].attn2.norm_q.register_forward_hook(self.keep(f"query {i}"))
            blocks[i].attn2.norm_k.register_forward_hook(self.keep(f"key {i}"))
        self.heads = config.num_attention_heads

    def keep(self, name, part=None):
        def hook(_module, _given, result):
            self.kept[name] = result if part is None else result[part]

        return hook

    def loss(self, named, width, log, name):
        """Cross entropy at the points of Named for the last pass; `width` of the latent frame."""
        tokens = self.kept["tokens"].float()  # [B, h*w, D]
        at = torch.arange(len(tokens), device=tokens.device)[:, None]
        token = named.row // self.p * (width // self.q) + named.column // self.q
        within = named.row % self.p * self.q + named.column % self.q
        cells = self.read(self.norm(tokens)).unflatten(-1, (self.p * self.q, -1))
        on = (named.owner > 0) & named.counts[:, None]
        total = 0.0
        for i, (logits, what) in enumerate(
            zip(cells[at, token, within].split(KINDS, -1), named.what.unbind(-1), strict=True)
        ):
            error = F.cross_entropy(logits.transpose(1, 2), what, reduction="none")
            total = total + (error * named.counts[:, None]).mean()
            if on.any():
                right = (logits[on].argmax(-1) == what[on]).float()
                log.add(f"{name} {('colours', 'shapes')[i]}", right.mean().item())
        own = named.clauses[at, (named.owner - 1).clamp(min=0)]  # [B, N, M]
        for i in LOOKS:
            query, key = (
                self.kept[f"{which} {i}"].float().unflatten(-1, (self.heads, -1))[:, :, :HEADS]
                for which in ("query", "key")
            )
            seen = torch.einsum("blhd,bmhd->blhm", query, key) / query.shape[-1] ** 0.5
            share = (seen.softmax(-1)[at, token] * own[:, :, None]).sum(-1)  # [B, N, heads]
            if on.any():
                total = total - share[on].clamp(min=1e-4).log().mean() * on.float().mean()
                log.add(f"{name} looks", share[on].mean().item())
        return total

    def text_loss(self, words, ids, embedding, log):
        """Every piece tells which others are in its clause: what a colour or a place belongs to is
        known before it is asked for. embedding [B, M, text_dim] of ids."""
        clause, word = words.clause(ids)
        told = self.told(embedding).log_softmax(-1)
        told = told.gather(2, ids[:, None].expand(-1, ids.shape[1], -1))
        same = (clause[:, :, None] == clause[:, None]) & word[:, :, None] & word[:, None]
        total = -(told * same).sum() / same.sum()
        log.add("text", total.item())
        return total
