"""What a model directory says about itself, as plain values.

`transformer/config.json`, `tiny_vae/config.json` and `text_encoder/config.json` keep the fields
of diffusers and transformers; `motionstream.json` holds what those have no field for. Reading is
strict: a missing field and an unknown field are both errors that name the field.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace


def _strict(cls, values: dict, where: str):
    """Build `cls` from `values`, refusing missing and unknown fields (`_x` and `x-y` are free)."""
    names = {field.name for field in fields(cls)}
    needed = {field.name for field in fields(cls) if field.default is MISSING}
    given = {k: v for k, v in values.items() if not k.startswith(("_", "x-"))}
    if missing := sorted(needed - given.keys()):
        raise ValueError(f"{where}: missing {', '.join(missing)}")
    if unknown := sorted(given.keys() - names):
        raise ValueError(f"{where}: unknown {', '.join(unknown)}")
    return cls(**given)


@dataclass(frozen=True)
class TrackHeadConfig:
    """`track_config` of the transformer: the sizes of the track head."""

    id_dim: int
    track_channels: int
    vae_spatial_compression: int
    vae_temporal_compression: int
    max_track_id: int
    use_bias: bool


@dataclass(frozen=True)
class CellHeadConfig:
    """`cell_head` of the transformer: the sizes of the head that sees cells."""

    width: int
    num_blocks: int


@dataclass(frozen=True)
class TransformerConfig:
    """diffusers' WanTransformer3DModel fields, plus the track head and the cell head."""

    patch_size: tuple[int, int, int]
    num_attention_heads: int
    attention_head_dim: int
    in_channels: int
    out_channels: int
    text_dim: int
    freq_dim: int
    ffn_dim: int
    num_layers: int
    cross_attn_norm: bool
    qk_norm: str
    eps: float
    image_dim: int | None
    added_kv_proj_dim: int | None
    rope_max_seq_len: int
    track_config: TrackHeadConfig | None
    cell_head: CellHeadConfig | None = None

    @property
    def dim(self) -> int:
        """Width D of the residual stream."""
        return self.num_attention_heads * self.attention_head_dim

    @staticmethod
    def from_dict(values: dict) -> TransformerConfig:
        where = "transformer/config.json"
        values = dict(values)
        if values.get("track_config") is not None:
            values["track_config"] = _strict(
                TrackHeadConfig, values["track_config"], where + ": track_config"
            )
        if values.get("cell_head") is not None:
            values["cell_head"] = _strict(
                CellHeadConfig, values["cell_head"], where + ": cell_head"
            )
        values["patch_size"] = tuple(values.get("patch_size", ()))
        config = _strict(TransformerConfig, values, where)
        if config.qk_norm != "rms_norm_across_heads":
            raise ValueError(f"{where}: qk_norm {config.qk_norm!r} is not rms_norm_across_heads")
        if len(config.patch_size) != 3 or config.patch_size[0] != 1:
            raise ValueError(f"{where}: patch_size {config.patch_size} is not [1, h, w]")
        return config


@dataclass(frozen=True)
class TinyVAEConfig:
    """`tiny_vae/config.json`: a TAEHV with free widths."""

    latent_channels: int
    image_channels: int
    patch_size: int
    encoder_widths: list[int]
    decoder_widths: list[int]
    encoder_time_downscale: list[int]
    decoder_time_upscale: list[int]
    memblocks_per_stage: int
    encoder_space_downscale: list[int] | None = None  # per stage 1 or 2; all 2 if absent
    decoder_space_upscale: list[int] | None = None

    @staticmethod
    def from_dict(values: dict) -> TinyVAEConfig:
        return _strict(TinyVAEConfig, values, "tiny_vae/config.json")

    def __post_init__(self):
        down = self.encoder_space_downscale or [2] * len(self.encoder_time_downscale)
        up = self.decoder_space_upscale or [2] * len(self.decoder_time_upscale)
        object.__setattr__(self, "encoder_space_downscale", down)
        object.__setattr__(self, "decoder_space_upscale", up)

    @property
    def downscale(self) -> list[tuple[int, int]]:
        """(time, space) of every encoder stage."""
        return list(zip(self.encoder_time_downscale, self.encoder_space_downscale, strict=True))

    @property
    def upscale(self) -> list[tuple[int, int]]:
        """(time, space) of every decoder stage."""
        return list(zip(self.decoder_time_upscale, self.decoder_space_upscale, strict=True))


@dataclass(frozen=True)
class TextEncoderConfig:
    """The fields of Hugging Face's UMT5Config that the encoder needs; the rest is ignored."""

    vocab_size: int
    d_model: int
    d_kv: int
    d_ff: int
    num_layers: int
    num_heads: int
    relative_attention_num_buckets: int
    relative_attention_max_distance: int
    layer_norm_epsilon: float

    @staticmethod
    def from_dict(values: dict) -> TextEncoderConfig:
        names = {field.name for field in fields(TextEncoderConfig)}
        known = {k: v for k, v in values.items() if k in names}
        return _strict(TextEncoderConfig, known, "text_encoder/config.json")


