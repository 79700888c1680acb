"""Stage 1: the causal few-step model by regression. Resumable.

    python -m train.train_causal --latents runs/latents --tokenizer runs/tokenizer/spiece.model \
        --out runs/causal --minutes 60

On two cores `torchrun --nproc_per_node 2 -m train.train_causal ...` sees more clips per second than
one process with two threads.

The student only ever sees the sampler's few noise levels, and context chunks that are clean; so
this stage trains exactly that: chunks sink | window | current at their cache slots under the
causal chunk mask, each chunk at one of the sampler's noise levels or clean, and the clean latents
regressed on the true clip (CausVid's regression, with data in the place of teacher trajectories).
"""

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from .data import LatentClips
from .student import Average, Student, Workers, importance, optimizers, resume, save


@dataclass
class Recipe:
    batch: int = 4
    learning_rate: float = 2e-3
    warmup: int = 60
    clean: float = 0.4  # share of chunks given clean, as context
    first_step: float = 0.5  # share of noisy chunks at the sampler's first level: it decides most
    context_noise: float = 0.1  # largest noise on clean context, against drift
    image_dropout: float = 0.1
    two_chunks: float = 0.35  # share of steps on chunks 0, 1 only
    max_tracks: int = 120
    average: float = 0.99
    seed: int = 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latents", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    recipe = Recipe()
    workers = Workers(arguments.threads)
    torch.manual_seed(recipe.seed)
    model = Student()
    optimizer_list = optimizers(model, recipe.learning_rate)
    average = Average(model)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint, step, spent = out / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        step, spent = resume(checkpoint, model, optimizer_list, average)
    clips = LatentClips(
        arguments.latents,
        arguments.tokenizer,
        model.rules.text.max_tokens,
        seed=recipe.seed + step + 1_000_003 * workers.number,
        limit=recipe.max_tracks,
    )
    chunk = model.rules.chunk
    chunks = len(clips.clips[0]["latents"]) // chunk
    torch.manual_seed(recipe.seed + step + 1_000_003 * workers.number)
    start, last_save, log, elapsed = time.time(), time.time(), {}, spent
    while elapsed < arguments.minutes * 60:
        progress = elapsed / (arguments.minutes * 60)
        rate = min(1, (step + 1) / recipe.warmup) * min(1, (1 - progress) / 0.5 + 0.02)
        for optimizer in optimizer_list:
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * rate
        # All workers take the same kind of step, so that none waits long for another.
        kind = torch.rand((), generator=torch.Generator().manual_seed(recipe.seed + step))
        if kind < recipe.two_chunks:
            picked = [0, 1]
        else:
            k = int(torch.randint(2, chunks, ()))
            picked = [0, k - 1, k]
        index = [c * chunk + j for c in picked for j in range(chunk)]
        latents, first, shown, ids = clips.batch(recipe.batch, index)
        condition = model.condition(first, shown, index, recipe.image_dropout)

        # Noise level per chunk: one of the sampler's, or clean (level -1).
        B, n = recipe.batch, len(picked)
        level = torch.randint(len(model.sigmas), (B, n))
        level[torch.rand(B, n) < recipe.first_step] = 0
        context = torch.rand(B, n) < recipe.clean
        context[:, -1] = False
        level[context] = -1
        sigma = torch.tensor([*model.sigmas, 0.0])[level]
        timestep = torch.tensor([*model.timesteps, model.rules.sampler.commit_timestep])[level]
        jitter = torch.rand(B, n) * recipe.context_noise * (level < 0)
        amount = torch.maximum(sigma, jitter).repeat_interleave(chunk, 1)[:, None, :, None, None]
        noise = torch.randn_like(latents)
        noisy = (1 - amount) * latents + amount * noise
        mask = torch.ones(n, n).tril().bool()
        mask = mask.repeat_interleave(chunk, 0).repeat_interleave(chunk, 1)
        output = model.transformer(
            torch.cat((noisy, condition), dim=1),
            timestep.repeat_interleave(chunk, 1),
            model.text(ids),
            frame_mask=mask,
        )
        image = condition[:, : latents.shape[1]]
        error = (image + output - latents).square()  # prediction "residual"
        error = error * importance(latents, image, clips.channels)
        error = error.mean((1, 3, 4)).unflatten(1, (n, chunk)).mean(2)  # [B, n]
        noisy_chunk = (level >= 0).float()
        loss = (error * noisy_chunk).sum() / noisy_chunk.sum()
        for optimizer in optimizer_list:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        (elapsed,) = workers.average(model, spent + time.time() - start)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizer_list:
            optimizer.step()
        average.update(model, min(recipe.average, (1 + step) / (10 + step)))
        step += 1
        for i in range(len(model.sigmas)):
            if (level == i).any():
                value = error[level == i].mean().item()
                log[i] = value if i not in log else 0.95 * log[i] + 0.05 * value
        if step % 10 == 0 and workers.first:
            levels = "  ".join(f"{model.sigmas[i]:.2f}: {log[i]:.4f}" for i in sorted(log))
            print(
                f"step {step} {elapsed / 60:.1f} min  loss {loss.item():.4f}  {levels}", flush=True
            )
        if step % 50 == 0:
            clips.refresh()
        if time.time() - last_save > 90 and workers.first:
            save(checkpoint, model, optimizer_list, average, step, spent + time.time() - start)
            last_save = time.time()
            if math.isnan(loss.item()):
                raise SystemExit("loss is not a number")
    if workers.first:
        save(checkpoint, model, optimizer_list, average, step, elapsed)


if __name__ == "__main__":
    main()
