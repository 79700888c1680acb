"""The network of all stages: teacher, critic and student differ in their weights, in what they may
look at and in their patches; the network that draws has the teacher's."""

import json
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from reference.causal_transformer import CausalTransformer
from reference.configuration import ModelConfiguration, TextEncoderConfig, TransformerConfig
from reference.sampler import FlowMatchScheduler
from reference.text_encoder import TextEncoder

HERE = Path(__file__).parent
END = 1  # the piece that ends a prompt
KNEE = 0.1  # of the pseudo-Huber losses on clips
PRICE = 0.05  # share of their loss that changing the image channels costs in itself


def read(name):
    return json.loads((HERE / name).read_text())


class Generator(nn.Module):
    """Transformer, of the sizes in file `sizes`, track head and text encoder."""

    def __init__(self, sizes="transformer.json"):
        super().__init__()
        self.rules = ModelConfiguration.from_dict(read("motionstream.json"))
        self.transformer = CausalTransformer(
            TransformerConfig.from_dict(read(sizes)), self.rules.tracks
        )
        self.text_encoder = TextEncoder(TextEncoderConfig.from_dict(read("text_encoder.json")))
        self.scheduler = FlowMatchScheduler(
            self.rules.sampler.shift, self.rules.sampler.train_timesteps
        )
        self.timesteps = self.scheduler.step_list(self.rules.sampler)
        self.sigmas = [float(self.scheduler.sigma(t)) for t in self.timesteps]

    def text(self, ids):
        """ids [B, M], zero-padded after the end token -> [B, M, text_dim], zero-padded."""
        mask = ids != 0
        longest = int(mask.sum(1).max())
        embedding = self.text_encoder(ids[:, :longest], mask[:, :longest])
        return F.pad(embedding * mask[:, :longest, None], (0, 0, 0, ids.shape[1] - longest))

    def track_channels(self, shown, size):
        """[B, track channels, T, h, w] of `size` (h, w)."""
        return self.transformer.track_encoder(
            shown.points, shown.visible, shown.origin, size, first=False
        )

    def condition(self, image, shown):
        """Image and track channels [B, C + track channels, T, h, w]: image [B, C, T, h, w] is the
        first picture as the tracks `shown` (a Shown) move it, encoded (`make_latents`)."""
        return torch.cat((image, self.track_channels(shown, image.shape[-2:])), dim=1)

    def no_picture(self, shown, size):
        """The condition of latent frames that have no image channels, of `size` (h, w)."""
        tracks = self.track_channels(shown, size)
        B, _, T, h, w = tracks.shape
        return torch.cat(
            (tracks.new_zeros(B, self.transformer.config.out_channels, T, h, w), tracks), 1
        )

    def image_channels(self, condition):
        """The part [B, C, T, h, w] of a condition that the network's output is a change to."""
        return condition[:, : self.transformer.config.out_channels]

    def without_image(self, condition, rows):
        """The condition with no image channels in the batch rows [B] that are true."""
        C = self.transformer.config.out_channels
        return torch.cat((condition[:, :C] * ~rows[:, None, None, None, None], condition[:, C:]), 1)

    def clean(self, x, timestep, condition, text, frame_mask=None):
        """The clean estimate [B, C, T, h, w] of noisy latents x; timestep [B, T] in 0..1000
        (prediction "residual": the network's output is the change to the image channels)."""
        output = self.transformer(
            torch.cat((x, condition), dim=1), timestep, text, frame_mask=frame_mask
        )
        return self.image_channels(condition) + output.float()


def no_prompt(ids):
    """The ids [B, M] of the empty prompt."""
    empty = torch.zeros_like(ids)
    empty[:, 0] = END
    return empty


def no_motion(image, shown, rows):
    """The image channels [B, C, T, h, w] of a picture that nothing moves, and the tracks with all
    of them hidden, in the rows [B]."""
    still = image[:, :, :1].expand_as(image)
    image = torch.where(rows[:, None, None, None, None], still, image)
    return image, replace(shown, visible=shown.visible & ~rows[:, None, None])


def importance(latents, image, channels, wrong=4.0):
    """Weights of the loss [B, C, T, h, w], mean 1: channels by what they do in pixels, and cells
    whose image channels are wrong, so that there is something to do, `wrong` times more.

    latents and image [B, C, T, h, w], channels [C]."""
    channels = channels[:, None, None, None]
    error = ((latents - image).square() * channels).mean(1)  # [B, T, h, w]
    cells = 1 + wrong * F.max_pool2d((error > 0.05).float(), 3, 1, 1)
    return channels * (cells / cells.mean())[:, None]


def noise_share(sigma, deviation):
    """The part of noise in noisy latents at levels sigma, of latents of this standard deviation:
    their noise level, had they been scaled to deviation 1."""
    return sigma / (sigma + deviation * (1 - sigma))


def robust(error):
    """Pseudo-Huber: the absolute error, squared below the knee."""
    return KNEE * ((error / KNEE).square().add(1).sqrt() - 1)


def clip_error(clean, latents, image, channels):
    """The error of clean estimates of latents, all [B, C, T, h, w], channels [C] as `importance`
    takes them. Robust, since a squared error is least where everything uncertain is blurred; and
    what the tracks carried, image [B, C, T, h, w], is not changed for nothing."""
    error = robust(clean - latents) + PRICE * robust(clean - image)
    return error * importance(latents, image, channels)
