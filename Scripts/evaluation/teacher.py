"""The teacher (PyTorch, many steps, joint guidance) and the student (the engine) on the same clips:
errors, PSNR, and wall time for the same clip in the same run, one after the other."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from reference.model_directory import TEACHER, load
from reference.text_encoder import tokenize
from train.data import Shown
from train.generator import Generator
from train.make_latents import image_channels
from train.teacher import MOTION_GUIDANCE, TEXT_GUIDANCE, Guided, sample
from train.training import weights

from .engine import file_digest, track_document
from .grade import grade, summary
from .jobs import each
from .vae import decode

RATIO = 4  # frames of a latent
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
    def read(checkpoint, directory):
        network = Generator()
        network.load_state_dict(weights(checkpoint, transformer=TEACHER))
        return Teacher(network.eval().requires_grad_(False), load(directory))

    @torch.no_grad()
    def make(self, clip, given, steps, guidance, seed):
        """uint8 [T, H, W, 3] for the clip's first picture, prompt and tracks."""
        rules, network = self.student.configuration, self.network
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
        image = channels.transpose(0, 1)[None]
        noise = torch.randn(image.shape, generator=generator(seed))
        guided = Guided(network, image, shown, ids, *guidance)
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


def measure(setup, checkpoint, clips, frames, kind, steps):
    digest = digest_of(checkpoint)
    settings = {"teacher": digest, "frames": frames, "tracks": kind, "steps": steps}
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count())  # as many as the program has
    rows = each(Both(checkpoint), range(clips), setup, "teacher", settings, workers=0)
    torch.set_num_threads(threads)
    teacher, student = ([r[who] for r in rows] for who in ("teacher", "student"))
    seconds = {who: float(np.mean([r[f"{who}_seconds"] for r in rows])) for who in WHO}
    ratios = [r["teacher_seconds"] / r["student_seconds"] for r in rows]
    result = {"clips": clips, "frames": frames, "tracks": kind, "steps": steps}
    result |= {"checkpoint_sha256": digest, "guidance": GUIDANCE["joint"]}
    result |= {"teacher": summary(teacher), "student": summary(student), "seconds": seconds}
    result["times_faster"] = float(np.median(ratios))
    result["times_faster_range"] = [float(min(ratios)), float(max(ratios))]
    return result


WHO = ("teacher", "student")


@dataclass
class Both:
    """Makes and grades a clip with both."""

    checkpoint: str
    teacher: Teacher | None = None

    def __call__(self, index, setup, settings):
        if self.teacher is None:
            self.teacher = Teacher.read(self.checkpoint, setup.engine.model)
        manifest, frames = setup.manifest, settings["frames"]
        clip = setup.clip(index, frames)
        given = clip.tracks(settings["tracks"])
        document = track_document(given.xy, given.visible, manifest)
        begun = time.perf_counter()
        student = setup.engine.generate(clip.prompt, clip.frames[0], document, frames, seed=index)
        between = time.perf_counter()
        teacher = self.teacher.make(clip, given, settings["steps"], GUIDANCE["joint"], seed=index)
        ended = time.perf_counter()
        return {
            "student": grade(student, clip, given),
            "teacher": grade(teacher, clip, given),
            "student_seconds": between - begun,
            "teacher_seconds": ended - between,
        }


def measure_guidance(setup, checkpoint, clips, frames, kind, steps):
    """The teacher with joint guidance against text alone and motion alone."""
    result = {}
    for name, weight in GUIDANCE.items():
        settings = {
            "teacher": digest_of(checkpoint),
            "frames": frames,
            "tracks": kind,
            "steps": steps,
            "guidance": weight,
        }
        maker = Guidance(checkpoint)
        result[name] = summary(each(maker, range(clips), setup, "guidance", settings))
    return result


@dataclass
class Guidance:
    checkpoint: str
    teacher: Teacher | None = None

    def __call__(self, index, setup, settings):
        if self.teacher is None:
            self.teacher = Teacher.read(self.checkpoint, setup.engine.model)
        clip = setup.clip(index, settings["frames"])
        given = clip.tracks(settings["tracks"])
        made = self.teacher.make(clip, given, settings["steps"], settings["guidance"], seed=index)
        return grade(made, clip, given)
