"""Stage 2: Self Forcing. The student rolls out through its own rolling cache and is corrected.

    python -m train.train_self_forcing --latents runs/latents \
        --tokenizer runs/tokenizer/spiece.model --start runs/causal/checkpoint.pt \
        --out runs/self_forcing --minutes 25

As in Self Forcing: chunk after chunk from noise, a random exit step per rollout that alone carries
gradient, clean commits without gradient, the same cache rules as at inference. The signal here is
regression on the true clip with a robust loss (the world is nearly determined by its first frame
and tracks); there is no distribution matching yet. The text encoder stays as it is. Resumable.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from reference.kv_cache import KVCache

from .data import LatentClips
from .student import Average, Student, importance, optimizers, resume, save


@dataclass
class Recipe:
    batch: int = 4
    learning_rate: float = 8e-4
    warmup: int = 20
    image_dropout: float = 0.1
    max_tracks: int = 120
    robust: float = 0.3  # pseudo-Huber knee, in latent standard deviations
    average: float = 0.98
    seed: int = 2


def robust(error, knee):
    return knee * ((error / knee).square().add(1).sqrt() - 1)


class Rollout:
    """A batch of streams with their conditions and one rolling cache."""

    def __init__(self, model, first, shown, text):
        rules = model.rules
        self.model, self.first, self.shown, self.text = model, first, shown, text
        self.cache = KVCache(
            len(model.transformer.blocks),
            rules.sink_frames,
            rules.window_frames,
            rules.cache.positions,
        )

    def clean(self, x, timestep, part, commit=False):
        """The clean estimate of latent frames `part` from noisy ones x, and the image channels that
        it is a change to, both [B, C, T, h, w]."""
        frames = slice(4 * part.start, 4 * part.stop)
        condition = self.model.condition(
            self.first, self.shown.frames(frames), list(range(part.start, part.stop))
        )
        timesteps = torch.full((len(x), x.shape[2]), timestep, dtype=torch.float64)
        transformer = self.model.transformer
        output = transformer.forward_chunk(
            torch.cat((x, condition), dim=1),
            timesteps,
            transformer.context(self.text),
            self.cache,
            commit,
        )
        image = condition[:, : x.shape[1]]
        return image + output, image  # prediction "residual"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latents", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    recipe = Recipe()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(recipe.seed)
    model = Student()
    optimizer_list = optimizers(model, recipe.learning_rate)
    average = Average(model)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint, step, spent = out / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        step, spent = resume(checkpoint, model, optimizer_list, average)
    else:
        model.load_state_dict(torch.load(arguments.start)["average"])
        average = Average(model)
    clips = LatentClips(
        arguments.latents,
        arguments.tokenizer,
        model.rules.text.max_tokens,
        seed=recipe.seed + step,
        limit=recipe.max_tracks,
    )
    rules, chunk = model.rules, model.rules.chunk
    chunks = len(clips.clips[0]["latents"]) // chunk
    index = list(range(chunks * chunk))
    start, last_save, running = time.time(), time.time(), {}
    while (elapsed := spent + time.time() - start) < arguments.minutes * 60:
        progress = elapsed / (arguments.minutes * 60)
        rate = min(1, (step + 1) / recipe.warmup) * min(1, (1 - progress) / 0.6 + 0.02)
        for optimizer in optimizer_list:
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * rate
            optimizer.zero_grad(set_to_none=True)
        latents, first, shown, ids = clips.batch(recipe.batch, index)
        dropped = torch.rand(recipe.batch, 1, 1, 1) < recipe.image_dropout
        first = first * ~dropped
        exit_step = int(torch.randint(len(model.timesteps), ()))
        with torch.no_grad():
            text = model.text(ids)
        rollout = Rollout(model, first, shown, text)
        for number in range(chunks):
            part = slice(number * chunk, (number + 1) * chunk)
            x = torch.randn_like(latents[:, :, part])
            for i in range(exit_step):
                with torch.no_grad():
                    clean, _ = rollout.clean(x, model.timesteps[i], part)
                sigma = model.sigmas[i + 1]
                x = (1 - sigma) * clean + sigma * torch.randn_like(clean)
            clean, image = rollout.clean(x, model.timesteps[exit_step], part)
            error = robust(clean - latents[:, :, part], recipe.robust)
            weight = importance(latents[:, :, part], image, clips.channels)
            loss = (error * weight).mean() / chunks
            loss.backward()
            clean = clean.detach()
            with torch.no_grad():
                rollout.clean(clean, rules.sampler.commit_timestep, part, commit=True)
            value = (clean - latents[:, :, part]).square().mean().item()
            key = (exit_step, number)
            running[key] = value if key not in running else 0.9 * running[key] + 0.1 * value
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizer_list:
            optimizer.step()
        average.update(model, min(recipe.average, (1 + step) / (10 + step)))
        step += 1
        if step % 10 == 0:
            last = max(k for k, _ in running)
            by_chunk = " ".join(f"{v:.3f}" for (k, _), v in sorted(running.items()) if k == last)
            print(
                f"step {step} {elapsed / 60:.1f} min  MSE by chunk at exit {last}: {by_chunk}",
                flush=True,
            )
        if time.time() - last_save > 90:
            save(checkpoint, model, optimizer_list, average, step, spent + time.time() - start)
            last_save = time.time()
    save(checkpoint, model, optimizer_list, average, step, spent + time.time() - start)


if __name__ == "__main__":
    main()
