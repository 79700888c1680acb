"""A random scene from a seed: floor, sky, light, camera, objects with their poses."""

from dataclasses import dataclass, field, replace

import numpy as np

from . import motion
from .camera import Camera, sample_camera
from .config import WorldConfig

COLOURS = {
    "red": (0.88, 0.13, 0.13),
    "orange": (0.98, 0.53, 0.08),
    "yellow": (0.98, 0.85, 0.14),
    "green": (0.15, 0.66, 0.24),
    "teal": (0.07, 0.68, 0.68),
    "blue": (0.14, 0.32, 0.90),
    "purple": (0.54, 0.22, 0.78),
    "pink": (0.98, 0.50, 0.72),
    "brown": (0.46, 0.27, 0.13),
    "white": (0.94, 0.94, 0.92),
    "black": (0.11, 0.11, 0.13),
}
SHAPES = ("sphere", "box", "cylinder", "cone", "torus")
MATERIALS = ("matte", "glossy", "striped", "checkered")
SIZES = {"small": (0.48, 0.56), "medium": (0.66, 0.76), "large": (0.88, 1.00)}
FLOOR_COLOURS = {
    "grey": (0.62, 0.63, 0.65),
    "beige": (0.83, 0.75, 0.61),
    "light blue": (0.62, 0.74, 0.84),
    "mint": (0.63, 0.79, 0.70),
    "sandy": (0.87, 0.78, 0.55),
    "lilac": (0.74, 0.69, 0.84),
    "terracotta": (0.77, 0.55, 0.44),
    "slate": (0.42, 0.46, 0.53),
}
FLOORS = ("checkered", "striped", "tiled", "mottled", "wooden", "plain")
SKIES = {  # top of the sky, horizon
    "clear blue": ((0.25, 0.50, 0.87), (0.78, 0.88, 0.96)),
    "pale": ((0.70, 0.79, 0.88), (0.93, 0.94, 0.95)),
    "evening": ((0.33, 0.31, 0.62), (0.98, 0.72, 0.53)),
    "golden": ((0.62, 0.70, 0.82), (0.99, 0.88, 0.66)),
    "dusky": ((0.14, 0.17, 0.36), (0.52, 0.50, 0.68)),
}


@dataclass
class Solid:
    """One object; `rotation` turns object coordinates into world coordinates."""

    shape: str
    material: str
    colour: str
    size: str
    motion: str
    extent: tuple[float, float, float]  # see `_extent`
    bound: float  # radius of the enclosing sphere
    cells: tuple[float, float]  # checks around and along; on a box: per unit, and their shift
    position: np.ndarray = field(repr=False, default=None)  # [T, 3]
    rotation: np.ndarray = field(repr=False, default=None)  # [T, 3, 3]
    turning: bool = False
    rolls: bool = False
    name: str = ""  # what the prompt calls it

    @property
    def colours(self):
        """Main and second colour of the surface, RGB in 0..1."""
        main = np.array(COLOURS[self.colour])
        if self.material in ("matte", "glossy"):
            return main, main
        bright = self.colour in ("white", "yellow")
        return main, np.array((0.30, 0.30, 0.33) if bright else (0.95, 0.94, 0.90))


@dataclass
class Scene:
    seed: int
    config: WorldConfig
    camera: Camera
    solids: list[Solid]
    floor: str
    floor_colour: str
    floor_cell: float
    floor_angle: float
    floor_contrast: float
    sky: str
    hills: float  # height of the hills at the horizon, 0 for none
    hill_phase: np.ndarray
    light: np.ndarray  # unit vector towards the light
    light_spread: float  # 0 for a hard shadow
    ambient: float


def _extent(shape, s):
    """Half sizes and distance of the lowest point, by shape, and the bounding radius.

    sphere (r, r, r); box half sides; cylinder (radius, half height, -);
    cone (base radius, half height, -); torus (ring radius, tube radius, -), upright.
    """
    if shape == "sphere":
        return (s, s, s), s, s
    if shape == "box":
        h = 0.76 * s
        return (h, h, h), h, h * 3**0.5
    if shape == "cylinder":
        return (0.70 * s, 0.86 * s, 0.0), 0.86 * s, s * (0.70**2 + 0.86**2) ** 0.5
    if shape == "cone":
        return (0.86 * s, 0.98 * s, 0.0), 0.98 * s, s * (0.86**2 + 0.98**2) ** 0.5
    return (0.72 * s, 0.29 * s, 0.0), 1.01 * s, 1.01 * s


