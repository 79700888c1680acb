"""The teacher (PyTorch, many steps, joint guidance) and the student (the engine) on the same clips:
errors, PSNR, and wall time for the same clip in the same run, one after the other."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from reference.model_directory import TEACHER, load
from reference.text_encoder import tokenize
from train.data import Shown
from train.generator import Generator
from train.make_latents import image_channels
from train.teacher import MOTION_GUIDANCE, SIZES, TEXT_GUIDANCE, Guided, sample
from train.training import weights

from . import transfer
from .ablations import brief
from .engine import file_digest, track_document
from .grade import grade, summary
from .jobs import each
from .vae import decode

RATIO = 4  # frames of a latent
RUNS = 3  # of the student, when it is timed
GUIDANCE = {
    "joint": (TEXT_GUIDANCE, MOTION_GUIDANCE),
    "text only": (TEXT_GUIDANCE, 0.0),
    "motion only": (0.0, MOTION_GUIDANCE),
}


@dataclass
class Teacher:
    """The network, and the autoencoder and tokenizer of the student's model directory."""

    network: Generator
    student: object

    @staticmethod
    def read(checkpoint, directory, device):
        network = Generator(SIZES)
        network.load_state_dict(weights(checkpoint, transformer=TEACHER))
        student = load(directory)
        student.tiny_vae.to(device)
        return Teacher(network.to(device).eval().requires_grad_(False), student)

    @torch.no_grad()
    def make(self, clip, given, steps, guidance, seed):
        """uint8 [T, H, W, 3] for the clip's first picture, prompt and tracks."""
        rules, network = self.student.configuration, self.network
        device = network.transformer.proj_out.weight.device
        text = tokenize(self.student.tokenizer, clip.prompt, rules.text.max_tokens)
        ids = torch.zeros(1, rules.text.max_tokens, dtype=torch.long)
        ids[0, : len(text)] = torch.tensor(text)
        picture = torch.from_numpy(clip.frames[0]).permute(2, 0, 1).float() / 255
        shown = tracks_shown(given)
        channels = image_channels(
            self.student.tiny_vae,
            picture,
            shown.points[0, RATIO - 1 :],
            shown.visible[0, RATIO - 1 :],
        )
        image = channels.transpose(0, 1)[None].to(device)
        noise = torch.randn(image.shape, generator=generator(seed)).to(device)
        guided = Guided(network, image, shown.to(device), ids.to(device), *guidance)
        return decode(self.student.tiny_vae, sample(guided, noise, steps)[0])


def generator(seed):
    return torch.Generator().manual_seed(seed)


def tracks_shown(given):
    """Tracks [T, N] as a batch of one: RATIO frames to a latent, the first latent's first frames
    empty. All are visible in the first frame."""
    xy, visible = torch.from_numpy(given.xy).float(), torch.from_numpy(given.visible)
    before = RATIO - 1
    return Shown(
        torch.cat((xy[:1].expand(before, -1, -1), xy))[None],
        torch.cat((torch.zeros_like(visible[:1]).expand(before, -1), visible))[None],
        xy[:1],
    )


def digest_of(checkpoint):
    """SHA-256 of the teacher's weights: of a checkpoint, or of a model directory's teacher."""
    folder, file, _ = TEACHER
    path = Path(checkpoint)
    return file_digest(path / folder / file if path.is_dir() else path)


def measure(setup, teacher, clips, timed, frames, kind, shown):
    """What the teacher makes of `clips` clips and the student of the same, as `transfer.measure`
    found it (`shown`); and how long both take for the first `timed` of them."""
    settings = {"frames": frames, "tracks": kind, "shown": shown}
    student = each(transfer.one, range(clips), setup, f"transfer-{kind}", settings)
    made = teacher.rows(setup, clips, frames, kind, GUIDANCE["joint"])
    settings = {"teacher": teacher.digest, "frames": frames, "tracks": kind, "steps": teacher.steps}
    settings["runs"] = RUNS
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count())  # as many as the program has
    times = each(Timed(teacher), range(timed), setup, "times", settings, workers=0)
    torch.set_num_threads(threads)
    ratios = [r["teacher"] / r["student"] for r in times]
    result = {"clips": clips, "frames": frames, "tracks": kind, "steps": teacher.steps}
    result |= {"checkpoint_sha256": teacher.digest, "guidance": GUIDANCE["joint"], "timed": timed}
    result["runs"] = RUNS
    result |= {"teacher": summary(made), "student": summary(student)}
    result["seconds"] = {who: float(np.mean([r[who] for r in times])) for who in WHO}
    result["times_faster"] = float(np.median(ratios))
    result["times_faster_range"] = [float(min(ratios)), float(max(ratios))]
    return result


WHO = ("teacher", "student")


@dataclass
class Sampler:
    """A teacher's checkpoint or model directory, and how it is sampled."""

    checkpoint: str
    steps: int
    device: str = "cpu"
    teacher: Teacher | None = None

    @property
    def digest(self):
        return digest_of(self.checkpoint)

    def make(self, setup, clip, given, guidance):
        if self.teacher is None:
            self.teacher = Teacher.read(self.checkpoint, setup.engine.model, self.device)
        return self.teacher.make(clip, given, self.steps, guidance, seed=clip.index)

    def rows(self, setup, clips, frames, kind, guidance):
        """Figures of clips made with `guidance`. The student has no part in them: of its files only
        those that the teacher shares count."""
        settings = {"teacher": self.digest, "frames": frames, "tracks": kind, "steps": self.steps}
        settings["guidance"] = guidance
        shared = replace(setup, parts=("tiny_vae", "tokenizer", "text_encoder"))
        return each(Guidance(self), range(clips), shared, "guidance", settings)


@dataclass
class Timed:
    """Seconds that both take for a clip, one after the other; of the student the median of some
    runs, for the first may have to read a program from disk that nothing used for minutes."""

    sampler: Sampler

    def __call__(self, index, setup, settings):
        manifest, frames = setup.manifest, settings["frames"]
        clip = setup.clip(index, frames)
        given = clip.tracks(settings["tracks"])
        document = track_document(given.xy, given.visible, manifest)
        engine = replace(setup.engine, threads=os.cpu_count())
        runs = [
            seconds(engine.generate, clip.prompt, clip.frames[0], document, frames, seed=index)
            for _ in range(RUNS)
        ]
        teacher = seconds(self.sampler.make, setup, clip, given, GUIDANCE["joint"])
        return {"student": float(np.median(runs)), "teacher": teacher, "student_runs": runs}


def seconds(function, *arguments, **more):
    begun = time.perf_counter()
    function(*arguments, **more)
    return time.perf_counter() - begun


def measure_guidance(setup, teacher, clips, frames, kind):
    """The teacher with joint guidance against text alone and motion alone."""
    result = {"clips": clips, "frames": frames, "tracks": kind, "settings": {}}
    for name, weight in GUIDANCE.items():
        result["settings"][name] = brief(summary(teacher.rows(setup, clips, frames, kind, weight)))
    return result


@dataclass
class Guidance:
    sampler: Sampler

    def __call__(self, index, setup, settings):
        clip = setup.clip(index, settings["frames"])
        given = clip.tracks(settings["tracks"])
        return grade(self.sampler.make(setup, clip, given, settings["guidance"]), clip, given)
