"""Writes the model directory that `motionstream` loads: float16 safetensors and complete configs.

    python -m train.export --student runs/student/checkpoint.pt \
        --drawing runs/drawing/checkpoint.pt --teacher runs/teacher/checkpoint.pt \
        --vae runs/vae/checkpoint.pt \
        --tokenizer runs/tokenizer/spiece.model --name solids-320x192 \
        --out ../Models/solids-320x192
"""

import argparse
from dataclasses import replace
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import load_file, save_file

from reference.model_directory import DRAWING, TEACHER, Model, save_part
from reference.model_directory import save as save_model

from .drawing import SIZES
from .generator import Generator
from .make_latents import load_vae
from .teacher import SIZES as TEACHER_SIZES
from .training import weights


@torch.no_grad()
def keep_change(transformer, share):
    """Makes the output of a transformer with a cell head `share` of what it was: with prediction
    "residual", its change to the image channels."""
    if share == 1:
        return
    head = transformer.cell_head
    for last in (transformer.proj_out, head.conv_out):
        last.weight *= share
        last.bias *= share
    head.conv_in.weight[:, transformer.config.in_channels :] /= share  # sees what is said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--student", required=True)
    parser.add_argument("--drawing", required=True, nargs="+", help="several are averaged")
    parser.add_argument("--teacher", help="to be kept beside it, if given")
    parser.add_argument("--change", type=float, default=1.0, help="share of the student's to keep")
    parser.add_argument("--vae", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    student = Generator()
    student.load_state_dict(weights(arguments.student))
    keep_change(student.transformer, arguments.change)
    drawing = Generator(SIZES)
    several = [weights(path, transformer=DRAWING) for path in arguments.drawing]
    drawing.load_state_dict({k: sum(w[k] for w in several) / len(several) for k in several[0]})
    words, of_drawing = (network.text_encoder.state_dict() for network in (student, drawing))
    if any(not torch.equal(words[k], of_drawing[k]) for k in words):
        raise SystemExit(f"{arguments.student} was trained with other words than the drawing")
    rules = replace(student.rules, name=arguments.name)
    model = Model(
        rules,
        student.transformer,
        load_vae(arguments.vae),
        student.text_encoder,
        sentencepiece.SentencePieceProcessor(model_file=arguments.tokenizer),
        drawing.transformer,
    )
    save_model(model, arguments.out)
    if arguments.teacher:
        teacher = Generator(TEACHER_SIZES)
        teacher.load_state_dict(weights(arguments.teacher, transformer=TEACHER))
        save_part(teacher.transformer, Path(arguments.out), TEACHER)
    for path in Path(arguments.out).glob("*/*.safetensors"):
        state = {k: v.half().contiguous() for k, v in load_file(path).items()}
        save_file(state, path, metadata={"format": "pt"})
        print(f"{path.parent.name}: {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
