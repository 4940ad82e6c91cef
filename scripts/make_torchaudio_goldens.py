"""Make tests/golden/torchaudio.npz: what torchaudio and Riffusion's chain give for a test sound.

Run it where torchaudio imports, which need not be Sonoriff's own environment:

    python -m venv /tmp/goldens && /tmp/goldens/bin/pip install torch==2.9.1 torchaudio==2.9.1 numpy
    /tmp/goldens/bin/python scripts/make_torchaudio_goldens.py tests/golden/torchaudio.npz

It needs torch, torchaudio and numpy only, and nothing from Sonoriff: the goldens are to be
independent of the code that they test.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torchaudio

SAMPLE_RATE = 44100
N_FFT, WINDOW, HOP, N_MELS, F_MIN, F_MAX = 17640, 4410, 441, 512, 0.0, 10000.0
POWER_FOR_IMAGE = 0.25
SMALL_FFT, SMALL_HOP, SMALL_MELS = 512, 128, 40
INVERSE_FFT = 2048


def plucked_sound(duration_s: float = 0.8) -> np.ndarray:
    """Plucked partials, a falling tone and a little noise; int16 (T,)."""
    rng = np.random.default_rng(7)
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    sound = 0.003 * rng.standard_normal(time_s.size)
    for start_s, pitch_hz in ((0.0, 220.0), (0.2, 277.2), (0.4, 329.6), (0.6, 110.0)):
        age_s = np.maximum(time_s - start_s, 0.0)
        for partial in range(1, 12):
            fall = np.exp(-age_s * (2.0 + partial)) * (time_s >= start_s)
            sound += 0.2 / partial * fall * np.sin(2 * np.pi * partial * pitch_hz * age_s)
    sound += 0.05 * np.sin(2 * np.pi * (4000.0 * time_s - 2000.0 * time_s**2))
    return np.round(sound / np.abs(sound).max() * 0.9 * 32767).astype(np.int16)


def riffusion_mel(samples: torch.Tensor) -> torch.Tensor:
    """Mel amplitude as Riffusion's converter computes it, float32 (M, N)."""
    spectrogram = torchaudio.transforms.Spectrogram(
        n_fft=N_FFT, hop_length=HOP, win_length=WINDOW, power=None, center=True, pad_mode="reflect"
    )
    mel_scale = torchaudio.transforms.MelScale(
        n_mels=N_MELS,
        sample_rate=SAMPLE_RATE,
        f_min=F_MIN,
        f_max=F_MAX,
        n_stft=N_FFT // 2 + 1,
        norm=None,
        mel_scale="htk",
    )
    return mel_scale(torch.abs(spectrogram(samples)))


def riffusion_picture(mel: np.ndarray) -> np.ndarray:
    """Grey levels as Riffusion's image writer makes them, uint8 (M, N), low rows at the bottom."""
    data = np.power(mel / np.max(mel), POWER_FOR_IMAGE) * 255
    return (255 - data).astype(np.uint8)[::-1]


def griffin_lim_golden(sound: torch.Tensor) -> dict[str, np.ndarray]:
    """A small deterministic Griffin-Lim: magnitude in, waveform out."""
    window = torch.hann_window(SMALL_FFT)
    magnitude = torch.stft(
        sound[8000:12096], SMALL_FFT, SMALL_HOP, window=window, return_complex=True
    ).abs()
    result = torchaudio.functional.griffinlim(
        magnitude, window, SMALL_FFT, SMALL_HOP, SMALL_FFT, 1.0, 8, 0.99, None, False
    )
    return {"gl_magnitude": magnitude.numpy(), "gl_waveform": result.numpy()}


def inverse_mel_golden() -> dict[str, np.ndarray]:
    """A small InverseMelScale (least squares): mel in, magnitude out."""
    mel = torch.from_numpy(np.random.default_rng(3).random((SMALL_MELS, 12)).astype(np.float32))
    inverse = torchaudio.transforms.InverseMelScale(
        n_stft=INVERSE_FFT // 2 + 1,
        n_mels=SMALL_MELS,
        sample_rate=SAMPLE_RATE,
        f_min=F_MIN,
        f_max=F_MAX,
        norm=None,
        mel_scale="htk",
    )
    return {"inverse_mel": mel.numpy(), "inverse_magnitude": inverse(mel).numpy()}


def chain_golden(mel: torch.Tensor) -> dict[str, np.ndarray]:
    """Riffusion's decode with today's torchaudio: interior spectral convergence, dB."""
    bank = torchaudio.functional.melscale_fbanks(
        N_FFT // 2 + 1, F_MIN, F_MAX, N_MELS, SAMPLE_RATE, None, "htk"
    )
    magnitude = torch.relu(torch.linalg.lstsq(bank.T[None], mel[None], driver="gels").solution)
    torch.manual_seed(0)
    waveform = torchaudio.transforms.GriffinLim(
        n_fft=N_FFT, n_iter=32, win_length=WINDOW, hop_length=HOP, power=1.0, momentum=0.99
    )(magnitude)
    again = riffusion_mel(waveform[0])
    inside = slice(10, mel.shape[1] - 10)
    error = (again - mel)[:, inside].norm() / mel[:, inside].norm()
    return {"chain_interior_db": np.float32(20 * np.log10(error.item()))}


def main() -> None:
    """Write the goldens to the path given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    output: Path = parser.parse_args().output
    sound = plucked_sound()
    samples = torch.from_numpy(sound.astype(np.float32) / 32768)
    mel = riffusion_mel(samples)
    bank = torchaudio.functional.melscale_fbanks(
        N_FFT // 2 + 1, F_MIN, F_MAX, N_MELS, SAMPLE_RATE, None, "htk"
    ).T.numpy()
    bands, bins = np.nonzero(bank)
    peak_scaled = 30e6 / 32768  # Riffusion's samples are int16: only ratios reach its picture.
    arrays = {
        "sound": sound,
        "bank_band": bands.astype(np.int16),
        "bank_bin": bins.astype(np.int16),
        "bank_weight": bank[bands, bins].astype(np.float32),
        "mel_columns": mel[:, ::16].numpy(),
        "picture": riffusion_picture((mel * peak_scaled).numpy()),
        "torchaudio_version": np.array(torchaudio.__version__),
        **griffin_lim_golden(samples),
        **inverse_mel_golden(),
        **chain_golden(mel),
    }
    part = output.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)
    part.replace(output)
    print(f"{output}: {output.stat().st_size} bytes, torchaudio {torchaudio.__version__}")


if __name__ == "__main__":
    main()
