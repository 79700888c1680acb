"""A ray caster for flat lists of rays: every step is one batched tensor operation.

A ray is (frame, x, y): pixel coordinates with corner origin, so the first pixel's centre is
(0.5, 0.5). Pictures and ground-truth visibility come from the same `Tracer.trace`.
"""

from dataclasses import dataclass

import numpy as np
import torch

from . import background, shapes
from .scene import FLOOR_COLOURS, SKIES

HAZE = 26.0  # distance at which the floor melts into the horizon
NEAR = 0.05


@dataclass
class Hit:
    """What rays meet. `owner`: -1 sky, 0 floor, 1... objects; `depth` along the camera axis."""

    depth: torch.Tensor  # [N], inf for the sky
    owner: torch.Tensor  # [N] int64
    albedo: torch.Tensor  # [3, N] surface colour before light
    colour: torch.Tensor | None  # [3, N] what the camera sees
    direction: torch.Tensor  # [3, N] world direction, unit step along the camera axis


def gather(table, frame):
    """Entries of `table` [C, T] for each ray: [C, N]. (Plain indexing is five times slower.)"""
    return table.index_select(-1, frame)


def put(target, at, values):
    """target[..., at] = values."""
    target.scatter_(-1, at.expand_as(values), values)


def _apply(matrix, v):
    """Products of flat matrices [9, N] with vectors [3, N]."""
    m = matrix.view(3, 3, -1)
    return m[:, 0] * v[0] + m[:, 1] * v[1] + m[:, 2] * v[2]


def _unit(v):
    return v * (v * v).sum(0).clamp(min=1e-12).rsqrt()


