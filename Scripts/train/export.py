"""Writes the model directory that `motionstream` loads: float16 safetensors and complete configs.

    python -m train.export --student runs/student/checkpoint.pt --vae runs/vae/checkpoint.pt \
        --tokenizer runs/tokenizer/spiece.model --scale 2 --name solids-320x192 \
        --out ../Models/solids-320x192
"""

import argparse
from dataclasses import replace
from pathlib import Path

import sentencepiece
from safetensors.torch import load_file, save_file

from reference.model_directory import Model
from reference.model_directory import save as save_model

from .generator import Generator
from .make_latents import load_vae
from .training import weights


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--student", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--scale", type=int, default=1, help="2: the VAE is one of double_vae")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    student = Generator()
    student.load_state_dict(weights(arguments.student))
    rules, transformer, scale = student.rules, student.transformer, arguments.scale
    # Nothing in the network counts pixels: the same weights, cells of `scale` times as many.
    rules = replace(
        rules,
        name=arguments.name,
        width=rules.width * scale,
        height=rules.height * scale,
        spatial_compression=rules.spatial_compression * scale,
    )
    head = transformer.config.track_config
    head = replace(head, vae_spatial_compression=head.vae_spatial_compression * scale)
    transformer.config = replace(transformer.config, track_config=head)
    model = Model(
        rules,
        transformer,
        load_vae(arguments.vae, arguments.scale),
        student.text_encoder,
        sentencepiece.SentencePieceProcessor(model_file=arguments.tokenizer),
    )
    save_model(model, arguments.out)
    for path in Path(arguments.out).glob("*/*.safetensors"):
        state = {k: v.half().contiguous() for k, v in load_file(path).items()}
        save_file(state, path, metadata={"format": "pt"})
        print(f"{path.parent.name}: {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
