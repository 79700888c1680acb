"""The prompt grammar: plain lower-case sentences that name every object of a scene and mostly say
where it stands, so that they tell which object is which. Where nothing is said of that, objects are
named from left to right."""

import numpy as np

SHAPE_WORDS = {
    "sphere": ("sphere", "ball"),
    "box": ("box", "cube"),
    "cylinder": ("cylinder",),
    "cone": ("cone",),
    "torus": ("ring", "torus"),
}
ROWS = (  # where so many objects stand, from left to right
    (),
    ("on the left", "in the middle", "on the right"),
    ("on the left", "on the right"),
    ("on the left", "in the middle", "on the right"),
    ("on the far left", "on the left", "on the right", "on the far right"),
)
NEAR_FAR = (("in front", "in the foreground"), ("at the back", "in the background"))
BESIDE = 0.08  # of the picture's width: two objects closer than that are in front and at the back
PLACES_SAID = 0.85  # share of prompts that say where several objects stand
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def _article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def _name(solid, rng):
    """Size, material, colour and shape; colour and shape are always there."""
    words = [solid.colour, str(rng.choice(SHAPE_WORDS[solid.shape]))]
    patterned = solid.material in ("striped", "checkered")
    if rng.random() < (0.93 if patterned else 0.6):
        words.insert(0, solid.material)
    if rng.random() < 0.65:
        size = {"small": ("small", "little"), "large": ("large", "big"), "medium": ("",)}
        words.insert(0, str(rng.choice(size[solid.size])))
    return " ".join(w for w in words if w)


def _direction(solid, camera):
    """Where the object goes in the picture over the clip, in words, or nothing."""
    screen, depth = camera.project(solid.position)
    across = (screen[-1, 0] - screen[0, 0]) / camera.focal
    nearer = depth[0] - depth[-1]
    if abs(across) > 0.12:
        return "to the right" if across > 0 else "to the left"
    if abs(nearer) > 0.6:
        return "towards the camera" if nearer > 0 else "away from the camera"
    return ""


def _action(solid, camera, rng):
    way = _direction(solid, camera)

    def one(*choices):
        return str(rng.choice(choices))

    if solid.motion == "stand":
        return one("stands still", "rests on the floor", "does not move")
    if solid.motion == "spin":
        return one("spins in place", "turns around itself", "spins on the spot")
    if solid.motion == "slide":
        verb = one("rolls", "rolls along") if solid.rolls else one("slides", "glides")
        text = f"{verb} {way or 'across the floor'}"
    elif solid.motion == "arc":
        text = one("moves in an arc", "travels around a circle", "circles around")
    elif solid.motion == "bounce":
        text = one("bounces up and down", "bounces", "hops") + (f" {way}" if way else "")
    elif solid.motion == "path":
        text = one("follows a winding path", "wanders over the floor", "moves along a curved path")
        text += f" {way}" if way and rng.random() < 0.5 else ""
    else:
        text = one("floats through the air", "flies along a curved path", "drifts in the air")
        text += f" {way}" if way and rng.random() < 0.5 else ""
    if solid.turning and rng.random() < 0.6:
        text += one(" while it spins", " while turning", ", spinning")
    return text


def _places(scene, at, rng):
    """The objects in the order in which they are named, and where each stands in frame `at`, in
    words, or nothing."""
    count, width = len(scene.solids), scene.config.width
    seen = [scene.camera.project(solid.position) for solid in scene.solids]
    across, depth = (np.array(v) for v in ([s[at, 0] for s, _ in seen], [d[at] for _, d in seen]))
    order = np.argsort(across)
    if count >= len(ROWS) or rng.random() > (PLACES_SAID if count > 1 else 0.4):
        return [(scene.solids[i], "") for i in order]
    words = list(ROWS[count])
    if count == 1:
        words = [words[int(np.clip(3 * across[0] / width, 0, 2))]]
    elif count == 2 and np.ptp(across) < BESIDE * width:
        order, words = np.argsort(depth), [str(rng.choice(choice)) for choice in NEAR_FAR]
    named = [(scene.solids[i], word) for i, word in zip(order, words, strict=True)]
    return [named[i] for i in rng.permutation(count)]


def _camera(camera, rng):
    forward = camera.change > 0
    choices = {
        "still": ("the camera stands still", "the camera does not move", "static camera"),
        "pan": (f"the camera pans to the {'right' if forward else 'left'}",),
        "tilt": (f"the camera tilts {'up' if forward else 'down'}",),
        "orbit": ("the camera orbits around the scene", "the camera circles the scene"),
        "dolly": (
            ("the camera moves closer", "the camera dollies in")
            if forward
            else ("the camera moves back", "the camera dollies out")
        ),
        "rise": (f"the camera {'rises' if forward else 'sinks'}",),
        "truck": (f"the camera slides to the {'right' if forward else 'left'}",),
    }
    return str(rng.choice(choices[camera.move]))


def _place(scene, rng):
    floor = f"{scene.floor_colour} floor"
    if scene.floor != "plain":
        floor = f"{scene.floor} {floor}"
    sky = f"{scene.sky} sky"
    hills = " with hills at the horizon" if scene.hills and rng.random() < 0.7 else ""
    both = f"on {_article(floor)} under {_article(sky)}{hills}"
    return str(rng.choice([both, f"on {_article(floor)}", f"under {_article(sky)}{hills}", ""]))


def describe(scene, at=0, variant=0):
    """A prompt for the scene as frame `at` shows it; each `variant` has other words. Names each
    object too, for those who need to refer to it."""
    rng = np.random.default_rng([scene.seed, variant, 0x7E57])
    cast, actions = [], []
    for solid, where in _places(scene, at, rng):
        solid.name = _article(_name(solid, rng))
        cast.append((solid, f"{solid.name} {where}".strip()))
        actions.append(f"{cast[-1][1]} {_action(solid, scene.camera, rng)}")
    place, camera = _place(scene, rng), _camera(scene.camera, rng)
    many = len(actions)
    style = rng.integers(4)
    if style == 0:  # one sentence
        text = " and ".join([", ".join(actions[:-1]), actions[-1]] if many > 1 else actions)
        sentences = [f"{text} {place}".strip()]
    elif style == 1:  # place first
        first = actions[0]
        sentences = [f"{place}, {first}" if place else first, *actions[1:]]
    elif style == 2:  # the cast, then what it does
        names = [name for _, name in cast]
        together = " and ".join([", ".join(names[:-1]), names[-1]] if many > 1 else names)
        sentences = [f"{together} {place}".strip()]
        for solid, _ in cast:
            words = SHAPE_WORDS[solid.shape]
            noun = next(w for w in words if w in solid.name.split())
            sentences.append(f"the {solid.colour} {noun} {_action(solid, scene.camera, rng)}")
    else:  # a caption
        count = "one object" if many == 1 else f"{NUMBERS[many]} objects"
        sentences = [f"{count} {place}".strip(), *actions]
    if rng.random() < (0.5 if scene.camera.move == "still" else 0.85):
        sentences.append(camera)
    return ". ".join(s for s in sentences if s) + "."
