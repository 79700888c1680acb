"""Ray intersections and surface patterns, in object coordinates, for flat lists of rays.

Rays are o + t d with o, d [3, N]; a miss has t = inf. Normals are not yet unit length.
"""

import torch

INF = float("inf")
TORUS_STEPS = 28


def _first(t_near, t_far, hit):
    """The nearest positive of two crossings."""
    t = torch.where(t_near > 1e-4, t_near, t_far)
    return torch.where(hit & (t > 1e-4), t, INF)


def _sphere(o, d, extent):
    r = extent[0]
    a = (d * d).sum(0)
    b = (o * d).sum(0)
    disc = b * b - a * ((o * o).sum(0) - r * r)
    root = disc.clamp(min=0).sqrt()
    t = _first((-b - root) / a, (-b + root) / a, disc > 0)
    return t, lambda p: p


def _box(o, d, extent):
    h = torch.tensor(extent, device=o.device, dtype=o.dtype)[:, None]
    inverse = 1 / torch.where(d.abs() < 1e-9, 1e-9, d)
    a, b = (-h - o) * inverse, (h - o) * inverse
    near = torch.minimum(a, b).amax(0)
    far = torch.maximum(a, b).amin(0)

    def normal(p):
        q = p / h
        return q * (q.abs() >= q.abs().amax(0, keepdim=True))

    return _first(near, far, near < far), normal


def _caps(o, d, y, radius):
    """Crossing with the disc at height y."""
    dy = torch.where(d[1].abs() < 1e-9, 1e-9, d[1])
    t = (y - o[1]) / dy
    x, z = o[0] + t * d[0], o[2] + t * d[2]
    return torch.where((x * x + z * z < radius * radius) & (t > 1e-4), t, INF)


def _cylinder(o, d, extent):
    r, h, _ = extent
    a = (d[0] * d[0] + d[2] * d[2]).clamp(min=1e-9)
    b = o[0] * d[0] + o[2] * d[2]
    disc = b * b - a * (o[0] * o[0] + o[2] * o[2] - r * r)
    root = disc.clamp(min=0).sqrt()
    t = INF
    for sign in (-1, 1):
        side = (-b + sign * root) / a
        y = o[1] + side * d[1]
        side = torch.where((disc > 0) & (side > 1e-4) & (y.abs() < h), side, INF)
        t = side if sign < 0 else torch.minimum(t, side)
    t = torch.minimum(t, torch.minimum(_caps(o, d, h, r), _caps(o, d, -h, r)))

    def normal(p):
        cap = p[1].abs() > h * 0.9995
        zero = torch.zeros_like(p[0])
        return torch.stack(
            [
                torch.where(cap, zero, p[0]),
                torch.where(cap, p[1], zero),
                torch.where(cap, zero, p[2]),
            ]
        )

    return t, normal


def _cone(o, d, extent):
    r, h, _ = extent
    k = (r / (2 * h)) ** 2  # x^2 + z^2 = k (h - y)^2, apex at y = h
    g = h - o[1]
    a = d[0] * d[0] + d[2] * d[2] - k * d[1] * d[1]
    a = torch.where(a.abs() < 1e-7, 1e-7, a)
    b = o[0] * d[0] + o[2] * d[2] + k * g * d[1]
    disc = b * b - a * (o[0] * o[0] + o[2] * o[2] - k * g * g)
    root = disc.clamp(min=0).sqrt()
    t = _caps(o, d, -h, r)
    for sign in (-1, 1):
        side = (-b + sign * root) / a
        y = o[1] + side * d[1]
        side = torch.where((disc > 0) & (side > 1e-4) & (y.abs() < h), side, INF)
        t = torch.minimum(t, side)

    def normal(p):
        cap = p[1] < -h * 0.9995
        slope = (p[0] * p[0] + p[2] * p[2]).sqrt() * (r / (2 * h))
        zero = torch.zeros_like(slope)
        return torch.stack(
            [
                torch.where(cap, zero, p[0]),
                torch.where(cap, zero - 1, slope),
                torch.where(cap, zero, p[2]),
            ]
        )

    return t, normal


def _torus(o, d, extent):
    """Sphere tracing of the ring around the z axis; exact enough after a few dozen steps."""
    ring, tube, _ = extent
    length = (d * d).sum(0).sqrt()
    b = (o * d).sum(0) / length
    disc = b * b - (o * o).sum(0) + (ring + tube) ** 2 * 1.02
    t = (-b - disc.clamp(min=0).sqrt()).clamp(min=0)
    unit = d / length
    distance = t
    for _ in range(TORUS_STEPS):
        p = o + t * unit
        q = (p[0] * p[0] + p[1] * p[1]).sqrt() - ring
        distance = (q * q + p[2] * p[2]).sqrt() - tube
        t = t + distance
    hit = (disc > 0) & (distance.abs() < 2e-3) & (t > 1e-4)

    def normal(p):
        flat = (p[0] * p[0] + p[1] * p[1]).sqrt().clamp(min=1e-6)
        scale = 1 - ring / flat
        return torch.stack([p[0] * scale, p[1] * scale, p[2]])

    return torch.where(hit, t / length, INF), normal


_CAST = {"sphere": _sphere, "box": _box, "cylinder": _cylinder, "cone": _cone, "torus": _torus}


def cast(shape, o, d, extent):
    """Distance along the ray [N] to the surface and a function from points to normals."""
    return _CAST[shape](o, d, extent)


def pattern(solid, p):
    """Which of the two colours the surface has at object points p [3, N]: 0 or 1."""
    if solid.material in ("matte", "glossy"):
        return torch.zeros_like(p[0])
    around, along = solid.cells
    if solid.shape == "box":
        cell = torch.floor(p * around + along)
        count = cell[0] if solid.material == "striped" else cell.sum(0)
        return torch.remainder(count, 2)
    if solid.shape == "torus":
        ring = torch.atan2(p[1], p[0])
        tube = torch.atan2(p[2], (p[0] * p[0] + p[1] * p[1]).sqrt() - solid.extent[0])
        u, v = ring * (around / 6.2831853), tube * (4 / 6.2831853)
    else:
        rim = 0.97 * solid.extent[1]  # so that a cap is never on a border either
        u = torch.atan2(p[2], p[0]) * (around / 6.2831853)
        v = p[1].clamp(-rim, rim) * along + 0.25
    count = torch.floor(u)
    if solid.material == "checkered":
        count = count + torch.floor(v)
    return torch.remainder(count, 2)
