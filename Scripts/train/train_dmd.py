"""Stage 3: Self Forcing with distribution matching. Resumable.

    torchrun --nproc_per_node 2 -m train.train_dmd --latents runs/latents \
        --teacher runs/teacher/checkpoint.pt --student runs/causal/checkpoint.pt \
        --tokenizer runs/tokenizer/spiece.model --out runs/student --minutes 30

The student rolls out whole clips through its rolling cache. The frozen teacher under joint guidance
says where true clips would be (s_real), a critic trained on the student's clips, from the teacher's
weights and without guidance, where the student's are (s_fake); the student moves along the
difference. Five critic steps per student step, averaged weights are exported (paper, 2.9; DMD2);
the critic learns from the student's last clips (`Recipe.kept`), so that each is made only once.
Only pictures, prompts and tracks of the data are used, unless `Recipe.regression` is above 0: it
adds a robust regression on the true clip, which tells more per step where steps are few.
"""

from collections import deque
from dataclasses import dataclass

import torch

from reference.model_directory import TEACHER
from reference.sampler import shifted

from .data import LatentClips
from .generator import Generator, importance, robust
from .self_forcing import Rollout
from .teacher import SIZES, Guided
from .training import (
    Average,
    Progress,
    Running,
    Workers,
    arguments,
    changed,
    optimizers,
    reading,
    update,
    weights,
)


@dataclass
class Recipe:
    batch: int = 2
    learning_rate: float = 3e-4
    critic_rate: float = 3e-4
    critic_steps: int = 5  # per step of the student
    kept: int = 3  # batches of the student's clips that the critic draws from
    warmup: int = 10
    decay: float = 0.5
    noise_range: tuple[float, float] = (0.02, 0.98)  # of u, before the timestep shift
    matching: float = 1.0
    regression: float = 0.5
    average: float = 0.98
    seed: int = 2


class Stage:
    """The three networks and what they share in a step."""

    def __init__(self, recipe, workers, clips, student, critic, teacher):
        self.recipe, self.workers, self.clips = recipe, workers, clips
        self.student, self.critic, self.teacher = student, critic, teacher
        self.index = list(range(clips.latent_frames // student.rules.chunk * student.rules.chunk))
        self.made = deque(maxlen=recipe.kept)

    def rollout(self):
        """A batch and the student's clips for it, which the critic gets too."""
        device = self.workers.device
        batch = self.clips.batch(self.recipe.batch, self.index, text_dropout=0.0).to(device)
        exit_step = int(torch.randint(len(self.student.timesteps), ()))
        with torch.no_grad():
            text = self.student.text(batch.ids)
        with self.workers.precision():
            rollout = Rollout(self.student, batch.image, batch.shown, text)
            made = rollout.run(len(self.index), exit_step)
        self.made.append((batch, made.detach()))
        return batch, made

    def noised(self, clean):
        """Clips at random noise levels: (noisy, sigma [B])."""
        low, high = self.recipe.noise_range
        u = low + (high - low) * torch.rand(len(clean), device=clean.device)
        sigma = shifted(u, self.student.rules.sampler.shift)
        amount = sigma[:, None, None, None, None]
        return (1 - amount) * clean + amount * torch.randn_like(clean), sigma

    def plain(self, model, batch):
        return Guided(model, batch.image, batch.shown, batch.ids, 0.0, 0.0)

    def critic_loss(self):
        """Rectified flow on the student's clips, in clean estimates."""
        batch, made = self.made[int(torch.randint(len(self.made), ()))]
        noisy, sigma = self.noised(made)
        with self.workers.precision():
            clean = self.plain(self.critic, batch).clean(noisy, sigma)
        error = (clean - made).square().mean((1, 2, 3, 4))
        return (error * sigma.pow(-2).clamp(max=4)).mean()

    def student_loss(self, log):
        recipe = self.recipe
        batch, made = self.rollout()
        noisy, sigma = self.noised(made.detach())
        with torch.no_grad(), self.workers.precision():
            fake = self.plain(self.critic, batch).clean(noisy, sigma)
            real = Guided(self.teacher, batch.image, batch.shown, batch.ids).clean(noisy, sigma)
        scale = (made.detach() - real).abs().mean((1, 2, 3, 4), keepdim=True)
        step = torch.nan_to_num((fake - real) / scale)
        matching = 0.5 * (made - (made.detach() - step)).square().mean()
        log.add("matching step", step.square().mean().item(), 0.9)
        error = made - batch.latents
        log.add("error", error.square().mean().item())
        weight = importance(batch.latents, torch.zeros_like(made), self.clips.channels)
        regression = (robust(error) * weight).mean()
        return recipe.matching * matching + recipe.regression * regression


def main():
    settings = arguments(
        __doc__,
        30,
        latents="folder of make_latents",
        teacher="checkpoint of train_teacher, or model directory with a teacher",
        student="checkpoint of train_causal, or model directory, to begin from",
    )
    recipe, workers = changed(Recipe(), settings, "batch"), Workers(settings)
    torch.manual_seed(recipe.seed)
    student, critic, teacher = (
        Generator(*sizes).to(workers.device) for sizes in ((), (SIZES,), (SIZES,))
    )
    student.load_state_dict(weights(settings.student, workers.device))
    for model in (critic, teacher):
        model.load_state_dict(weights(settings.teacher, workers.device, TEACHER))
    teacher.requires_grad_(False)
    for model in (student, critic):  # as the teacher left them
        model.text_encoder.requires_grad_(False)
        model.transformer.track_encoder.requires_grad_(False)
    student_optimizers = optimizers(student, recipe.learning_rate)
    critic_optimizers = optimizers(critic, recipe.critic_rate)
    every_optimizer = [*student_optimizers, *critic_optimizers]
    average = Average(student)
    progress = Progress(
        settings, workers, {"model": student, "critic": critic}, every_optimizer, average
    )
    clock = progress.clock
    read = reading(settings, student, workers, recipe, progress.step)
    clips = LatentClips(settings.latents, **read, device=workers.device)
    torch.manual_seed(workers.seed(recipe.seed, progress.step))
    stage = Stage(recipe, workers, clips, student, critic, teacher)

    log = Running()
    while clock.running:
        loss = stage.student_loss(log)
        loss.backward()
        (clock.elapsed,) = workers.average(student, clock.now())
        rate = clock.rate(progress.step, recipe.warmup, recipe.decay)
        update(student, student_optimizers, recipe.learning_rate * rate)
        average.update(student, recipe.average, progress.step)
        for _ in range(recipe.critic_steps):
            critic_loss = stage.critic_loss()
            log.add("critic", critic_loss.item())
            critic_loss.backward()
            workers.average(critic)
            update(
                critic,
                critic_optimizers,
                recipe.critic_rate * min(1, (progress.step + 1) / recipe.warmup),
            )
        progress.advance(loss, log, every=5)
    progress.end(log)


if __name__ == "__main__":
    main()
