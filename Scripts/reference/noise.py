"""Counter-based Gaussian noise: the same seed gives the same numbers in any order, on any machine.

Philox4x32-10 (Salmon et al. 2011). Key = the seed's low and high 32 bits; counter = (block,
latent frame, step, stream), where `block` counts groups of four values in the flattened
[C, H, W] of one latent frame. Step 0 is the initial noise, step k the noise added before
denoising step k; stream 0 is the latent video.
"""

import numpy as np

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox4x32(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Ten rounds over counter [..., 4] (32-bit words in uint64) -> [..., 4] words in uint64."""
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack((c0, c1, c2, c3), axis=-1)


def normal_noise(
    seed: int, frame: int, step: int, shape: tuple[int, int, int], stream: int = 0
) -> np.ndarray:
    """Standard normal float32 values [C, H, W] of one latent frame."""
    count = int(np.prod(shape))
    blocks = (count + 3) // 4
    counter = np.zeros((blocks, 4), dtype=np.uint64)
    counter[:, 0] = np.arange(blocks, dtype=np.uint64)
    counter[:, 1:] = (frame, step, stream)
    words = philox4x32(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    u = (words.astype(np.float64) + 0.5) * 2.0**-32  # never 0, never 1
    radius = np.sqrt(-2 * np.log(u[:, 0::2]))  # Box-Muller on words (0, 1) and (2, 3)
    angle = 2 * np.pi * u[:, 1::2]
    pairs = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    return pairs.reshape(-1)[:count].reshape(shape).astype(np.float32)
