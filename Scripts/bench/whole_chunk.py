"""Times a whole chunk (conditions, every denoising step, commit, decode) in motionstream and in the
PyTorch twin, with the same weights, on the same number of threads.

    swift build -c release --product motionstream
    python Scripts/bench/whole_chunk.py [-m Models/NAME] [--threads 2] [--rounds 5] [--chunks 8]

The two take turns, `--chunks` steady chunks each a round; the table gives medians over all rounds.
On a busy machine only figures of one run can be compared.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts"))

from reference.model_directory import load  # noqa: E402
from reference.rollout import Rollout, Tracks  # noqa: E402

PROMPT = "a red ball rolls over the floor"


def pins(rules, frames):
    """The sixteen points that `motionstream bench` pins down, or nothing."""
    if rules.tracks is None:
        return None
    points = torch.tensor(
        [((i % 4 + 0.5) / 4 * rules.width, (i // 4 + 0.5) / 4 * rules.height) for i in range(16)]
    )
    return Tracks(
        points=points.expand(frames, 16, 2).clone(),
        visible=torch.ones(frames, 16, dtype=torch.bool),
        ids=torch.arange(16),
    )


def swift_round(program, model, threads, chunks):
    command = [program, "bench", "-m", model, "-p", PROMPT, "--json"]
    command += ["--threads", str(threads), "--chunks", str(chunks)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def twin_round(rollout, chunks):
    seconds = []
    for _ in range(chunks):
        start = time.perf_counter()
        rollout.next_chunk()
        seconds.append(time.perf_counter() - start)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-m", "--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunks", type=int, default=8)
    arguments = parser.parse_args()
    model = arguments.model or ROOT / "Models" / (ROOT / "Models/default.txt").read_text().strip()
    program = ROOT / ".build/release/motionstream"

    torch.set_num_threads(arguments.threads)
    loaded = load(model)
    rules = loaded.configuration
    warm_up = 1 + -(-(rules.sink_frames + rules.window_frames) // rules.chunk)
    total = warm_up + arguments.rounds * arguments.chunks
    frames = total * max(rules.chunk, rules.first_chunk) * rules.temporal_compression
    ours, twins = [], []
    with torch.inference_mode():
        rollout = Rollout(loaded, PROMPT, seed=0, tracks=pins(rules, frames))
        twin_round(rollout, warm_up)
        for _ in range(arguments.rounds):
            report = swift_round(program, model, arguments.threads, arguments.chunks)
            ours += report["chunks"]
            twins += twin_round(rollout, arguments.chunks)

    ours, twins = statistics.median(ours), statistics.median(twins)
    print(f"{rules.name}, {rules.width}x{rules.height}, {arguments.threads} threads, ", end="")
    print(f"medians of {arguments.rounds * arguments.chunks} chunks, taking turns")
    print(f"motionstream  {ours * 1000:9.2f} ms a chunk")
    print(f"PyTorch twin  {twins * 1000:9.2f} ms a chunk")
    print(f"motionstream is {twins / ours:.2f} times as fast")
    print(json.dumps({"motionstream_seconds": ours, "twin_seconds": twins}))


if __name__ == "__main__":
    main()
