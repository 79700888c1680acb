"""The flow-matching schedule of Self-Forcing (`utils/scheduler.py`, its training scheduler).

x_t = (1 - sigma) x_0 + sigma noise; the network predicts v = noise - x_0, so x_0 = x_t - sigma v.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .configuration import SamplerRules


def shifted(u, shift: float):
    """Timestep shift s*u / (1 + (s-1)*u) for u in [0, 1]: more time at high noise."""
    return shift * u / (1 + (shift - 1) * u)


def noise_levels(steps: int, shift: float) -> list[float]:
    """`steps` + 1 noise levels from 1 to 0, evenly spaced before the timestep shift."""
    return shifted(1 - np.arange(steps + 1) / steps, shift).tolist()


class FlowMatchScheduler:
    """Table of `train_timesteps` noise levels, highest first, and the few steps used of it."""

    def __init__(self, shift: float, train_timesteps: int = 1000):
        u = 1 - np.arange(train_timesteps) / train_timesteps
        self.shift = shift
        self.train_timesteps = train_timesteps
        self.sigmas = shifted(u, shift)
        self.timesteps = train_timesteps * self.sigmas

    def step_list(self, rules: SamplerRules) -> list[float]:
        """The timesteps the network is run at. Warping reads an unshifted step off the shifted
        table: [1000, 750, 500, 250] at shift 5 becomes 1000, 937.5, 833.3, 625."""
        if not rules.warp:
            return [float(t) for t in rules.timesteps]
        return [
            self.train_timesteps * shifted(t / self.train_timesteps, self.shift)
            for t in rules.timesteps
        ]

    def sigma(self, timestep):
        """Noise level of a timestep (a number or an array): that of the nearest table entry."""
        t = np.asarray(timestep, dtype=np.float64)
        nearest = np.abs(self.timesteps - t[..., None]).argmin(-1)
        return self.sigmas[nearest]

    def clean_estimate(self, x: Tensor, velocity: Tensor, timestep: float) -> Tensor:
        """x_0 = x_t - sigma v, in float64 as upstream."""
        return (x.double() - float(self.sigma(timestep)) * velocity.double()).to(x.dtype)

    def renoise(self, clean: Tensor, noise: Tensor, timestep: float) -> Tensor:
        """(1 - sigma) x_0 + sigma noise, for every element at one timestep."""
        sigma = float(self.sigma(timestep))
        return (1 - sigma) * clean + sigma * noise

    def add_noise(self, clean: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
        """The same with one timestep per latent frame: clean [B, C, T, H, W], timestep [B, T]."""
        sigma = torch.from_numpy(self.sigma(timestep.cpu().numpy())).to(clean)
        sigma = sigma[:, None, :, None, None]
        return (1 - sigma) * clean + sigma * noise

    def training_weight(self, timestep: Tensor) -> Tensor:
        """Loss weight of Self-Forcing: a bell around the middle of the table, mean 1."""
        steps = self.train_timesteps
        bell = np.exp(-2 * ((self.timesteps - steps / 2) / steps) ** 2)
        weights = (bell - bell.min()) * (steps / (bell - bell.min()).sum())
        t = timestep.cpu().numpy().astype(np.float64)
        nearest = np.abs(self.timesteps - t[..., None]).argmin(-1)
        return torch.from_numpy(weights[nearest]).to(timestep.device, torch.float32)
