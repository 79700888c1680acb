"""The figures as Markdown: the table of aims, then each part with what was left out and why."""

NONE = "not measured"


def number(value, digits=2, unit=""):
    return NONE if value is None else f"{value:.{digits}f}{unit}"


def at(figures, *path):
    """The figure at a path, or None."""
    for key in path:
        figures = figures.get(key) if isinstance(figures, dict) else None
    return figures


def within(pair, digits=2):
    return f" ({pair[0]:.{digits}f} to {pair[1]:.{digits}f})" if pair else ""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows])


def markdown(result):
    parts = result["parts"]
    sections = [aims(parts)]
    writers = {
        "vae": vae,
        "transfer": transfer,
        "teacher": teacher,
        "guidance": guidance,
        "length": length,
        "text": text,
        "drawing": drawing,
        "ablations": ablations,
    }
    sections += [write(parts[name]) for name, write in writers.items() if name in parts]
    width, height = result["size"]
    machine = result["machine"]
    head = (
        f"Measured by `python -m evaluation` on {width}x{height} pixels; machine: "
        f"{machine['processors']} processors, {machine['kind']}."
    )
    return "\n\n".join([head, *sections]) + "\n"


def met(value, good):
    return NONE if value is None else "yes" if good(value) else "no"


def aims(parts):
    student = at(parts, "transfer", "dense") or first_kind(parts.get("transfer", {}))
    teacher, length, text = (parts.get(p, {}) for p in ("teacher", "length", "text"))
    own, gap = at(student, "points", "all", "made"), None
    if teacher:
        gap = at(teacher, "student", "psnr") - at(teacher, "teacher", "psnr")
    changes = [at(length, f"{n}_change_percent") for n in ("epe", "sharpness")]
    drifts = [at(length, f"{n}_drift_percent") for n in ("luma", "chroma")]
    words = [at(text, f"made_{n}_percent") for n in ("colour", "shape")]
    of_teacher = at(teacher, "teacher", "points", "all", "made")

    def both(values, digits=1):
        return NONE if None in values else ", ".join(f"{v:.{digits}f} %" for v in values)

    def all_met(values, good):
        return met(None if None in values else values, lambda v: all(map(good, v)))

    reconstruction, faster = at(parts, "vae", "psnr"), at(teacher, "times_faster")
    rows = [
        (
            "tiny VAE reconstruction, PSNR",
            ">= 30 dB",
            number(reconstruction, 2, " dB"),
            met(reconstruction, lambda v: v >= 30),
        ),
        (
            "teacher EPE, of the width",
            "<= 0.64 %",
            number(of_teacher, 2, " %"),
            met(of_teacher, lambda v: v <= 0.64),
        ),
        (
            "student EPE, of the width",
            "<= 0.94 %",
            number(own, 2, " %") + within(at(student, "points", "all", "made_interval")),
            met(own, lambda v: v <= 0.94),
        ),
        (
            "student against teacher, PSNR",
            "within 0.5 dB",
            number(gap, 2, " dB"),
            met(gap, lambda v: v >= -0.5),
        ),
        (
            "EPE and sharpness, last block against first",
            "within 10 %",
            both(changes),
            # Better than at first is as good.
            met(
                None if None in changes else changes,
                lambda v: v[0] <= 10 and abs(v[1]) <= 10,
            ),
        ),
        (
            "mean luma and chroma drift",
            "<= 2 %",
            both(drifts, 2),
            all_met(drifts, lambda v: v <= 2),
        ),
        (
            "named colour, named shape, without a picture",
            ">= 90 %",
            both(words),
            all_met(words, lambda v: v >= 90),
        ),
        (
            "student against teacher, wall time",
            ">= 100x",
            number(faster, 1, "x"),
            met(faster, lambda v: v >= 100),
        ),
    ]
    return table(("What", "Aim", "Found", "Met"), rows)


def first_kind(figures):
    return next((v for v in figures.values() if isinstance(v, dict) and "points" in v), {})


