"""The whole streaming generation: text, first picture, tracks and noise in; frames out.

MotionStream section 3.3 with the loop of Self-Forcing (`pipeline/causal_inference.py`): each chunk
is denoised in a few steps against the cache, then run once more, clean, to enter the cache.

Letters: C latent channels, T latent frames of a chunk, H W latent size, r temporal compression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .kv_cache import KVCache
from .model_directory import Model
from .noise import normal_noise
from .picture_warp import PictureWarp
from .sampler import FlowMatchScheduler, noise_levels
from .text_encoder import tokenize
from .track_encoder import TrackEncoder, first_visible, on_canvas, starts_and_ways

DRAWING = 1  # the noise stream of the first picture


@dataclass
class Tracks:
    """points [F, N, 2] as (x, y) pixels of the canvas, visible [F, N], ids [N]; F pixel frames."""

    points: Tensor
    visible: Tensor
    ids: Tensor


class Rollout:
    """One running stream. `next_chunk` returns the chunk's clean latents and its frames."""

    def __init__(
        self,
        model: Model,
        prompt: str,
        seed: int,
        image: Tensor | None = None,
        tracks: Tracks | None = None,
        image_tokens: Tensor | None = None,
    ):
        """image [3, height, width] in [0, 1]; image_tokens [1, I, image_dim] for models with
        image cross-attention."""
        rules = model.configuration
        self.model, self.seed, self.tracks = model, seed, tracks
        self.scheduler = FlowMatchScheduler(rules.sampler.shift, rules.sampler.train_timesteps)
        self.timesteps = self.scheduler.step_list(rules.sampler)
        self.cache = KVCache(
            len(model.transformer.blocks),
            rules.sink_frames,
            rules.window_frames,
            rules.cache.positions,
        )
        ids = tokenize(model.tokenizer, prompt, rules.text.max_tokens)
        text = model.text_encoder.encode_padded(ids, rules.text.max_tokens)
        self.context = model.transformer.context(text, image_tokens)
        self.has_image = image is not None and rules.image.rule != "none"
        self.image_latents = self.encode_image(image) if self.has_image else None  # [1, C, J, H, W]
        if image is None and rules.image.drawing is not None:
            self.image_latents = self.draw(text, image_tokens)
            self.has_image = True
            image = model.tiny_vae.decode(self.image_latents.transpose(1, 2))[0, 0]
        if self.has_image and rules.image.tail == "tracks":
            self.begin_warp(image)
        self.decoder_memory = None

    def encode_image(self, image: Tensor) -> Tensor:
        """Latents of the picture alone, or of the picture followed by grey frames until the
        encoder has forgotten the picture (later latents repeat the last one)."""
        vae, rules = self.model.tiny_vae, self.model.configuration.image
        grey_latents = 0
        if rules.rule == "channels" and rules.tail == "grey":
            # Each stage runs at one frame per latent or faster, so a MemBlock looks back at most
            # one latent.
            stages = len(vae.config.downscale)
            grey_latents = stages * vae.config.memblocks_per_stage + 1
        grey = torch.full_like(image, 0.5).expand(
            vae.temporal_compression * grey_latents, -1, -1, -1
        )
        latents = vae.encode(torch.cat((image[None], grey))[None])
        return latents.transpose(1, 2)

    @torch.no_grad()
    def draw(self, text: Tensor, image_tokens: Tensor | None) -> Tensor:
        """The first picture [1, C, 1, H, W] of a stream that was given none: latent 0 alone, by a
        transformer of its own, which sees where the tracks start and how far they go; each of its
        clean estimates is given fresh noise of the next level. Guided by the text
        [1, M, text_dim]."""
        rules, network = self.model.configuration, self.model.drawing
        drawing = rules.image.drawing
        ids = tokenize(self.model.tokenizer, "", rules.text.max_tokens)
        empty = self.model.text_encoder.encode_padded(ids, rules.text.max_tokens)
        contexts = [network.context(t, image_tokens) for t in (empty, text)]
        condition = self.condition(0, 1)
        if "tracks" in condition:
            condition["tracks"] = self.starts_and_ways(network.track_encoder)
        levels, clean = noise_levels(drawing.steps, rules.sampler.shift)[:-1], 0.0
        for step, sigma in enumerate(levels):
            x = (1 - sigma) * clean + sigma * self.noise(0, 1, step=step, stream=DRAWING)
            inputs = self.inputs(x, condition)
            timestep = torch.tensor([[rules.sampler.train_timesteps * sigma]], dtype=torch.float64)
            alone = KVCache(len(network.blocks), 0, 0, rules.cache.positions)
            untold, told = (
                network.forward_chunk(inputs, timestep, context, alone, commit=False)
                for context in contexts
            )
            guidance = drawing.guidance if sigma > drawing.guidance_above else 1.0
            clean = untold + guidance * (told - untold)  # if "residual": there is no image
            if rules.sampler.prediction == "velocity":
                clean = x - sigma * clean
        return clean

    def image_condition(self, start: int, end: int) -> Tensor:
        """Image channels [1, C, T, H, W] of latents [start, end)."""
        rules = self.model.configuration
        C = self.model.tiny_vae.config.latent_channels
        out = torch.zeros(1, C, end - start, *rules.latent_size)
        if self.has_image and rules.image.tail == "tracks":
            if start == 0:
                out[:, :, 0] = self.image_latents[:, :, 0]
            later = max(start, 1)
            out[:, :, later - start :] = self.carried(later, end)
        elif self.has_image:
            held = self.image_latents.shape[2]
            for frame in range(start, end):
                if frame == 0 or rules.image.tail == "grey":
                    out[:, :, frame - start] = self.image_latents[:, :, min(frame, held - 1)]
        return out

    def begin_warp(self, image: Tensor) -> None:
        """Gets ready to move the first picture [3, height, width] along the tracks."""
        rules, vae = self.model.configuration, self.model.tiny_vae
        start, seen = torch.zeros(0, 2), torch.zeros(0)
        if self.tracks is not None:
            start, seen = self.tracks.points[0], self.tracks.visible[0]
        cell = rules.spatial_compression
        self.warp = PictureWarp(image, start, seen, rules.image.reach * cell, cell)
        group = image.expand(1, vae.temporal_compression, -1, -1, -1)
        _, self.encoder_memory = vae.encode_more(group, None)

    def carried(self, start: int, end: int) -> Tensor:
        """The first picture as the tracks move it, for latents [start, end), start > 0: each
        latent once, in order."""
        rules, frames = self.model.configuration, []
        r = rules.temporal_compression
        for frame in range(r * (start - 1) + 1, r * (end - 1) + 1):
            now = (torch.zeros(0, 2), torch.zeros(0))
            if self.tracks is not None:
                now = self.tracks.points[frame], self.tracks.visible[frame]
            frames.append(self.warp.frame(*now))
        latents, self.encoder_memory = self.model.tiny_vae.encode_more(
            torch.stack(frames)[None], self.encoder_memory
        )
        return latents.transpose(1, 2)

    def mask(self, start: int, end: int) -> Tensor:
        """Mask channels: ones where the picture is given (latent 0), zeros elsewhere."""
        rules = self.model.configuration
        out = torch.zeros(1, rules.temporal_compression, end - start, *rules.latent_size)
        if self.has_image and start == 0:
            out[:, :, 0] = 1
        return out

    def track_condition(self, start: int, end: int) -> Tensor:
        """Track channels [1, track_channels, T, H, W]; exact zeros without tracks."""
        return self.track_channels(self.model.transformer.track_encoder, start, end)

    def track_channels(self, encoder: TrackEncoder, start: int, end: int) -> Tensor:
        size = self.model.configuration.latent_size
        if self.tracks is None:
            return torch.zeros(1, encoder.config.track_channels, end - start, *size)
        tracks, rules = self.tracks, self.model.configuration
        ids = tracks.ids
        if encoder.rules.ids == "origin":
            ids = first_visible(tracks.points, tracks.visible, (rules.width, rules.height))
        return encoder.window(tracks.points[None], tracks.visible[None], ids, size, start, end)

    def starts_and_ways(self, encoder: TrackEncoder) -> Tensor:
        """Track channels [1, track_channels, 1, H, W] of a latent 0 that is to be drawn."""
        rules = self.model.configuration
        ahead = torch.tensor(rules.image.drawing.ahead, dtype=torch.long)
        if self.tracks is None or not len(ahead):
            return self.track_channels(encoder, 0, 1)
        points, visible = self.tracks.points, self.tracks.visible
        held = ahead.clamp(max=len(points) - 1)
        inside = on_canvas(points[held], (rules.height, rules.width)) > 0
        known = (visible[held] != 0) & inside & (held == ahead)[:, None]
        shown, seen, origins = starts_and_ways(
            points[0], visible[0], points[held], known, rules.temporal_compression
        )
        return encoder(shown[None], seen[None], origins[None], rules.latent_size, first=False)

    def condition(self, start: int, end: int) -> dict[str, Tensor]:
        """Every input slot but the noise."""
        slots = self.model.configuration.input_slots
        make = {"mask": self.mask, "image": self.image_condition, "tracks": self.track_condition}
        return {name: make[name](start, end) for name in slots if name != "noise"}

    def noise(self, start: int, end: int, step: int, stream: int = 0) -> Tensor:
        """[1, C, T, H, W], drawn latent frame by latent frame."""
        shape = (
            self.model.transformer.config.out_channels,
            *self.model.configuration.latent_size,
        )
        frames = [
            torch.from_numpy(normal_noise(self.seed, f, step, shape, stream))
            for f in range(start, end)
        ]
        return torch.stack(frames, dim=1)[None]

    def output(self, x: Tensor, condition: dict, timestep: float, commit: bool = False) -> Tensor:
        """One transformer pass over the current chunk x [1, C, T, H, W]."""
        timesteps = torch.full((1, x.shape[2]), timestep, dtype=torch.float64)
        return self.model.transformer.forward_chunk(
            self.inputs(x, condition), timesteps, self.context, self.cache, commit
        )

    def inputs(self, x: Tensor, condition: dict) -> Tensor:
        """Noisy latents and condition in the order of the model's slots."""
        slots = {**condition, "noise": x}
        return torch.cat([slots[n] for n in self.model.configuration.input_slots], dim=1)

    @torch.no_grad()
    def next_chunk(self) -> tuple[Tensor, Tensor]:
        """Clean latents [1, C, T, H, W] and frames [n, 3, height, width] in [0, 1]."""
        rules = self.model.configuration
        start = self.cache.next_frame
        prefill = start == 0 and self.has_image and rules.image.rule == "prefill"
        length = 1 if prefill else rules.first_chunk if start == 0 else rules.chunk
        end = start + length
        condition = self.condition(start, end)

        if prefill:
            # Self-Forcing image-to-video: the picture is latent 0, committed at timestep 0.
            clean = self.image_latents
            self.output(clean, condition, 0.0, commit=True)
        else:
            x = self.noise(start, end, step=0)
            for step, timestep in enumerate(self.timesteps):
                if step > 0:
                    x = self.scheduler.renoise(clean, self.noise(start, end, step), timestep)
                out = self.output(x, condition, timestep)
                if rules.sampler.prediction == "residual":
                    clean = condition["image"] + out
                else:
                    clean = self.scheduler.clean_estimate(x, out, timestep)
            self.output(clean, condition, rules.sampler.commit_timestep, commit=True)

        frames, self.decoder_memory = self.model.tiny_vae.decode_more(
            clean.transpose(1, 2), self.decoder_memory
        )
        if start == 0:  # a stream's first latent is one frame
            frames = frames[:, rules.temporal_compression - 1 :]
        return clean, frames[0]

    def chunks(self, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(count):
            yield self.next_chunk()
