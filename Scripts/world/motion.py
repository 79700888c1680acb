"""How objects move: each maker returns positions [T, 3] in world units for times in seconds.

The world is right-handed enough for us: x to the right, y up, z away from the first camera.
The floor is y = 0; `rest` is the height of the object's centre when it stands on the floor.
"""

import numpy as np

FLOOR_X = 2.3  # objects keep to |x| <= FLOOR_X ...
FLOOR_Z = (-1.1, 2.4)  # ... and to this depth range, where the camera looks
MOTIONS = ("stand", "spin", "slide", "arc", "bounce", "path", "float")


def _spot(rng):
    return np.array([rng.uniform(-FLOOR_X, FLOOR_X), rng.uniform(*FLOOR_Z)])


def _on_floor(xz, height):
    return np.stack([xz[:, 0], np.broadcast_to(height, len(xz)), xz[:, 1]], axis=1)


def stand(rng, time, rest):
    return _on_floor(np.repeat(_spot(rng)[None], len(time), 0), rest)


def slide(rng, time, rest):
    """Back and forth along a line, easing into each turn."""
    a = _spot(rng)
    b = _spot(rng)
    b[1] = a[1] + 0.5 * (b[1] - a[1])  # mostly across the view
    length = np.linalg.norm(b - a)
    if length < 1.2:
        b = a + np.array([-np.sign(a[0]) * rng.uniform(1.6, 3.2), 0.0])
        length = np.linalg.norm(b - a)
    speed = rng.uniform(0.8, 2.2)
    phase = rng.uniform(-0.1, 0.5)
    u = time * speed / length + phase
    u = 1 - np.abs(np.mod(u, 2.0) - 1)
    u = 0.75 * u + 0.25 * (u * u * (3 - 2 * u))
    return _on_floor(a + (b - a) * u[:, None], rest)


def arc(rng, time, rest):
    radius = rng.uniform(0.6, 1.5)
    centre = _spot(rng) * 0.5 + np.array([0.0, 0.3])
    rate = rng.choice([-1, 1]) * rng.uniform(0.7, 1.8) / radius
    angle = rng.uniform(0, 2 * np.pi) + rate * time
    return _on_floor(centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1), rest)


def bounce(rng, time, rest):
    floor = slide(rng, time, rest) if rng.random() < 0.6 else stand(rng, time, rest)
    height = rng.uniform(0.6, 1.5)
    period = 2 * np.sqrt(2 * height / 7.0)
    u = np.mod(time / period + rng.random(), 1.0)
    floor[:, 1] = rest + height * 4 * u * (1 - u)
    return floor


def _hand_drawn(rng, time, low, high):
    """A smooth curve through random points of a box, travelled with changing speed and stops."""
    low, high = np.asarray(low), np.asarray(high)
    speed = rng.uniform(0.9, 2.4)
    reach = speed * time[-1] * 1.3 + 4.0
    knots, travelled = [rng.uniform(low, high)], 0.0
    while travelled < reach or len(knots) < 5:
        nearby = knots[-1] + rng.normal(0, 1.0, len(low)) * (high - low) * 0.45
        nearby = np.clip(nearby, low, high)
        step = np.linalg.norm(nearby - knots[-1])
        if step > 0.5:
            knots.append(nearby)
            travelled += step
    knots = np.array([knots[0], *knots, knots[-1]])
    # Catmull-Rom, sampled finely enough to walk along it by length
    s = np.linspace(0, 1, 24, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (knots[i : len(knots) - 3 + i, None] for i in range(4))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * s
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * s**2
        + (3 * p1 - p0 - 3 * p2 + p3) * s**3
    ).reshape(-1, len(low))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    pace = speed * (1 + 0.45 * np.sin(rng.uniform(1, 3) * time + rng.uniform(0, 6)))
    start = rng.uniform(0.2, 2.5)
    while start < time[-1]:
        if rng.random() < 0.6:
            stop = rng.uniform(0.25, 0.9)
            off = np.abs(time - start) / stop
            pace = pace * np.clip((off - 0.5) / 0.5, 0, 1)
        start += rng.uniform(1.5, 4.0)
    at = np.concatenate([[0], np.cumsum(pace[1:] * np.diff(time))])
    return np.stack([np.interp(at, length, curve[:, i]) for i in range(len(low))], 1)


def path(rng, time, rest):
    xz = _hand_drawn(rng, time, [-FLOOR_X, FLOOR_Z[0]], [FLOOR_X, FLOOR_Z[1]])
    return _on_floor(xz, rest)


def float_(rng, time, rest):
    """A drawn path in the air, nearly parallel to the picture: what a mouse drag asks for."""
    z = rng.uniform(FLOOR_Z[0], 1.6)
    low = [-FLOOR_X, rest, z - 0.2]
    return _hand_drawn(rng, time, low, [FLOOR_X, max(rest + 0.5, 2.0), z + 0.2])


_MAKERS = {
    "stand": stand,
    "spin": stand,
    "slide": slide,
    "arc": arc,
    "bounce": bounce,
    "path": path,
    "float": float_,
}


def positions(kind, rng, time, rest):
    """Centre positions [T, 3] of an object that moves in way `kind` (one of MOTIONS)."""
    return _MAKERS[kind](rng, time, rest)


def turn(axis, angle):
    """Rotation matrices [T, 3, 3] by `angle` [T] (radians) around the unit vector `axis`."""
    x, y, z = axis
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.eye(3) + s * k + (1 - c) * (k @ k)


def roll(position, radius):
    """Rotations [T, 3, 3] of a ball that rolls along `position` without slipping."""
    out = np.empty((len(position), 3, 3))
    out[0] = np.eye(3)
    for i in range(1, len(position)):
        move = position[i] - position[i - 1]
        distance = np.hypot(move[0], move[2])
        out[i] = out[i - 1]
        if distance > 1e-9:
            axis = np.array([move[2], 0.0, -move[0]]) / distance
            out[i] = turn(axis, np.array([distance / radius]))[0] @ out[i - 1]
    return out
