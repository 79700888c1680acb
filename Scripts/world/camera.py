"""Camera paths. A pose has a position and three axes (rows): right, down, forward."""

from dataclasses import dataclass

import numpy as np

MOVES = ("still", "pan", "tilt", "orbit", "dolly", "rise", "truck")


@dataclass
class Camera:
    """Poses of a clip. A pixel (x, y), corner origin, looks along
    forward + (x - cx) / focal * right + (y - cy) / focal * down."""

    move: str
    change: float  # signed amount of the move over the clip, in its own unit
    position: np.ndarray  # [T, 3]
    axes: np.ndarray  # [T, 3, 3], rows right, down, forward
    focal: float
    centre: tuple[float, float]

    def project(self, points):
        """World points [T, ..., 3] to pixels [T, ..., 2] and depth along the axis [T, ...]."""
        lead = (len(points),) + (1,) * (points.ndim - 2)
        offset = points - self.position.reshape(*lead, 3)
        local = np.einsum("tij,t...j->t...i", self.axes, offset)
        depth = local[..., 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        return self.focal * local[..., :2] / safe[..., None] + np.array(self.centre), depth


def _sweep(rng, time, span):
    """A smooth to and fro that starts at zero and covers about `span` in two seconds."""
    rate = rng.uniform(0.5, 0.9)
    phase = rng.uniform(-0.6, 0.3)
    return rng.choice([-1, 1]) * span * (np.sin(rate * time + phase) - np.sin(phase))


def sample_camera(rng, config, time):
    """A random camera for the clip; `config.still_camera` of them stand."""
    still = rng.random() < config.still_camera
    move = "still" if still else str(rng.choice(MOVES[1:]))
    radius = rng.uniform(5.0, 6.4)
    height = rng.uniform(1.1, 2.7)
    target_y = rng.uniform(0.5, 0.85)
    zero = np.zeros_like(time)
    azimuth, yaw, pitch, aside, up, near = zero, zero, zero, zero, zero, zero
    if move == "pan":
        yaw = change = _sweep(rng, time, np.radians(rng.uniform(4, 9)))
    elif move == "tilt":
        pitch = change = _sweep(rng, time, np.radians(rng.uniform(3, 6)))
    elif move == "orbit":
        azimuth = change = _sweep(rng, time, np.radians(rng.uniform(12, 32)))
    elif move == "dolly":
        near = change = _sweep(rng, time, rng.uniform(0.6, 1.2))
    elif move == "rise":
        up = change = _sweep(rng, time, rng.uniform(0.35, 0.8))
    elif move == "truck":
        aside = change = _sweep(rng, time, rng.uniform(0.5, 1.1))
    else:
        change = zero
    target = np.stack([zero + aside, zero + target_y, zero + 0.5], 1)
    distance = radius - near
    level = np.maximum(height + up, 0.6)
    position = target + np.stack(
        [distance * np.sin(azimuth), level - target_y, -distance * np.cos(azimuth)], 1
    )
    forward = target - position
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    heading = np.arctan2(forward[:, 0], forward[:, 2]) + yaw
    lift = np.arcsin(forward[:, 1]) + pitch
    forward = np.stack(
        [np.sin(heading) * np.cos(lift), np.sin(lift), np.cos(heading) * np.cos(lift)], 1
    )
    right = np.stack([np.cos(heading), zero, -np.sin(heading)], 1)
    down = np.cross(right, forward)
    # A 40 degree high view of a 5:3 picture; narrower pictures keep the same width in view.
    view = min(config.height, config.width * 0.6)
    return Camera(
        move=move,
        change=float(change[-1]),
        position=position,
        axes=np.stack([right, down, forward], 1),
        focal=float(0.5 * view / np.tan(np.radians(20.0))),
        centre=(config.width / 2, config.height / 2),
    )