@dataclass(frozen=True)
class CacheRules:
    """Which clean latent frames a chunk may look back at, and where RoPE places them."""

    unit: str  # "chunks" | "frames": what `sink` and `window` count
    sink: int
    window: int  # past context without the sink and without the current chunk
    positions: str  # "slot" (temporal index = place in the cache) | "absolute" (latent frame)


@dataclass(frozen=True)
class SamplerRules:
    """The few-step schedule."""

    timesteps: list[float]
    warp: bool
    shift: float
    train_timesteps: int
    commit_timestep: float
    # What the network's output is: "velocity" (noise - clean) or "residual" (clean - the image
    # channels: what does not change need not pass the network).
    prediction: str = "velocity"


@dataclass(frozen=True)
class DrawingRules:
    """How a stream without a picture draws its own, in steps from noise to less noise."""

    steps: int
    guidance: float  # of the text; 1 is none
    # The network sees how far the tracks have gone after so many frames each; ids "origin" only.
    ahead: tuple[int, ...] = ()
    guidance_above: float = 0.0  # the noise level above which the text guides


@dataclass(frozen=True)
class ImageRules:
    """How a first picture enters the model."""

    rule: str  # "none" | "channels" | "prefill"
    tail: str  # "zeros" | "grey" | "tracks" (moved along them): latents >= 1 of the condition
    reach: float | None = None  # tail "tracks": cells as far as which a track moves the picture
    drawing: DrawingRules | None = None  # tail "tracks": how the picture is drawn if none is given


@dataclass(frozen=True)
class TrackRules:
    """How points become the track map."""

    cell_rule: str  # "floor" | "round_grid" | "bilinear"
    collision: str  # "add" | "assign"
    max_id: int
    base: float
    ids: str  # "file" | "scattered" | "origin" (the place where the track was first visible)


@dataclass(frozen=True)
class TextRules:
    """Rows the text embedding is zero-padded to."""

    max_tokens: int


@dataclass(frozen=True)
class ModelConfiguration:
    """`motionstream.json`."""

    format: str
    version: int
    name: str
    fps: float
    width: int
    height: int
    spatial_compression: int
    temporal_compression: int
    cache: CacheRules
    chunk: int
    first_chunk: int
    sampler: SamplerRules
    input_slots: list[str]
    image: ImageRules
    tracks: TrackRules | None
    text: TextRules

    @staticmethod
    def from_dict(values: dict) -> ModelConfiguration:
        where = "motionstream.json"
        values = dict(values)
        parts = {
            "cache": CacheRules,
            "sampler": SamplerRules,
            "image": ImageRules,
            "tracks": TrackRules,
            "text": TextRules,
        }
        for name, cls in parts.items():
            if values.get(name) is not None:
                values[name] = _strict(cls, values[name], f"{where}: {name}")
        image = values["image"]
        if image.drawing is not None:
            drawing = _strict(DrawingRules, image.drawing, f"{where}: image.drawing")
            values["image"] = replace(image, drawing=drawing)
        if (image.tail == "tracks") != (image.drawing is not None):
            raise ValueError(f'{where}: image.drawing: expected exactly with tail "tracks"')
        config = _strict(ModelConfiguration, values, where)
        if (config.format, config.version) != ("motionstream-model", 1):
            raise ValueError(f"{where}: format {config.format!r} version {config.version}")
        if config.image.drawing is not None:
            config._check_ahead(f"{where}: image.drawing.ahead")
        return config

    def _check_ahead(self, where: str) -> None:
        ahead, most = list(self.image.drawing.ahead), self.temporal_compression - 1
        rising = all(a < b for a, b in zip([0, *ahead], ahead, strict=False))
        if not rising or len(ahead) > most:
            raise ValueError(f"{where}: expected at most {most} rising numbers, found {ahead}")
        if ahead and (self.tracks is None or self.tracks.ids != "origin"):
            raise ValueError(f'{where}: expected tracks.ids "origin"')

    @property
    def sink_frames(self) -> int:
        """Latent frames that are never evicted. A sink chunk counts its own frames: the first
        chunk of a stream may be shorter than the others."""
        if self.cache.unit == "frames" or self.cache.sink == 0:
            return self.cache.sink
        return self.first_chunk + (self.cache.sink - 1) * self.chunk

    @property
    def window_frames(self) -> int:
        """Latent frames of rolling past context."""
        return self.cache.window * (self.chunk if self.cache.unit == "chunks" else 1)

    @property
    def latent_size(self) -> tuple[int, int]:
        """Latent height and width."""
        return self.height // self.spatial_compression, self.width // self.spatial_compression