def mix(part):
    world = part["world"]
    return (
        f"{world['split']} split, at most {world['max_objects']} objects, "
        f"{100 * world['still_camera']:.0f} % still cameras, "
        f"{100 * world['turning']:.0f} % of objects may turn"
    )


def vae(part):
    p = part["points"]
    floor = ", ".join(
        f"{name} {number(p[name].get('made'))} %" for name in ("all", "objects", "moving points")
    )
    return (
        f"The tiny VAE alone, on {part['clips']} true clips of {part['frames']} frames "
        f"({mix(part)}): PSNR {part['psnr']:.2f} dB, SSIM {part['ssim']:.3f}, sharpness "
        f"{100 * part['sharpness_of_true']:.0f} % of the true clips'. EPE of the tracker on these "
        f"pictures, which is the least to expect of a model that uses it: {floor}; "
        f"objects' centres {number(part['objects'].get('made_mean'))} %."
    )


def transfer(part):
    text = []
    for kind, figures in part.items():
        if not isinstance(figures, dict) or "points" not in figures:
            continue
        text.append(
            f"Motion transfer, {kind} tracks: {figures['clips']} clips of {figures['frames']} "
            f"frames ({mix(part)}). EPE in % of the width, 95 % interval over clips."
        )
        rows = [
            (
                name,
                p["points"],
                number(p.get("made")) + within(p.get("made_interval")),
                number(p.get("made_median_of_points")),
                number(p.get("frozen")),
                number(p.get("tracker")),
            )
            for name, p in figures["points"].items()
        ]
        o = figures["objects"]
        for what, name in (("mean", "objects' centres"), ("end", "the same, last frame")):
            row = (number(o.get(f"{way}_{what}")) for way in ("made", "frozen", "tracker"))
            made, frozen, tracker = row
            median = number(o.get(f"made_{what}_median"))
            rows.append((name, o["objects"], made, median, frozen, tracker))
        head = ("EPE", "Graded", "Generated", "Median", "First frame frozen", "True clip")
        text.append(table(head, rows))
        left = figures["points_left_out"]
        text.append(
            f"PSNR {figures['psnr']:.2f} dB (frozen {figures['psnr_frozen']:.2f}), SSIM "
            f"{figures['ssim']:.3f} (frozen {figures['ssim_frozen']:.3f}), sharpness "
            f"{100 * figures['sharpness_of_true']:.0f} % of the true clips'. Left out, because the "
            "same tracker does not follow them on the true clip (plain surfaces, turning away, "
            "blur): "
            + " and ".join(f"{v['left_out']} of {v['given']} on {k}" for k, v in left.items())
            + f"; of the moving objects {o['left_out']} of {o['objects'] + o['left_out']}."
        )
    return "\n\n".join(text)


def teacher(part):
    rows = []
    for who in ("teacher", "student"):
        p = part[who]["points"]["all"]
        rows.append(
            (
                who,
                number(p.get("made")) + within(p.get("made_interval")),
                number(part[who]["objects"].get("made_mean")),
                number(part[who]["psnr"]),
                number(part[who]["ssim"], 3),
                f"{100 * part[who]['sharpness_of_true']:.0f} %",
                number(part["seconds"][who], 2),
            )
        )
    head = ("", "EPE %", "Objects' EPE %", "PSNR", "SSIM", "Sharpness", "Seconds a clip")
    low, high = part["times_faster_range"]
    return (
        f"Teacher (PyTorch, {part['steps']} steps, guidance {part['guidance']}) and student (the "
        f"program) on the same {part['clips']} clips of {part['frames']} frames, {part['tracks']} "
        f"tracks ({mix(part)}). Seconds are of the first {part['timed']}, taking turns on the same "
        "machine: the student's are those of the whole program, starting and loading included, the "
        f"median of {part['runs']} runs; the teacher's are text, sampling and decoding.\n\n"
        f"{table(head, rows)}\n\n"
        f"Times faster: median {part['times_faster']:.1f} ({low:.1f} to {high:.1f})."
    )


