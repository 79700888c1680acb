"""Work on many clips by several processes; every clip's figures are kept as they come.

Figures lie in OUT/kept/PART-DIGEST/00000.json; the digest is over the model's files, the world's
sources and all settings that the figures depend on, so that another model begins anew. After a
change of the measuring code, `--fresh` does."""

import functools
import hashlib
import json
import multiprocessing
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2

from .engine import Engine, file_hashes
from .worlds import Mix, held_out, world_digest


@dataclass(frozen=True)
class Setup:
    """What every part needs."""

    engine: Engine
    out: str
    mix: Mix
    workers: int
    fresh: bool = False
    parts: tuple[str, ...] = ()  # folders of the model that figures depend on; none: all of it

    @property
    def manifest(self):
        return self.engine.manifest

    def clip(self, index, frames):
        """Held-out clip `index`, of `frames` frames."""
        config = self.mix.config(self.manifest, frames)
        return held_out(index, config, Path(self.out) / "worlds", self.mix.split)

    def with_model(self, model):
        return replace(self, engine=replace(self.engine, model=model))

    def kept(self, part, settings):
        """The folder of a part's figures."""
        files = file_hashes(self.engine.model)
        if self.parts:
            files = {k: v for k, v in files.items() if k.split("/")[0] in self.parts}
        known = [files, world_digest(), asdict(self.mix), settings]
        text = json.dumps(known, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        folder = Path(self.out) / "kept" / f"{part}-{digest}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def each(function, items, setup, part, settings, workers=None):
    """[function(item, setup, settings)] for int items, by `workers` processes (0: in this one)."""
    folder = setup.kept(part, settings)
    jobs = [(function, item, setup, settings, folder / f"{item:05d}.json") for item in items]
    todo = [job for job in jobs if setup.fresh or not job[-1].exists()]
    workers = setup.workers if workers is None else workers
    begun = time.time()
    if workers and len(todo) > 1:
        for done, _ in enumerate(processes(workers).imap_unordered(run, todo), 1):
            progress(part, done, len(todo), begun)
    else:
        for done, job in enumerate(todo, 1):
            run(job)
            progress(part, done, len(todo), begun)
    return [json.loads(job[-1].read_text()) for job in jobs]


@functools.cache
def processes(workers):
    """The same for all parts: they take long to start."""
    return multiprocessing.get_context("spawn").Pool(workers, quiet)


def run(job):
    function, item, setup, settings, path = job
    row = function(item, setup, settings)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(row))
    os.replace(temporary, path)


def quiet():
    """One thread in each process."""
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def progress(part, done, of, begun):
    if done == of or done % max(1, of // 20) == 0:
        print(f"{part}: {done}/{of}, {time.time() - begun:.0f} s", flush=True)
