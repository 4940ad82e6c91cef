"""musicnn, a small network that hears music, with the weights its package ships, in Torch.

The package `musicnn` needs a TensorFlow and a NumPy of 2019, so it is installed without what it
asks for and only its weights are read.

References
----------
Pons & Serra, musicnn: pre-trained convolutional neural networks for music audio tagging (2019),
and github.com/jordipons/musicnn (ISC) for the shape of the network and the recipe of its input.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sonoriff.audio import resample
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.evaluation.judges.tensor_bundle import read_tensor_bundle

Network = Literal["MTT", "MSD"]
SAMPLE_RATE = 16_000
N_FFT, HOP_LENGTH, N_MELS = 512, 256, 96
PATCH_FRAMES = 187
N_FEATURES = 200
INSTALL = "pip install --no-deps musicnn==0.1.0"
_EPSILON = 1e-3  # of TensorFlow's batch normalisation

# The tags in the order of the outputs: MagnaTagATune's fifty and the Million Song Dataset's fifty.
TAGS: dict[Network, tuple[str, ...]] = {
    "MTT": (
        *("guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock"),
        *("fast", "piano", "ambient", "beat", "violin", "vocal", "synth", "female", "indian"),
        *("opera", "male", "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet"),
        *("flute", "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man"),
        *("classic", "choir", "voice", "new age", "dance", "male voice", "female vocal"),
        *("beats", "harp", "cello", "no voice", "weird", "country", "metal", "female voice"),
        "choral",
    ),
    "MSD": (
        *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance"),
        *("00s", "alternative rock", "jazz", "beautiful", "metal", "chillout"),
        *("male vocalists", "classic rock", "soul", "indie rock", "mellow", "electronica"),
        *("80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues"),
        *("hard rock", "ambient", "acoustic", "experimental", "female vocalist", "guitar"),
        *("hip hop", "70s", "party", "country", "easy listening", "sexy", "catchy", "funk"),
        *("electro", "heavy metal", "progressive rock", "60s", "rnb", "indie pop", "sad"),
        *("house", "happy"),
    ),
}


def mel_from_waveform(waveform: npt.NDArray[np.float32]) -> Tensor:
    """The network's input.

    Parameters
    ----------
    waveform : float32 (T,), at 16 kHz

    Returns
    -------
    float32 (N, 96), log10(10000 power + 1); N = 1 + T // 256

    Notes
    -----
    In float32 throughout: the package's own float16 overflows on loud sound.
    """
    if waveform.ndim != 1 or len(waveform) <= N_FFT // 2:
        raise ParameterError(
            f"musicnn hears one channel of more than {N_FFT // 2} samples, got {waveform.shape}"
        )
    spectrum = torch.stft(
        torch.from_numpy(np.ascontiguousarray(waveform, np.float32)),
        N_FFT,
        HOP_LENGTH,
        window=torch.hann_window(N_FFT),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.log10(10_000.0 * (_mel_bank() @ power) + 1.0).T.contiguous()


def patches_of_waveform(waveform: npt.NDArray[np.float32], sample_rate: int) -> Tensor:
    """Three-second patches that lie evenly over a sound, from its first column to its last.

    Parameters
    ----------
    waveform : float32 (T,), [-1, 1], at `sample_rate` Hz

    Returns
    -------
    float32 (patches, 187, 96), about as many as fit; a shorter sound is one, silent at its end
    """
    mel = mel_from_waveform(resample(waveform[None], sample_rate, SAMPLE_RATE)[0])
    if len(mel) < PATCH_FRAMES:
        mel = F.pad(mel, (0, 0, 0, PATCH_FRAMES - len(mel)))
    count = round(len(mel) / PATCH_FRAMES)
    starts = np.linspace(0, len(mel) - PATCH_FRAMES, count).round().astype(int).tolist()
    return torch.stack([mel[start : start + PATCH_FRAMES] for start in starts])


@lru_cache(maxsize=1)
def _mel_bank() -> Tensor:
    """Triangles of equal area on Slaney's mel scale, 0-8000 Hz: float32 (96, 257).

    Slaney, Auditory Toolbox (1998): linear to 1 kHz, 15 mels; then logarithmic, 6.4 times in
    27 mels.
    """
    linear, step = 200.0 / 3.0, np.log(6.4) / 27.0
    top = 15.0 + np.log(SAMPLE_RATE / 2 / 1000.0) / step
    mels = np.linspace(0.0, top, N_MELS + 2)
    edges = np.where(mels < 15.0, linear * mels, 1000.0 * np.exp(step * (mels - 15.0)))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, 1 + N_FFT // 2)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    bank = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return torch.from_numpy(bank.astype(np.float32))


class _Norm(nn.Module):
    """Batch normalisation at rest: a scale and a shift of the last axis."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