def length(part):
    rows = []
    for stream in part["streams"]:
        first, last = stream["blocks"][0], stream["blocks"][-1]
        rows.append(
            (
                stream["clip"],
                stream["camera"],
                *(
                    f"{number(first[n], d)} / {number(last[n], d)}"
                    for n, d in (("epe", 2), ("psnr", 2), ("sharpness", 0))
                ),
                *(
                    number(max(abs(b["colour"][c] - first["colour"][c]) for b in stream["blocks"]))
                    for c in range(3)
                ),
            )
        )
    head = ("Clip", "Camera", "EPE %", "PSNR", "Sharpness", "Y drift %", "Cb drift %", "Cr drift %")
    block, frames = part["block"], part["frames"]
    return (
        f"Length: {len(rows)} streams of {frames:,} frames, clips of 101 frames played forwards "
        f"and backwards ({mix(part)}; clips with a moving object that the colour tracker follows), "
        f"{part['tracks']} tracks. First {block:,} frames / last {block:,}; drift is the worst "
        f"block's against the first, in % of 255.\n\n{table(head, rows)}\n\nAll streams: EPE "
        f"{part['epe_first']:.2f} to {part['epe_last']:.2f} % "
        f"({part['epe_change_percent']:+.1f} %), sharpness {part['sharpness_first']:.0f} to "
        f"{part['sharpness_last']:.0f} ({part['sharpness_change_percent']:+.1f} %); luma "
        f"{part['luma_drift_percent']:.2f} % (worst {part['luma_drift_worst_percent']:.2f}), "
        f"chroma {part['chroma_drift_percent']:.2f} % "
        f"(worst {part['chroma_drift_worst_percent']:.2f})."
    )


def text(part):
    rows = [
        (name, *(number(part[f"{way}_{what}_percent"], 1) for what in ("colour", "shape", "both")))
        for way, name in (("made", "generated"), ("true", "the true clips"))
    ]
    return (
        f"Text: {part['objects']} objects of {part['clips']} clips of {part['frames']} frames "
        f"({mix(part)}), prompt and {part['tracks']} tracks, no picture; "
        f"{part['objects_left_out']} objects left out that are small, cut by the border "
        "or hidden. Shape classifier: "
        f"{100 * part['shape_accuracy_on_validation_crops']:.1f} % of true validation crops; by "
        "chance 9 % of colours and 20 % of shapes.\n\n"
        + table(("%", "Named colour", "Named shape", "Both"), rows)
    )


def drawing(part):
    names = ("made_colour_percent", "made_shape_percent", "made_both_percent")
    rows = [
        (name, *(number(figures[n], 1) for n in names))
        for name, figures in part["settings"].items()
    ]
    objects = next(iter(part["settings"].values()))["objects"]
    return (
        f"Settings of the drawing, same weights: {objects} objects of {part['clips']} clips of "
        f"{part['frames']} frames ({mix(part)}), prompt and {part['tracks']} tracks, no "
        "picture.\n\n" + table(("%", "Named colour", "Named shape", "Both"), rows)
    )


BRIEFLY = ("", "EPE %", "Objects' EPE %", "PSNR", "SSIM", "Sharpness of true")


def ablations(part):
    rows = [
        briefly(f"{group}: {name}", figures)
        for group in ("network", "cache", "steps", "placement")
        for name, figures in part.get(group, {}).items()
    ]
    return (
        f"Ablations: {part['clips']} clips of {part['frames']} frames ({mix(part)}), "
        f"{part['tracks']} tracks; the shipped weights with other settings.\n\n"
        + table(BRIEFLY, rows)
    )


def guidance(part):
    rows = [briefly(name, figures) for name, figures in part["settings"].items()]
    return (
        f"Guidance of the teacher: {part['clips']} clips of {part['frames']} frames "
        f"({mix(part)}), {part['tracks']} tracks.\n\n" + table(BRIEFLY, rows)
    )


def briefly(name, figures):
    return (
        name,
        number(figures["epe"]) + within(figures["epe_interval"]),
        number(figures["objects_epe"]),
        number(figures["psnr"]),
        number(figures["ssim"], 3),
        f"{100 * figures['sharpness_of_true']:.0f} %",
    )
