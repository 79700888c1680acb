"""Reading and writing a model directory: the diffusers layout plus `motionstream.json`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import sentencepiece
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .causal_transformer import CausalTransformer
from .configuration import ModelConfiguration, TextEncoderConfig, TinyVAEConfig, TransformerConfig
from .taehv import TAEHV
from .text_encoder import TextEncoder

# Folder, weight file, and the class names diffusers and transformers know them by.
DRAWING = ("drawing", "diffusion_pytorch_model.safetensors", "WanTransformer3DModel")
# The bidirectional network that the student comes from: for training and measuring only.
TEACHER = ("teacher", "diffusion_pytorch_model.safetensors", "WanTransformer3DModel")
TRANSFORMER = ("transformer", "diffusion_pytorch_model.safetensors", "WanTransformer3DModel")
TINY_VAE = ("tiny_vae", "diffusion_pytorch_model.safetensors", "TAEHV")
TEXT_ENCODER = ("text_encoder", "model.safetensors", "UMT5EncoderModel")


@dataclass
class Model:
    """Everything a rollout needs, immutable once loaded."""

    configuration: ModelConfiguration
    transformer: CausalTransformer
    tiny_vae: TAEHV
    text_encoder: TextEncoder
    tokenizer: sentencepiece.SentencePieceProcessor
    drawing: CausalTransformer | None = None  # draws the first picture of a stream without one


def load(directory: str | Path) -> Model:
    directory = Path(directory)
    configuration = ModelConfiguration.from_dict(_json(directory / "motionstream.json"))
    transformer = _transformer(directory, TRANSFORMER, configuration)
    drawing = None
    if configuration.image.drawing is not None:
        drawing = _transformer(directory, DRAWING, configuration)
    tiny_vae = TAEHV(TinyVAEConfig.from_dict(_json(directory / "tiny_vae/config.json")))
    text_encoder = TextEncoder(
        TextEncoderConfig.from_dict(_json(directory / "text_encoder/config.json"))
    )
    tiny_vae.load_upstream(weights(directory, TINY_VAE))
    text_encoder.load_state_dict(weights(directory, TEXT_ENCODER))
    for module in (tiny_vae, text_encoder):
        module.eval()
    tokenizer = sentencepiece.SentencePieceProcessor(
        model_file=str(directory / "tokenizer/spiece.model")
    )
    return Model(configuration, transformer, tiny_vae, text_encoder, tokenizer, drawing)


def _transformer(directory: Path, part: tuple, rules: ModelConfiguration) -> CausalTransformer:
    config = TransformerConfig.from_dict(_json(directory / part[0] / "config.json"))
    transformer = CausalTransformer(config, rules.tracks)
    transformer.load_state_dict(weights(directory, part))
    return transformer.eval()


def save(model: Model, directory: str | Path) -> None:
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "motionstream.json", dataclasses.asdict(model.configuration))
    index = {"_class_name": "MotionStreamPipeline"}
    for part, module in (
        (TRANSFORMER, model.transformer),
        (DRAWING, model.drawing),
        (TINY_VAE, model.tiny_vae),
        (TEXT_ENCODER, model.text_encoder),
    ):
        if module is None:
            continue
        folder, _, class_name = part
        library = "transformers" if folder == "text_encoder" else "diffusers"
        index[folder] = [library, class_name]
        save_part(module, directory, part)
    index["tokenizer"] = ["transformers", "T5TokenizerFast"]
    write_json(directory / "model_index.json", index)
    (directory / "tokenizer").mkdir(exist_ok=True)
    (directory / "tokenizer/spiece.model").write_bytes(model.tokenizer.serialized_model_proto())


def save_part(module: nn.Module, directory: Path, part: tuple[str, str, str]) -> None:
    folder, file, class_name = part
    (directory / folder).mkdir(exist_ok=True)
    config = {"_class_name": class_name} | dataclasses.asdict(module.config)
    if folder == "text_encoder":
        config = {"model_type": "umt5", "architectures": [class_name]} | config
    write_json(directory / folder / "config.json", config)
    state = {k: v.detach().float().contiguous() for k, v in module.state_dict().items()}
    save_file(state, directory / folder / file, metadata={"format": "pt"})


def weights(directory: str | Path, part: tuple[str, str, str]) -> dict[str, Tensor]:
    """One file, or the shards its index names, widened to float32. diffusers ignores
    `attn2.norm_added_q`, which some files of this family carry, and so do we."""
    folder, file, _ = part
    path = Path(directory) / folder / file
    index = path.with_suffix(".safetensors.index.json")
    files = [path]
    if index.exists():
        files = [path.parent / name for name in sorted(set(_json(index)["weight_map"].values()))]
    state = {k: v.float() for f in files for k, v in load_file(f).items()}
    return {k: v for k, v in state.items() if not k.endswith("attn2.norm_added_q.weight")}


def write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def _json(path: Path) -> dict:
    return json.loads(path.read_text())