class Tracer:
    """A scene's poses as tables on a device, ready to trace any rays of any frames."""

    def __init__(self, scene, device="cpu"):
        self.scene, self.device = scene, torch.device(device)
        camera = scene.camera
        frames = len(camera.position)

        def table(a):
            flat = np.ascontiguousarray(np.reshape(a, (frames, -1)).T, dtype=np.float32)
            return torch.from_numpy(flat).to(self.device)

        self.eye = table(camera.position)
        self.axes = table(camera.axes.transpose(0, 2, 1))  # camera to world
        self.light = torch.tensor(scene.light, dtype=torch.float32, device=self.device)[:, None]
        self.lights = [self.light]
        if scene.light_spread:
            side = np.cross(scene.light, (0.31, 0.2, 0.93))
            side /= np.linalg.norm(side)
            other = np.cross(side, scene.light)
            for angle in (0.4, 0.4 + 2.0944, 0.4 + 4.18879):
                tilt = np.cos(angle) * side + np.sin(angle) * other
                tilt = scene.light + scene.light_spread * tilt
                self.lights.append(background.vector(tilt / np.linalg.norm(tilt), self.eye))
        self.solids = []
        for solid in scene.solids:
            offset = camera.position - solid.position
            into = solid.rotation.transpose(0, 2, 1)
            tables = {
                "centre": table(solid.position),
                "into": table(into),
                "origin": table(np.einsum("tij,tj->ti", into, offset)),
                "ray": table(np.einsum("tij,tkj->tik", into, camera.axes)),
                "light": table(into @ scene.light),
                "box": table(_screen_box(camera, solid)),
                "colours": [background.vector(c, self.eye) for c in solid.colours],
            }
            self.solids.append((solid, tables))

    def trace(self, frame, x, y, colour=True, block=None):
        """Follow rays through pixels (x, y) [N] of frames [N]; without `colour`, geometry only.

        `block` = (first, last + 1) says that the rays are equally many for each of these frames,
        in order, which saves looking up each ray's frame.
        """

        def poses(table):
            if block is None:
                return gather(table, frame)
            part = table[:, block[0] : block[1], None]
            return part.expand(-1, -1, len(x) // part.shape[1]).reshape(len(table), -1)

        camera = self.scene.camera
        pixel = torch.stack(
            [
                (x - camera.centre[0]) / camera.focal,
                (y - camera.centre[1]) / camera.focal,
                torch.ones_like(x),
            ]
        )
        direction = _apply(poses(self.axes), pixel)
        eye = poses(self.eye)
        fall = torch.where(direction[1] < -1e-5, direction[1], -1e-5)
        depth = torch.where(direction[1] < -1e-5, -eye[1] / fall, shapes.INF)
        ground = depth < 1e3
        depth = torch.where(ground, depth, shapes.INF)
        owner = ground.long() - 1
        met = []
        for number, (solid, tables) in enumerate(self.solids, 1):
            box = poses(tables["box"])
            near = ((x - box[0]).abs() <= box[2]) & ((y - box[1]).abs() <= box[3])
            some = near.nonzero()[:, 0]
            if not len(some):
                continue
            at = gather(frame, some)
            o = gather(tables["origin"], at)
            d = _apply(gather(tables["ray"], at), gather(pixel, some))
            t, normal = shapes.cast(solid.shape, o, d, solid.extent)
            closer = (t < gather(depth, some)).nonzero()[:, 0]
            some, o, d, t = (gather(v, closer) for v in (some, o, d, t))
            put(depth, some, t)
            put(owner, some, torch.full_like(some, number))
            met.append((number, some, o, d, t, normal))
        hit = Hit(depth, owner, torch.zeros_like(pixel), None, direction)
        if colour:
            hit.colour = torch.zeros_like(pixel)
        self._shade_sky(hit)
        self._shade_floor(hit, frame, eye)
        for number, some, o, d, t, normal in met:
            won = (gather(owner, some) == number).nonzero()[:, 0]
            if len(won):
                rays, *local = (gather(v, won) for v in (some, o, d, t))
                self._shade_solid(hit, number, rays, gather(frame, rays), local, normal, eye)
        return hit

    # Sky and floor

    def _shade_sky(self, hit):
        rays = (hit.owner < 0).nonzero()[:, 0]
        if len(rays):
            sky = background.sky(self.scene, gather(hit.direction, rays))
            put(hit.albedo, rays, sky)
            if hit.colour is not None:
                put(hit.colour, rays, sky)

    def _shade_floor(self, hit, frame, eye):
        rays = (hit.owner == 0).nonzero()[:, 0]
        if not len(rays):
            return
        depth, eye = gather(hit.depth, rays), gather(eye, rays)
        point = eye + gather(hit.direction, rays) * depth
        fine = depth * depth / (self.scene.camera.focal * eye[1])  # pixel size on the floor
        albedo = background.floor(self.scene, point, fine)
        put(hit.albedo, rays, albedo)
        if hit.colour is None:
            return
        at = gather(frame, rays)
        sun = self._sunlight(point, at, skip=0)
        contact = torch.ones_like(depth)
        for solid, tables in self.solids:  # a soft dark patch where an object nearly touches
            size = 0.75 * solid.bound
            x = point[0] - gather(tables["centre"][0], at)
            z = point[2] - gather(tables["centre"][2], at)
            away = x * x + z * z
            some = (away < (2.2 * size) ** 2).nonzero()[:, 0]
            lift = gather(tables["centre"][1], gather(at, some)) - 0.55 * solid.bound
            away = (gather(away, some) + 2.5 * lift.clamp(min=0) ** 2) / size**2
            put(contact, some, gather(contact, some) * (1 - 0.38 * torch.exp(-away)))
        level = self.scene.ambient + (1.06 - self.scene.ambient) * sun
        lit = albedo * (level * contact)
        horizon = background.vector(SKIES[self.scene.sky][1], self.eye)
        haze = 1 - torch.exp(-((depth / HAZE) ** 2))
        put(hit.colour, rays, lit + (horizon - lit) * haze)

    # Objects

    def _shade_solid(self, hit, number, rays, frame, local, normal, eye):
        solid, tables = self.solids[number - 1]
        o, d, t = local
        p = o + d * t
        first, second = tables["colours"]
        albedo = first + (second - first) * shapes.pattern(solid, p)
        put(hit.albedo, rays, albedo)
        if hit.colour is None:
            return
        n = _unit(normal(p))
        light = gather(tables["light"], frame)
        facing = (n * light).sum(0)
        into = gather(tables["into"], frame)
        out = into.view(3, 3, -1).transpose(0, 1).reshape(9, -1)
        up = (n * into.view(3, 3, -1)[:, 1]).sum(0)  # world up in object coordinates
        point = gather(eye, rays) + gather(hit.direction, rays) * t
        sun = self._sunlight(point, frame, skip=number)
        ambient = self.scene.ambient * (1.0 + 0.18 * up)
        bright = ((facing + 0.25) / 1.25).clamp(min=0)  # light wraps a little around the form
        level = ambient + (1.2 - self.scene.ambient) * sun * bright
        colour = albedo * level
        if solid.material == "glossy":
            view = _unit(-d)
            half = _unit(view + light)
            shine = (n * half).sum(0).clamp(min=0) ** 48
            rim = (1 - (n * view).sum(0).clamp(0, 1)) ** 4
            mirror = 2 * (n * view).sum(0) * n - view
            sky = background.sky(self.scene, _apply(out, mirror))
            floor = background.vector(FLOOR_COLOURS[self.scene.floor_colour], self.eye) * 0.8
            seen = torch.where(_apply(out, mirror)[1] > 0, sky, floor)
            colour = colour + (seen - colour) * (0.05 + 0.45 * rim) + 0.75 * sun * shine
        put(hit.colour, rays, colour)

    def _sunlight(self, point, frame, skip):
        """Share of the light that reaches world points [3, N]: 0 in shadow, 1 in the sun."""
        sun = torch.ones_like(point[0])
        for number, (solid, tables) in enumerate(self.solids, 1):
            if number == skip:
                continue
            away = gather(tables["centre"], frame) - point
            reach = (away * self.light).sum(0)
            spread = solid.bound + self.scene.light_spread * 1.1 * reach
            close = ((away * away).sum(0) - reach * reach < spread * spread) & (reach > 0)
            some = close.nonzero()[:, 0]
            if not len(some):
                continue
            into = gather(tables["into"], gather(frame, some))
            o = _apply(into, -gather(away, some))
            lights = self.lights[1:] or self.lights
            free = 0
            for light in lights:
                t, _ = shapes.cast(solid.shape, o, _apply(into, light), solid.extent)
                free = free + torch.isinf(t).float()
            put(sun, some, gather(sun, some) * (free / len(lights)))
        return sun


def _screen_box(camera, solid):
    """Centre and half size [T, 4] of a rectangle of pixels that holds the object."""
    local = np.einsum("tij,tj->ti", camera.axes, solid.position - camera.position)
    z, r = local[:, 2], solid.bound * 1.01
    box = np.zeros((len(z), 4))
    box[:, 2:] = 1e9  # around the camera: everywhere
    ahead = z > r + NEAR
    for axis in (0, 1):
        a = local[ahead, axis]
        square = z[ahead] ** 2 - r * r
        root = r * np.sqrt(a * a + square)
        box[ahead, axis] = camera.focal * a * z[ahead] / square + camera.centre[axis]
        box[ahead, 2 + axis] = camera.focal * root / square
    behind = z < -r
    box[behind, 2:] = -1
    return box