class Musicnn(nn.Module):
    """Log-mel patches to tags and features.

    Front end: filters that are tall (timbre) and filters that are long (rhythm), each pooled over
    all frequencies. Middle: three layers over time, with every one's output kept. Back end:
    largest and mean value over time, one hidden layer, tags.
    """

    timbre_kernels = ((7, 38), (7, 67))
    tempo_kernels = (128, 64, 32)

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = _Norm(1)
        self.timbre = nn.ModuleList(nn.Conv2d(1, 204, kernel) for kernel in self.timbre_kernels)
        self.tempo = nn.ModuleList(nn.Conv2d(1, 51, (k, 1)) for k in self.tempo_kernels)
        self.front_norms = nn.ModuleList(_Norm(n) for n in (204, 204, 51, 51, 51))
        self.middle = nn.ModuleList(nn.Conv1d(n, 64, 7, padding=3) for n in (561, 64, 64))
        self.middle_norms = nn.ModuleList(_Norm(64) for _ in range(3))
        self.pool_norm = _Norm(2 * 753)
        self.hidden = nn.Linear(2 * 753, N_FEATURES)
        self.hidden_norm = _Norm(N_FEATURES)
        self.output = nn.Linear(N_FEATURES, 50)

    @torch.inference_mode()
    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, 96) log-mel -> probabilities of the tags (B, 50), features (B, 200)."""
        x = self.input_norm(patches[..., None])[..., 0]
        front = torch.cat([*self._timbre(x), *self._tempo(x)], dim=2)
        features = torch.cat([front, *self._middle(front)], dim=2)
        # Largest and mean take turns, channel by channel.
        pooled = torch.stack([features.amax(dim=1), features.mean(dim=1)], dim=2).flatten(1)
        hidden = self.hidden_norm(F.relu(self.hidden(self.pool_norm(pooled))))
        return torch.sigmoid(self.output(hidden)), hidden

    def _timbre(self, x: Tensor) -> list[Tensor]:
        """Two of (B, N, 204)."""
        padded = F.pad(x, (0, 0, 3, 3))
        return [
            _pooled(convolution, padded, norm)
            for convolution, norm in zip(self.timbre, self.front_norms[:2], strict=True)
        ]

    def _tempo(self, x: Tensor) -> list[Tensor]:
        """Three of (B, N, 51)."""
        pooled = []
        for convolution, norm, length in zip(
            self.tempo, self.front_norms[2:], self.tempo_kernels, strict=True
        ):
            before = (length - 1) // 2
            padded = F.pad(x, (0, 0, before, length - 1 - before))
            pooled.append(_pooled(convolution, padded, norm))
        return pooled

    def _middle(self, front: Tensor) -> list[Tensor]:
        """Three of (B, N, 64)."""
        outputs: list[Tensor] = []
        x = front
        for convolution, norm in zip(self.middle, self.middle_norms, strict=True):
            change = norm(F.relu(convolution(x.transpose(1, 2))).transpose(1, 2))
            x = change + outputs[-1] if outputs else change
            outputs.append(x)
        return outputs


def _pooled(convolution: nn.Module, x: Tensor, norm: nn.Module) -> Tensor:
    """(B, N, F) -> (B, N', C): convolution, norm, the largest over frequency.

    The norm's scales are of either sign, so it comes before the pooling.
    """
    picture = x[:, None].contiguous(memory_format=torch.channels_last)
    responses: Tensor = norm(F.relu(convolution(picture)).permute(0, 2, 3, 1))
    return responses.amax(dim=2)


def weights_folder() -> Path:
    """Where the package `musicnn` keeps its weights; CheckpointError says how to get it."""
    spec = importlib.util.find_spec("musicnn")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / "MTT_musicnn").is_dir():
            return Path(place)
    raise CheckpointError(f"the evaluation needs the weights of musicnn: {INSTALL}")


@lru_cache(maxsize=2)
def load_musicnn(network: Network) -> Musicnn:
    """The network with its published weights.

    Raises
    ------
    CheckpointError
        the package is not installed, or its files are damaged
    """
    tensors = read_tensor_bundle(f"{weights_folder()}/{network}_musicnn/")
    try:
        return _from_tensors({name: torch.from_numpy(t.copy()) for name, t in tensors.items()})
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"the weights of musicnn's {network} do not fit: {error}") from error


def _from_tensors(source: dict[str, Tensor]) -> Musicnn:
    state: dict[str, Tensor] = {}
    kernels = ("timbre.0", "timbre.1", "tempo.0", "tempo.1", "tempo.2")
    for i, name in enumerate((*kernels, "middle.0", "middle.1", "middle.2")):
        theirs = "conv2d" if i == 0 else f"conv2d_{i}"
        kernel = source[f"{theirs}/kernel"].permute(3, 2, 0, 1)  # (outputs, 1, height, width)
        if name.startswith("middle"):
            kernel = kernel[:, 0].transpose(1, 2)
        state[f"{name}.weight"] = kernel.contiguous()
        state[f"{name}.bias"] = source[f"{theirs}/bias"]
    for name, theirs in (("hidden", "dense"), ("output", "dense_1")):
        state[f"{name}.weight"] = source[f"{theirs}/kernel"].T.contiguous()
        state[f"{name}.bias"] = source[f"{theirs}/bias"]
    norms = ("input_norm", *(f"front_norms.{i}" for i in range(5)))
    norms += (*(f"middle_norms.{i}" for i in range(3)), "pool_norm", "hidden_norm")
    for i, name in enumerate(norms):
        theirs = "batch_normalization" if i == 0 else f"batch_normalization_{i}"
        scale = source[f"{theirs}/gamma"] / torch.sqrt(
            source[f"{theirs}/moving_variance"] + _EPSILON
        )
        state[f"{name}.scale"] = scale
        state[f"{name}.shift"] = source[f"{theirs}/beta"] - scale * source[f"{theirs}/moving_mean"]
    network = Musicnn()
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)