def _sample_solid(rng, colours, time, calm, leads, turning):
    shape = str(rng.choice(SHAPES, p=(0.26, 0.24, 0.19, 0.18, 0.13)))
    material = str(rng.choice(MATERIALS, p=(0.28, 0.26, 0.23, 0.23)))
    size = str(rng.choice(list(SIZES), p=(0.3, 0.42, 0.28)))
    odds = np.array((0.06, 0.12, 0.18, 0.10, 0.14, 0.22, 0.18))
    if calm:
        odds = np.array((0.2, 0.3, 0.1, 0.05, 0.15, 0.1, 0.1))
    if leads:
        odds[0] = 0.0
    # One draw more only where it is asked for: other worlds keep their scenes.
    turns = turning >= 1 or rng.random() < turning
    if not turns:
        odds[1] = 0.0  # spinning on the spot
    kind = str(rng.choice(motion.MOTIONS, p=odds / odds.sum()))
    extent, rest, bound = _extent(shape, rng.uniform(*SIZES[size]))
    round_cells = float(rng.integers(3, 6) * 2), rng.uniform(2.2, 3.4) / bound
    # Three or four cells to a box's side, a hair less so that no face lies on a border; of
    # three, the outer ones have the named colour.
    side = 4 if rng.random() < 0.5 and material == "checkered" else 3
    flat_cells = (side - 0.02) / (2 * extent[0]), 1.5 * (side % 2)
    solid = Solid(
        shape=shape,
        material=material,
        colour=str(rng.choice(colours)),
        size=size,
        motion=kind,
        extent=extent,
        bound=bound,
        cells=flat_cells if shape == "box" else round_cells,
    )
    tumbles = kind == "float" and rng.random() < 0.35 and turns
    solid.position = motion.positions(kind, rng, time, bound if tumbles else rest)
    rate = rng.choice([-1, 1]) * rng.uniform(1.2, 3.2)
    if kind == "stand" or (kind != "spin" and rng.random() < 0.45) or not turns:
        rate = 0.0
    if tumbles and rate == 0.0:
        rate = 1.5
    axis = np.array([0.0, 1.0, 0.0])
    if tumbles or (shape == "sphere" and kind in ("spin", "bounce", "float")):
        axis = rng.normal(0, 1, 3) * (1, 0.7, 1)
        axis /= np.linalg.norm(axis)
    start = motion.turn((0, 1, 0), np.array([rng.uniform(0, 2 * np.pi)]))
    if shape == "torus":  # show the hole at first
        start = motion.turn((0, 1, 0), np.array([rng.uniform(-0.9, 0.9)]))
    solid.rotation = motion.turn(axis, rate * time) @ start
    solid.rolls = shape == "sphere" and kind in ("slide", "arc", "path") and turns
    if solid.rolls:
        solid.rotation = motion.roll(solid.position, extent[0]) @ start
    solid.turning = rate != 0.0 and not solid.rolls
    return solid


def _in_view(solid, camera, config):
    centre, depth = camera.project(solid.position)
    if depth.min() < solid.bound + 1.2:
        return False
    size = camera.focal * solid.bound / depth
    edge = np.minimum(centre, np.array([config.width, config.height]) - centre).min(1)
    inside = edge > 0.35 * size
    return bool(edge[0] > 0.7 * size[0] and inside.mean() > 0.88)


def _apart(a, b):
    offset = a.position - b.position
    flat = np.hypot(offset[:, 0], offset[:, 2]) - a.bound - b.bound
    return bool(np.all(np.maximum(flat, np.abs(offset[:, 1]) - a.bound - b.bound) > -0.06))


def sample_scene(seed, config):
    """The scene of a seed: the same seed and settings give the same scene, always."""
    rng = np.random.default_rng([seed, 0x5EED])
    time = np.arange(config.frames) / config.fps
    camera = sample_camera(rng, config, time)
    turn = rng.uniform(0, 2 * np.pi)
    climb = rng.uniform(0.75, 1.15)
    light = np.array([np.cos(climb) * np.sin(turn), np.sin(climb), np.cos(climb) * np.cos(turn)])
    light[2] = -abs(light[2])  # the sun stands behind the camera or beside it
    scene = Scene(
        seed=seed,
        config=config,
        camera=camera,
        solids=[],
        floor=str(rng.choice(FLOORS, p=(0.24, 0.16, 0.18, 0.16, 0.14, 0.12))),
        floor_colour=str(rng.choice(list(FLOOR_COLOURS))),
        floor_cell=rng.uniform(0.7, 1.3),
        floor_angle=rng.uniform(-0.8, 0.8),
        floor_contrast=rng.uniform(0.16, 0.34),
        sky=str(rng.choice(list(SKIES), p=(0.36, 0.2, 0.16, 0.16, 0.12))),
        hills=float(rng.uniform(0.05, 0.13)) if rng.random() < 0.4 else 0.0,
        hill_phase=rng.uniform(0, 2 * np.pi, 3),
        light=light,
        light_spread=float(rng.uniform(0.05, 0.11)) if rng.random() < 0.5 else 0.0,
        ambient=rng.uniform(0.40, 0.52),
    )
    if scene.floor == "wooden":
        scene.floor_colour = str(rng.choice(["beige", "terracotta", "sandy"]))
    wanted = 1 + int(rng.choice(4, p=(0.24, 0.34, 0.28, 0.14)))
    wanted = min(wanted, config.max_objects)
    colours, still = list(COLOURS), camera.move == "still"
    # Each object is tried until it is in view and meets nobody; later tries are calmer.
    for tries in range(60 * wanted):
        if len(scene.solids) == wanted:
            break
        leads = still and not scene.solids  # something moves in every clip
        solid = _sample_solid(rng, colours, time, tries > 20, leads, config.turning)
        fits = _in_view(solid, camera, config)
        if fits and all(_apart(solid, other) for other in scene.solids):
            scene.solids.append(solid)
            colours.remove(solid.colour)
    return scene


def recast(scene, rng):
    """The same places and ways, with other shapes, colours, materials and sizes of objects. To tell
    of, not to be drawn."""
    colours = rng.permutation(list(COLOURS))
    solids = []
    for solid, colour in zip(scene.solids, colours, strict=False):
        shape = str(rng.choice(SHAPES))
        material, size = str(rng.choice(MATERIALS)), str(rng.choice(list(SIZES)))
        rolls = solid.rolls and shape == "sphere"
        other = {"shape": shape, "colour": str(colour), "material": material, "size": size}
        solids.append(replace(solid, rolls=rolls, **other))
    return replace(scene, solids=solids)
