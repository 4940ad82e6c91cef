"""What the axes and pixels of a sonogram mean."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from sonoriff.errors import FormatError, ParameterError

FORMAT_VERSION = 1
# A second of sound costs as much as n_fft is hops long: riffusion-v1's is 40.
MAX_FFT_HOPS = 512


@dataclass(frozen=True, kw_only=True)
class SonogramParams:
    """The frozen description of a sonogram format.

    Attributes
    ----------
    name : format name, "riffusion-v1", "hifi" or the user's own
    sample_rate : Hz
    hop_length, win_length, n_fft : samples; Hann window, padded to `n_fft`, which is at most 512
        hops long
    n_mels : rows of the picture
    f_min, f_max : Hz, edges of the mel bank
    mel_scale : "htk"; mel = 2595 log10(1 + f / 700)
    scale : "power": the array holds linear mel amplitude, a pixel its `power_for_image`-th power;
        "log": the array holds decibels, a pixel is linear in them
    power_for_image : exponent of the "power" scale
    db_min, db_max : range of the "log" scale, dB re an amplitude of 1
    version : format version
    """

    name: str
    sample_rate: int = 44100
    hop_length: int
    win_length: int
    n_fft: int
    n_mels: int
    f_min: float
    f_max: float
    mel_scale: Literal["htk"] = "htk"
    scale: Literal["power", "log"]
    power_for_image: float = 0.25
    db_min: float = -80.0
    db_max: float = 12.0
    version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        if self.version != FORMAT_VERSION:
            raise FormatError(
                f"sonogram format version {self.version} is not known; this program reads "
                f"version {FORMAT_VERSION}: update Sonoriff"
            )
        limits: tuple[tuple[str, float, float], ...] = (
            ("sample_rate", 4000, 384_000),
            ("hop_length", 1, 65_536),
            ("win_length", 2, 131_072),
            ("n_fft", 2, 262_144),
            ("n_mels", 1, 4096),
        )
        for field, low, high in limits:
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ParameterError(
                    f"{field} must be a whole number in [{low}, {high}], got {value!r}"
                )
        if self.win_length > self.n_fft:
            raise ParameterError(f"win_length {self.win_length} is longer than n_fft {self.n_fft}")
        if self.n_fft > MAX_FFT_HOPS * self.hop_length:
            raise ParameterError(
                f"n_fft may be at most {MAX_FFT_HOPS} times hop_length, got {self.n_fft} and "
                f"{self.hop_length}: every column would cost a transform of that length"
            )
        if self.hop_length > self.win_length:
            raise ParameterError(
                f"hop_length {self.hop_length} exceeds win_length {self.win_length}"
            )
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ParameterError(
                f"need 0 <= f_min < f_max <= {self.sample_rate / 2} Hz, "
                f"got {self.f_min} and {self.f_max}"
            )
        if self.mel_scale != "htk" or self.scale not in ("power", "log"):
            raise ParameterError(f"unknown mel_scale {self.mel_scale!r} or scale {self.scale!r}")
        if not 0 < self.power_for_image <= 4 or not -200 <= self.db_min < self.db_max <= 200:
            raise ParameterError(
                "power_for_image must be in (0, 4] and -200 <= db_min < db_max <= 200"
            )

    @property
    def frames_per_second(self) -> float:
        """Columns a second."""
        return self.sample_rate / self.hop_length

    @property
    def cut_frames(self) -> int:
        """Columns at either end of a sound whose windows reach beyond it.

        Where music was cut they show it break off: an upright line through all frequencies.
        """
        return -(-(self.win_length - self.hop_length) // (2 * self.hop_length))

    def duration_s(self, n_frames: int) -> float:
        """Length of `n_frames` columns: exactly that many hops."""
        return n_frames * self.hop_length / self.sample_rate

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> SonogramParams:
        """Inverse of `to_dict`; unknown or missing fields raise FormatError."""
        names = {f.name for f in dataclasses.fields(cls)}
        if set(fields) != names:
            odd = sorted(set(fields) ^ names)
            raise FormatError(f"sonogram parameters do not match this version, see {odd}")
        try:
            return cls(**fields)
        except TypeError as error:
            raise FormatError(f"sonogram parameters of a wrong type: {error}") from error


RIFFUSION_V1 = SonogramParams(
    name="riffusion-v1",
    hop_length=441,
    win_length=4410,
    n_fft=17640,
    n_mels=512,
    f_min=0.0,
    f_max=10_000.0,
    scale="power",
)

HIFI = SonogramParams(
    name="hifi",
    hop_length=512,
    win_length=2048,
    n_fft=2048,
    n_mels=256,
    f_min=20.0,
    f_max=16_000.0,
    scale="log",
)

PRESETS = {preset.name: preset for preset in (RIFFUSION_V1, HIFI)}


def params_by_name(name: str) -> SonogramParams:
    """The preset called `name`; ParameterError lists the known ones."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ParameterError(
            f"unknown sonogram format {name!r}; known: {', '.join(PRESETS)}"
        ) from None
