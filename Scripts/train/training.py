"""What the training stages share besides the network: arguments, processes, optimisers, weights."""

import argparse
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist

from reference import model_directory

from .muon import Muon


def arguments(description, minutes, **more):
    """The arguments of a stage: `more` are its own, as name = help, all required unless the help
    begins with "optional", or "flag" for one without a value."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    for name, text in more.items():
        option, flag = "--" + name.replace("_", "-"), text.startswith("flag")
        if flag:
            parser.add_argument(option, action="store_true", help=text)
        else:
            required = not text.startswith("optional")
            parser.add_argument(option, required=required, help=text)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--bf16", action="store_true", help="matrix products in bfloat16")
    parser.add_argument("--times", type=int, default=1, help="so many times a step's samples: GPU")
    parser.add_argument("--set", action="append", default=[], help="of the recipe: name=number")
    return parser.parse_args()


class Workers:
    """The processes of one `torchrun`, or this one alone. All hold the same weights."""

    def __init__(self, settings):
        self.count = int(os.environ.get("WORLD_SIZE", 1))
        self.number = int(os.environ.get("RANK", 0))
        torch.set_num_threads(max(1, settings.threads // self.count))
        self.device = torch.device(settings.device)
        if self.device.type == "cuda":
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(self.device)
            torch.set_float32_matmul_precision("high")
        self.bf16 = settings.bf16
        if self.count > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    @property
    def first(self):
        """Whether this is the one that prints and saves."""
        return self.number == 0

    def precision(self):
        """The precision of forward passes."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def seed(self, seed, step):
        """A seed of this process's own, new after each resumption."""
        return seed + step + 1_000_003 * self.number

    def average(self, model, *numbers):
        """Averages all gradients, and some numbers (time, losses), over the processes."""
        if self.count == 1:
            return numbers
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        parts = [torch.tensor(numbers, device=self.device), *(g.flatten() for g in grads)]
        flat = torch.cat(parts)
        dist.all_reduce(flat)
        flat /= self.count
        used = len(numbers)
        for grad in grads:
            grad.copy_(flat[used : used + grad.numel()].view_as(grad))
            used += grad.numel()
        return flat[: len(numbers)].tolist()


def changed(recipe, settings, *counts):
    """A stage's recipe with what `--set` says, and `--times` as many samples in a step as its
    fields `counts` say."""
    for change in settings.set:
        name, _, value = change.partition("=")
        kind = type(getattr(recipe, name, None))
        try:
            recipe = replace(recipe, **{name: {int: int, float: float}[kind](value)})
        except (KeyError, ValueError):
            found = f"expected name=number of {recipe}, found {change!r}"
            raise SystemExit(f"--set: {found}") from None
    return replace(recipe, **{name: settings.times * getattr(recipe, name) for name in counts})


def reading(settings, model, workers, recipe, step):
    """How LatentClips and Pictures read for a stage that is at `step`."""
    return {
        "tokenizer": settings.tokenizer,
        "max_tokens": model.rules.text.max_tokens,
        "seed": workers.seed(recipe.seed, step),
    }


class Clock:
    """Minutes spent on a stage, earlier runs counted in; the same on all workers when averaged."""

    def __init__(self, minutes, spent=0.0):
        self.limit, self.start = minutes * 60, time.time() - spent
        self.elapsed = spent

    def now(self):
        return time.time() - self.start

    @property
    def running(self):
        return self.elapsed < self.limit

    def rate(self, step, warmup, decay):
        """Factor of the learning rate: rises over `warmup` steps and falls to nearly nothing over
        the last `decay` of the time."""
        left = 1 - self.elapsed / self.limit
        return min(1, (step + 1) / warmup) * min(1, left / decay + 0.02)


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


def update(model, optimizer_list, lr):
    """One step of all optimisers at rate lr, gradients clipped to norm 1 and then forgotten."""
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizer_list:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


class Average:
    """Exponential moving average of the weights: what is exported."""

    def __init__(self, model):
        self.state = {k: v.clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model, decay, step):
        decay = min(decay, (1 + step) / (10 + step))
        for key, value in model.state_dict().items():
            self.state[key].lerp_(value, 1 - decay)


class Running(dict):
    """Running means of what a stage prints."""

    def add(self, key, value, keep=0.95):
        self[key] = keep * self[key] + (1 - keep) * value if key in self else value

    def __str__(self):
        return "  ".join(f"{key} {self[key]:.4f}" for key in sorted(self))


class Progress:
    """How far a stage is, and the file that it goes on from. `networks` by name, "model" first; of
    what is exported, `average` holds the averaged weights."""

    def __init__(self, settings, workers, networks, optimizer_list, average):
        self.path = Path(settings.out) / "checkpoint.pt"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.workers, self.networks = workers, networks
        self.optimizers, self.average = optimizer_list, average
        self.step, self.saved, spent = 0, time.time(), 0.0
        if self.path.exists():
            saved = torch.load(self.path, map_location=workers.device)
            for name, network in networks.items():
                network.load_state_dict(saved[name])
            for optimizer, state in zip(optimizer_list, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            average.state = saved["average"]
            self.step, spent = saved["step"], saved["seconds"]
        self.clock = Clock(settings.minutes, spent)

    def save(self):
        temporary = self.path.with_suffix(".part")
        state = {name: network.state_dict() for name, network in self.networks.items()}
        state["average"] = self.average.state
        state["optimizers"] = [o.state_dict() for o in self.optimizers]
        torch.save(state | {"step": self.step, "seconds": self.clock.now()}, temporary)
        os.replace(temporary, self.path)
        self.saved = time.time()

    def advance(self, loss, log, every):
        """Counts a step; prints every so many of them and saves every minute and a half."""
        self.step += 1
        if not self.workers.first:
            return
        if self.step % every == 0:
            print(f"step {self.step}  {self.clock.elapsed / 60:.1f} min  {log}", flush=True)
            if not math.isfinite(loss.item()):
                raise SystemExit("the loss is not a number")
        if time.time() - self.saved > 90:
            self.save()

    def end(self, log):
        if self.workers.first:
            self.save()
            print(f"ended after step {self.step}  {log}", flush=True)


def take_fitting(model, state, skip=()):
    """Takes what fits of weights `state` but what has a part in `skip` in its name. Returns the
    names of the weights that are begun anew."""
    own = model.state_dict()
    fits = {k for k in own if k in state and state[k].shape == own[k].shape}
    fits = {k for k in fits if not any(part in k for part in skip)}
    model.load_state_dict(own | {k: state[k] for k in fits})
    return sorted(own.keys() - fits)


def told(anew, workers):
    if workers.first:
        print(f"begun anew: {', '.join(anew) or 'nothing'}", flush=True)


def take_words(model, path):
    """Gives a model the text encoder of a stage's checkpoint, not to be trained any further."""
    name = "text_encoder."
    state = {k.removeprefix(name): v for k, v in weights(path).items() if k.startswith(name)}
    model.text_encoder.load_state_dict(state)
    model.text_encoder.requires_grad_(False)


def weights(path, device="cpu", transformer=model_directory.TRANSFORMER):
    """The averaged weights of a stage's checkpoint; or, of a model directory, those of the text
    encoder and of a transformer."""
    if not Path(path).is_dir():
        return torch.load(path, map_location=device)["average"]
    parts = {"transformer": transformer, "text_encoder": model_directory.TEXT_ENCODER}
    return {
        f"{name}.{key}": value.to(device)
        for name, part in parts.items()
        for key, value in model_directory.weights(path, part).items()
    }
