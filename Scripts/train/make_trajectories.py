"""ODE trajectories of the teacher under joint guidance, for causal adaptation. Resumable.

    python -m train.make_trajectories --teacher runs/teacher/checkpoint.pt --latents runs/latents \
        --tokenizer runs/tokenizer/spiece.model --out runs/trajectories --count 400

The teacher gets the image channels, tracks and prompts of training clips and is integrated from
noise. One `NNNNNN.pt` per clip, as make_latents writes them, with prompt ids, the teacher's clean
latents, and `states`: the noisy latents float16 [levels, C, T, h, w] at the student's noise levels.
"""

import argparse
import os
from pathlib import Path

import torch

from reference.model_directory import TEACHER

from .data import LatentClips
from .generator import Generator
from .teacher import MOTION_GUIDANCE, SIZES, TEXT_GUIDANCE, Guided, sample
from .training import weights


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--latents", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--text-guidance", type=float, default=TEXT_GUIDANCE)
    parser.add_argument("--motion-guidance", type=float, default=MOTION_GUIDANCE)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="of several processes: its number")
    parser.add_argument("--stride", type=int, default=1, help="of several processes: how many")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = Generator(SIZES).to(arguments.device).eval().requires_grad_(False)
    model.load_state_dict(weights(arguments.teacher, arguments.device, TEACHER))
    clips = LatentClips(arguments.latents, arguments.tokenizer, model.rules.text.max_tokens)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "channels.json").write_text((Path(arguments.latents) / "channels.json").read_text())
    index = list(range(clips.latent_frames))
    starts = range(0, arguments.count, arguments.batch)[arguments.first :: arguments.stride]
    for start in starts:
        size = min(arguments.batch, arguments.count - start)
        targets = [out / f"{start + row:06d}.pt" for row in range(size)]
        if all(target.exists() for target in targets):
            continue
        clips.generator.manual_seed(1 + start)
        batch = clips.batch(size, index, text_dropout=0.0).to(arguments.device)
        noise = torch.randn(batch.latents.shape, generator=torch.Generator().manual_seed(2 + start))
        guided = Guided(
            model,
            batch.image,
            batch.shown,
            batch.ids,
            arguments.text_guidance,
            arguments.motion_guidance,
        )
        clean, states = sample(guided, noise.to(arguments.device), arguments.steps, model.sigmas)
        error = (clean - batch.latents).square().mean().item()
        batch, clean, states = batch.to("cpu"), clean.cpu(), states.cpu()
        for row, target in enumerate(targets):
            shown = batch.shown
            temporary = target.with_suffix(".part")
            torch.save(
                {
                    "latents": clean[row].transpose(0, 1).half(),
                    "states": states[:, row].half(),
                    "image": batch.image[row].transpose(0, 1).half(),
                    # Track frames begin three before the first picture's, which are not needed.
                    "tracks": shown.points[row, 3:],
                    "visible": shown.visible[row, 3:],
                    "origin": shown.origin[row],
                    "ids": batch.ids[row],
                },
                temporary,
            )
            os.replace(temporary, target)
        print(f"{start + size} clips, squared distance to the true latents {error:.3f}", flush=True)


if __name__ == "__main__":
    main()
