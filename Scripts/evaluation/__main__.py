"""Measures a model and writes OUT/NAME.json, OUT/NAME.md, OUT/sheet.png and OUT/clip.webp.

    python -m evaluation --motionstream ../.build/release/motionstream --model ../Models/NAME \
        --teacher runs/teacher/checkpoint.pt --out runs/evaluation

Every part can be measured alone (`--only text`): its figures replace those of that part in the
JSON. Run from Scripts/.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

from world import SPLITS

from . import ablations, drawing, length, report, sheet, text, transfer, vae
from .engine import Engine, file_hashes
from .jobs import Setup, quiet
from .worlds import Mix

PARTS = ("vae", "transfer", "length", "text", "drawing", "guidance", "teacher", "ablations")


def parse():
    parser = argparse.ArgumentParser(
        prog="evaluation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--motionstream", required=True, help="the built program")
    add("--model", required=True, help="model directory")
    add("--teacher", help="checkpoint of train_teacher; if not given, the model's own")
    add("--out", default="runs/evaluation")
    add("--only", help="parts to measure, with commas between: " + ", ".join(PARTS))
    add("--workers", type=int, default=os.cpu_count(), help="processes; 0: this one alone")
    add("--fresh", action="store_true", help="measure again what is there already")
    world = parser.add_argument_group("the worlds")
    world.add_argument("--max-objects", type=int, default=Mix.max_objects)
    world.add_argument("--still-camera", type=float, default=Mix.still_camera, help="share")
    world.add_argument("--turning", type=float, default=Mix.turning, help="share of objects")
    world.add_argument("--split", choices=SPLITS, default=Mix.split)
    sizes = parser.add_argument_group("how much")
    add = sizes.add_argument
    add("--clips", type=int, default=64, help="of the transfer, text and vae parts")
    add("--frames", type=int, default=81, help="of each of them")
    add("--tracks", default="dense,sparse", help="kinds for the transfer: dense, sparse, grid")
    add("--streams", type=int, default=4)
    add("--stream-frames", type=int, default=10_000)
    add("--block", type=int, default=1000, help="frames of a stream that are averaged")
    add("--shape-scenes", type=int, default=1500, help="that the shape classifier learns from")
    add("--drawing-clips", type=int, default=24)
    add("--drawing-frames", type=int, default=57)
    add("--teacher-clips", type=int, default=16, help="of the guidance and teacher parts")
    add("--timed-clips", type=int, default=2, help="of those, how many are timed")
    add("--teacher-steps", type=int, default=50)
    add("--ablation-clips", type=int, default=16)
    add("--ablation-frames", type=int, default=161)
    add("--sheet-rows", type=int, default=6)
    parser.add_argument("--device", default="cpu", help="of the teacher where it is not timed")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",") if arguments.only else list(PARTS)
    if unknown := set(arguments.only) - set(PARTS):
        parser.error(f"--only: expected some of {', '.join(PARTS)}, found {', '.join(unknown)}")
    if not arguments.teacher and (Path(arguments.model) / "teacher").is_dir():
        arguments.teacher = arguments.model
    for part in {"guidance", "teacher"} & set(arguments.only):
        if not arguments.teacher:
            print(f"{part}: left out, as the model has none and --teacher is not given", flush=True)
            arguments.only.remove(part)
    return arguments


def measure(part, setup, a):
    kinds = a.tracks.split(",")
    if part == "vae":
        return vae.measure(setup, a.clips, a.frames, kinds[0])
    if part == "transfer":
        return transfer.measure(setup, a.clips, a.frames, kinds, a.sheet_rows)
    if part == "length":
        return length.measure(setup, a.streams, a.stream_frames, a.block, kinds[0])
    if part == "text":
        return text.measure(setup, a.clips, a.frames, kinds[0], a.shape_scenes)
    if part == "drawing":
        return drawing.measure(setup, a.drawing_clips, a.drawing_frames, kinds[0], a.shape_scenes)
    if part == "ablations":
        return ablations.measure(setup, a.ablation_clips, a.ablation_frames, kinds[0])
    from . import teacher  # needs the training code, which the others do not

    sampler = teacher.Sampler(a.teacher, a.teacher_steps, a.device)
    if part == "guidance":
        return teacher.measure_guidance(setup, sampler, a.teacher_clips, a.frames, kinds[0])
    return teacher.measure(
        setup, sampler, a.teacher_clips, a.timed_clips, a.frames, kinds[0], a.sheet_rows
    )


def main():
    a = parse()
    quiet()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    mix = Mix(a.max_objects, a.still_camera, a.turning, a.split)
    setup = Setup(Engine(a.motionstream, a.model), a.out, mix, a.workers, a.fresh)
    name = setup.manifest["name"]
    path = out / f"{name}.json"
    result = json.loads(path.read_text()) if path.exists() else {"parts": {}}
    hashes = file_hashes(a.model)
    if result.get("files", hashes) != hashes:
        print("the model has changed: earlier figures are dropped", flush=True)
        result = {"parts": {}}
    result |= {
        "model": name,
        "size": [setup.manifest["width"], setup.manifest["height"]],
        "files": hashes,
        "machine": {"processors": os.cpu_count(), "kind": processor()},
    }
    for part in PARTS:
        if part not in a.only:
            continue
        begun = time.time()
        figures = measure(part, setup, a)
        if figures is None:
            print(f"{part}: left out, as the model does not do it", flush=True)
            continue
        figures["seconds_measured"] = round(time.time() - begun)
        figures["world"] = vars(mix)
        result["parts"][part] = figures
        path.write_text(json.dumps(result, indent=1) + "\n")
        (out / f"{name}.md").write_text(report.markdown(result))
    if "transfer" in a.only:
        pairs = transfer.frames_shown(setup, a.frames, a.tracks.split(",")[0], a.sheet_rows)
        if pairs:
            sheet.save_sheet(pairs, out / "sheet.png")
            sheet.save_moving(pairs[:2], out / "clip.webp", setup.manifest["fps"])
    print(report.markdown(result))
    print(f"written: {path}, {out / (name + '.md')}")


def processor():
    """What /proc/cpuinfo calls it, where there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")


if __name__ == "__main__":
    main()
