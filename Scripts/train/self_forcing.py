"""Self Forcing: the student's own streams, through the rolling cache it has at inference."""

import torch

from reference.kv_cache import KVCache


class Rollout:
    """A batch of streams, chunk after chunk from noise, each chunk on top of what was made before.

    One random exit step is drawn by the caller for all chunks; only that step carries gradient.
    Clean chunks are committed to the cache without gradient (Self-Forcing, `pipeline/
    self_forcing_training.py`)."""

    def __init__(self, model, image, shown, text):
        """image channels [B, C, T, h, w] and shown (Shown) over all latent frames; text
        [B, M, text_dim]."""
        rules = model.rules
        self.model, self.image, self.shown = model, image, shown
        self.context = model.transformer.context(text)
        self.cache = KVCache(
            len(model.transformer.blocks),
            rules.sink_frames,
            rules.window_frames,
            rules.cache.positions,
        )

    def condition(self, part):
        """Image and track channels of latent frames `part` (a range)."""
        r = self.model.rules.temporal_compression
        shown = self.shown.frames(slice(r * part.start, r * part.stop))
        return self.model.condition(self.image[:, :, part.start : part.stop], shown)

    def pass_over(self, x, timestep, condition, commit=False):
        """The clean estimate of the current chunk x [B, C, T, h, w]."""
        timesteps = torch.full((len(x), x.shape[2]), timestep, dtype=torch.float64, device=x.device)
        output = self.model.transformer.forward_chunk(
            torch.cat((x, condition), dim=1), timesteps, self.context, self.cache, commit
        )
        return self.model.image_channels(condition) + output.float()

    def next_chunk(self, exit_step):
        """The next chunk's clean latents [B, C, T, h, w], left at `exit_step` of the sampler."""
        model, start = self.model, self.cache.next_frame
        part = range(start, start + (model.rules.chunk if start else model.rules.first_chunk))
        B, C, _, h, w = self.image.shape
        shape, device = (B, C, len(part), h, w), self.image.device
        with torch.no_grad():
            condition = self.condition(part)
            x = torch.randn(shape, device=device)
            for step in range(exit_step):
                clean = self.pass_over(x, model.timesteps[step], condition)
                sigma = model.sigmas[step + 1]
                x = (1 - sigma) * clean + sigma * torch.randn(shape, device=device)
        clean = self.pass_over(x, model.timesteps[exit_step], condition)
        with torch.no_grad():
            made = clean.detach()
            self.pass_over(made, model.rules.sampler.commit_timestep, condition, commit=True)
        return clean

    def run(self, latent_frames, exit_step):
        """Whole streams [B, C, T, h, w]."""
        chunks = []
        while self.cache.next_frame < latent_frames:
            chunks.append(self.next_chunk(exit_step))
        return torch.cat(chunks, dim=2)
