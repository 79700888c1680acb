"""Stage 1: the bidirectional teacher, by rectified flow over whole clips. Resumable.

    torchrun --nproc_per_node 2 -m train.train_teacher --latents runs/latents \
        --words runs/drawing/checkpoint.pt --tokenizer runs/tokenizer/spiece.model \
        --out runs/teacher --minutes 60

As in the paper (2.1 to 2.3): picture, tracks and text are given together, one noise level for all
latent frames, random subsets of tracks from dense to none, masking in the middle of clips, and each
of text, motion and picture dropped at times, so that joint guidance and clips without a picture
work. The loss is the student's (`clip_error`). Its patches are finer than the student's
(`teacher.json`) and those of the network that draws, from which it may begin (`--drawing`). The
text encoder is that of `train_drawing` and stays as it is. On a GPU: `--device cuda --bf16 --times
8`.
"""

import math
from dataclasses import dataclass

import torch

from reference.model_directory import DRAWING, TEACHER
from reference.sampler import shifted

from .data import LatentClips
from .generator import Generator, clip_error, no_motion, noise_share
from .teacher import SIZES
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
    take_words,
    told,
    update,
    weights,
)


@dataclass
class Recipe:
    batch: int = 2
    learning_rate: float = 1.5e-3
    warmup: int = 60
    decay: float = 0.6  # share of the time over which the learning rate falls
    text_dropout: float = 0.12
    motion_dropout: float = 0.08
    image_dropout: float = 0.1
    heaviest: float = 2.0  # the flow's loss weight 1 / share (noise_share) stops here
    average: float = 0.995
    seed: int = 1


def flow_loss(model, recipe, workers, clips, log):
    """Rectified flow on whole clips, in clean estimates."""
    B, index = recipe.batch, list(range(clips.latent_frames))
    batch = clips.batch(B, index, recipe.text_dropout).to(workers.device)
    latents = batch.latents
    still = torch.rand(B, device=workers.device) < recipe.motion_dropout
    no_image = torch.rand(B, device=workers.device) < recipe.image_dropout
    sigma = shifted(torch.rand(B, device=workers.device), model.rules.sampler.shift)
    amount = sigma[:, None, None, None, None]
    noisy = (1 - amount) * latents + amount * torch.randn_like(latents)
    timestep = (model.rules.sampler.train_timesteps * sigma)[:, None].expand(-1, len(index))
    with workers.precision():
        condition = model.condition(*no_motion(batch.image, batch.shown, still))
        condition = model.without_image(condition, no_image)
        clean = model.clean(noisy, timestep, condition, model.text(batch.ids))
    bare = no_image[:, None, None, None, None]  # has nothing to change
    image = torch.where(bare, latents, model.image_channels(condition))
    error = clip_error(clean, latents, image, clips.channels).mean((1, 2, 3, 4))
    for one, level, none in zip(error.tolist(), sigma.tolist(), no_image.tolist(), strict=True):
        log.add("no picture" if none else f"sigma<{math.ceil(level * 5) / 5:.1f}", one, 0.97)
    share = noise_share(sigma, clips.deviation)
    return (error / share.clamp(min=1 / recipe.heaviest)).mean()


def main():
    settings = arguments(
        __doc__,
        60,
        latents="folder of make_latents",
        words="checkpoint of train_drawing, or model directory, whose text encoder to keep",
        weights="optional checkpoint, or model directory with a teacher, to begin from",
        drawing="optional checkpoint of train_drawing, or model directory, to begin from instead",
    )
    recipe, workers = changed(Recipe(), settings, "batch"), Workers(settings)
    torch.manual_seed(recipe.seed)
    model = Generator(SIZES).to(workers.device)
    if settings.weights:
        model.load_state_dict(weights(settings.weights, workers.device, TEACHER))
    elif settings.drawing:  # knows what things look like; what it says is silenced at first
        told(take_fitting(model, weights(settings.drawing, workers.device, DRAWING)), workers)
        with torch.no_grad():
            for last in (model.transformer.proj_out, model.transformer.cell_head.conv_out):
                last.weight.zero_()
                last.bias.zero_()
    take_words(model, settings.words)
    optimizer_list = optimizers(model, recipe.learning_rate)
    average = Average(model)
    progress = Progress(settings, workers, {"model": model}, optimizer_list, average)
    clock = progress.clock
    read = reading(settings, model, workers, recipe, progress.step)
    clips = LatentClips(settings.latents, **read, device=workers.device)
    torch.manual_seed(workers.seed(recipe.seed, progress.step))

    log = Running()
    while clock.running:
        loss = flow_loss(model, recipe, workers, clips, log)
        loss.backward()
        (clock.elapsed,) = workers.average(model, clock.now())
        update(
            model,
            optimizer_list,
            recipe.learning_rate * clock.rate(progress.step, recipe.warmup, recipe.decay),
        )
        average.update(model, recipe.average, progress.step)
        progress.advance(loss, log, every=20)
        if progress.step % 50 == 0:
            clips.refresh()
    progress.end(log)


if __name__ == "__main__":
    main()
