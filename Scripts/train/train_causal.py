"""Stage 2: causal adaptation. The teacher becomes a causal few-step student. Resumable.

    torchrun --nproc_per_node 2 -m train.train_causal --latents runs/latents \
        --trajectories runs/trajectories --weights runs/teacher/checkpoint.pt \
        --tokenizer runs/tokenizer/spiece.model --out runs/causal --minutes 60

The student will only ever see the sampler's few noise levels, and context chunks that are clean; so
this stage trains exactly that: chunks sink | window | current at their cache slots under a causal
chunk mask, each chunk at one of the sampler's noise levels or clean. A random share of steps has
another sparse mask: no sink, or a longer window (paper, 2.9; CausVid).

Noisy chunks are states of the teacher's ODE and regress to where it ends, or (`Recipe.true`) true
latents with noise that regress to themselves: a trajectory costs 150 evaluations of the teacher,
and two CPU cores make few of them.
"""

from dataclasses import dataclass

import torch

from reference.model_directory import TEACHER

from .data import LatentClips
from .generator import Generator, clip_error
from .training import (
    Average,
    Progress,
    Running,
    Workers,
    arguments,
    changed,
    optimizers,
    reading,
    take_fitting,
    told,
    update,
    weights,
)


@dataclass
class Recipe:
    batch: int = 4
    learning_rate: float = 2e-3
    warmup: int = 60
    decay: float = 0.5
    true: float = 0.8  # share of steps on true clips, where there are trajectories as well
    clean: float = 0.4  # share of chunks given clean, as context
    first_step: float = 0.5  # share of noisy chunks at the sampler's first level: it decides most
    context_noise: float = 0.1  # largest noise on clean context, against drift
    text_dropout: float = 0.1
    start: float = 0.3  # share of steps on chunks 0, 1 only
    no_sink: float = 0.08  # share of steps that see the window only
    long_window: float = 0.08  # share of steps that see two chunks of window
    average: float = 0.997
    seed: int = 1


def pick_chunks(recipe, kind, chunks):
    """Numbers of the chunks of a step, `kind` in [0, 1) deciding on the mask."""
    if kind < recipe.start or chunks < 3:
        return [0, 1]
    k = int(torch.randint(2, chunks, ()))
    if kind < recipe.start + recipe.no_sink:
        return [k - 1, k]
    if kind < recipe.start + recipe.no_sink + recipe.long_window and k > 2:
        return [0, k - 2, k - 1, k]
    return [0, k - 1, k]


def causal_loss(model, recipe, workers, clips, picked, log):
    """The loss of chunks `picked` of a batch of clips, on the way from their noise levels."""
    chunk = model.rules.chunk
    index = [c * chunk + j for c in picked for j in range(chunk)]
    batch = clips.batch(recipe.batch, index, recipe.text_dropout)
    latents, (B, n) = batch.latents, (recipe.batch, len(picked))

    # Noise level per chunk: one of the sampler's, or clean (level -1).
    level = torch.randint(len(model.sigmas), (B, n))
    level[torch.rand(B, n) < recipe.first_step] = 0
    context = torch.rand(B, n) < recipe.clean
    context[:, -1] = False
    level[context] = -1
    level = level.to(workers.device)
    sigma = torch.tensor([*model.sigmas, 0.0]).to(workers.device)[level]
    timestep = torch.tensor([*model.timesteps, model.rules.sampler.commit_timestep])
    timestep = timestep.to(workers.device)[level].repeat_interleave(chunk, 1)
    jitter = torch.rand(B, n, device=workers.device) * recipe.context_noise * (level < 0)
    amount = torch.maximum(sigma, jitter).repeat_interleave(chunk, 1)[:, None, :, None, None]
    noisy = (1 - amount) * latents + amount * torch.randn_like(latents)
    if batch.states is not None:
        for i, state in enumerate(batch.states):
            at_level = (level == i).repeat_interleave(chunk, 1)[:, None, :, None, None]
            noisy = torch.where(at_level, state, noisy)
    mask = torch.ones(n, n, device=workers.device).tril().bool()
    mask = mask.repeat_interleave(chunk, 0).repeat_interleave(chunk, 1)

    with workers.precision():
        condition = model.condition(batch.image, batch.shown)
        clean = model.clean(noisy, timestep, condition, model.text(batch.ids), mask)
    image = model.image_channels(condition)
    error = clip_error(clean, latents, image, clips.channels)
    error = error.mean((1, 3, 4)).unflatten(1, (n, chunk)).mean(2)  # [B, n]
    noisy_chunk = (level >= 0).float()
    origin = "true" if batch.states is None else "teacher"
    for i, value in enumerate(model.sigmas):
        at_level = level == i
        if at_level.any():
            log.add(f"{origin} {value:.2f}", error.detach()[at_level].mean().item())
    return (error * noisy_chunk).sum() / noisy_chunk.sum()


def main():
    settings = arguments(
        __doc__,
        60,
        latents="folder of make_latents",
        trajectories="optional folder of make_trajectories",
        weights="checkpoint of train_teacher, or model directory with a teacher, to begin from",
        student="optional checkpoint or model directory of a student to begin from instead",
    )
    recipe, workers = changed(Recipe(), settings, "batch"), Workers(settings)
    torch.manual_seed(recipe.seed)
    model = Generator().to(workers.device)
    if settings.student:
        state = weights(settings.student, workers.device)
    else:
        state = weights(settings.weights, workers.device, TEACHER)
    told(take_fitting(model, state), workers)
    model.text_encoder.requires_grad_(False)
    optimizer_list = optimizers(model, recipe.learning_rate)
    average = Average(model)
    progress = Progress(settings, workers, {"model": model}, optimizer_list, average)
    clock = progress.clock
    read = reading(settings, model, workers, recipe, progress.step)
    sources = [
        LatentClips(folder, **read, device=workers.device)
        for folder in (settings.latents, settings.trajectories)
        if folder
    ]
    torch.manual_seed(workers.seed(recipe.seed, progress.step))

    log = Running()
    while clock.running:
        # All workers take the same kind of step, so that none waits long for another.
        kind, source = torch.rand(
            2, generator=torch.Generator().manual_seed(progress.step)
        ).tolist()
        clips = sources[-1] if source >= recipe.true else sources[0]
        picked = pick_chunks(recipe, kind, clips.latent_frames // model.rules.chunk)
        loss = causal_loss(model, recipe, workers, clips, picked, log)
        loss.backward()
        (clock.elapsed,) = workers.average(model, clock.now())
        rate = recipe.learning_rate * clock.rate(progress.step, recipe.warmup, recipe.decay)
        update(model, optimizer_list, rate)
        average.update(model, recipe.average, progress.step)
        progress.advance(loss, log, every=20)
        if progress.step % 50 == 0:
            clips.refresh()
    progress.end(log)


if __name__ == "__main__":
    main()
