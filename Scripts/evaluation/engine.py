"""`motionstream generate` as a stream of frames, and copies of a model with other settings."""

import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file, save_file


@dataclass(frozen=True)
class Engine:
    """The program with a model directory. What it makes does not depend on `threads`."""

    program: str
    model: str
    threads: int = 1

    @property
    def manifest(self):
        return json.loads((Path(self.model) / "motionstream.json").read_text())

    def stream(self, prompt, picture, tracks, frames, seed):
        """Yields uint8 [H, W, 3], read from the pipe one at a time. `picture` (or None) is the
        first frame, `tracks` (or None) a motionstream-tracks document."""
        height, width = self.manifest["height"], self.manifest["width"]
        with tempfile.TemporaryDirectory() as folder:
            command = [self.program, "generate", "-m", self.model, "-p", prompt]
            if picture is not None:
                Image.fromarray(picture).save(f"{folder}/first.png")
                command += ["-i", f"{folder}/first.png"]
            if tracks is not None:
                Path(folder, "tracks.json").write_text(json.dumps(tracks))
                command += ["-k", f"{folder}/tracks.json"]
            command += ["--frames", str(frames), "-s", str(seed), "--format", "raw", "-o", "-"]
            command += ["-q", "--threads", str(self.threads)]
            made, size = 0, height * width * 3
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                try:
                    while len(raw := process.stdout.read(size)) == size:
                        made += 1
                        yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)
                finally:
                    process.stdout.close()
            if process.returncode or made != frames:
                raise RuntimeError(
                    f"{made} of {frames} frames, exit code {process.returncode}: "
                    + " ".join(command)
                )

    def generate(self, prompt, picture, tracks, frames, seed):
        """uint8 [T, H, W, 3]."""
        return np.stack(list(self.stream(prompt, picture, tracks, frames, seed)))


def track_document(xy, visible, manifest, after="hold"):
    """xy [T, N, 2] pixels, visible [T, N] as motionstream-tracks JSON, version 1."""
    rows = [
        {
            "id": n,
            "points": np.round(xy[:, n].astype(float), 3).tolist(),
            "visible": visible[:, n].astype(int).tolist(),
            "after": after,
        }
        for n in range(xy.shape[1])
    ]
    return {
        "format": "motionstream-tracks",
        "version": 1,
        "width": manifest["width"],
        "height": manifest["height"],
        "fps": manifest["fps"],
        "tracks": rows,
    }


def variant(model, folder, changes):
    """A model directory in `folder` with the weights of `model` and other settings: `changes`
    holds values by dotted name, as {"cache.sink": 0}."""
    model, folder = Path(model), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for entry in model.iterdir():
        link = folder / entry.name
        if entry.name != "motionstream.json" and not link.exists():
            link.symlink_to(entry.resolve(), target_is_directory=entry.is_dir())
    settings = json.loads((model / "motionstream.json").read_text())
    for name, value in changes.items():
        *path, last = name.split(".")
        inner = settings
        for key in path:
            inner = inner[key]
        inner[last] = value
    temporary = folder / f"motionstream.json.{os.getpid()}"
    temporary.write_text(json.dumps(settings, indent=2))
    os.replace(temporary, folder / "motionstream.json")
    return str(folder)


def silenced(model, folder):
    """A model directory in `folder` whose transformer's output is zero: of prediction "residual"
    the image channels are left."""
    last = ("proj_out.", "cell_head.conv_out.")
    name = "diffusion_pytorch_model.safetensors"
    source, target = Path(model) / "transformer", Path(folder) / "transformer"
    target.mkdir(parents=True, exist_ok=True)
    state = load_file(source / name)
    zeros = {k: np.zeros_like(v) for k, v in state.items() if k.startswith(last)}
    save_file(state | zeros, target / name, metadata={"format": "pt"})
    (target / "config.json").write_text((source / "config.json").read_text())
    return variant(model, folder, {})


def file_digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def file_hashes(model):
    """SHA-256 by relative name, of the settings and the weights."""
    files = [Path(model) / "motionstream.json"]
    files += sorted(p for p in Path(model).glob("*/*") if p.suffix in (".safetensors", ".model"))
    return {str(path.relative_to(model)): file_digest(path) for path in files}
