"""A start for autoencoders of one stage: the principal components of pixel blocks.

The network is set to the best linear code of s x s x r pixel blocks with as many components as the
latent has channels. Training then begins at that code's quality and not at noise, which saves an
hour on two CPU cores. A decoder that is narrower than a block's pixels gets as many components of
single frames' blocks as it has room for.
"""

import torch
import torch.nn.functional as F


def blocks(video, space, time):
    """video [B, T, 3, H, W] -> [N, time * 3 * space^2], frames slowest, then PixelUnshuffle's
    order."""
    B, T = video.shape[:2]
    cells = F.pixel_unshuffle(video.flatten(0, 1), space)  # [B*T, 3 s^2, h, w]
    cells = cells.unflatten(0, (B * T // time, time))  # groups of r frames
    return cells.permute(0, 3, 4, 1, 2).flatten(0, 2).flatten(1)


@torch.no_grad()
def components(values, count):
    """Mean [D], deviations [count] and basis [count, D] of the leading principal components."""
    mean = values.mean(0)
    centred = values - mean
    variance, basis = torch.linalg.eigh(centred.T @ centred / len(values))
    return mean, variance.flip(0)[:count].sqrt(), basis.flip(1)[:, :count].T


@torch.no_grad()
def set_linear_code(model, values, size=1.0, evenness=0.7):
    """Makes `model` (a TAEHV of one stage, without change of size, whose encoder is as wide as a
    block's pixels) the linear code of `values`. The first latent channel gets the deviation `size`,
    the others less as they vary less in pixels (evenness 0: in proportion; 1: not at all): rare
    large values must not meet the limits. Channels that are not needed keep their random weights
    and do not reach the output yet."""
    config = model.config
    C, (time, _) = config.latent_channels, config.downscale[0]
    pixels = config.image_channels * config.patch_size**2
    mean, deviation, basis = components(values, C)
    gain = size / deviation[0] ** (1 - evenness) / deviation**evenness
    to_latent = basis * gain[:, None]  # [C, time * pixels]
    to_pixels = basis.T / gain  # [time * pixels, C]
    blocks = config.memblocks_per_stage

    def passing(kernel, rows, columns=slice(None)):
        kernel[rows, columns] = 0
        return kernel[:, :, kernel.shape[-2] // 2, kernel.shape[-1] // 2]

    def split(count):
        """Passes `count` signed values as twice as many that are not negative."""
        return torch.cat((torch.eye(count), -torch.eye(count)))

    # Encoder: pixels (never negative) pass the rectifier; TPool makes the components; the next
    # convolution splits them by sign, since MemBlocks pass what is not negative.
    first, pool, parts, last = (
        model.encoder[0],
        model.encoder[2],
        model.encoder[3],
        model.encoder[-1],
    )
    passing(first.weight, slice(pixels))[:pixels] = torch.eye(pixels)
    weight = pool.conv.weight[:, :, 0, 0].unflatten(1, (time, -1))
    weight[:C] = 0
    weight[:C, :, :pixels] = to_latent.unflatten(1, (time, pixels))
    passing(parts.weight, slice(2 * C))[: 2 * C, :C] = split(C)
    passing(last.weight, slice(None))[:, : 2 * C] = split(C).T
    last.bias.copy_(-to_latent @ mean)

    # Decoder: signs again, and a channel that is always one, for the mean; then the components of
    # each frame's block, by sign.
    first, grow, parts, last = (
        model.decoder[1],
        model.decoder[3 + blocks + 1],
        model.decoder[3 + blocks + 2],
        model.decoder[-1],
    )
    held = min(pixels, config.decoder_widths[1] // 2)
    middle, _, frames = components(values.unflatten(1, (time, pixels)).flatten(0, 1), held)
    passing(first.weight, slice(2 * C + 1))[: 2 * C] = split(C)
    first.bias[2 * C] = 1
    weight = grow.conv.weight[:, :, 0, 0].unflatten(0, (time, -1))
    weight[:, :held] = 0
    weight[:, :held, : 2 * C] = frames @ (to_pixels @ split(C).T).unflatten(0, (time, pixels))
    weight[:, :held, 2 * C] = (mean.unflatten(0, (time, pixels)) - middle) @ frames.T
    passing(parts.weight, slice(2 * held))[: 2 * held, :held] = split(held)
    passing(last.weight, slice(None))[:, : 2 * held] = (split(held) @ frames).T
    last.bias.copy_(middle)
