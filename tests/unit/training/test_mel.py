"""The forward transform that can be differentiated."""

from __future__ import annotations

import numpy as np
import torch

from sonoriff.sonogram import HIFI
from sonoriff.sonogram.mel import mel_from_waveform
from sonoriff.training.mel import log_mel


def test_it_is_that_of_the_codec_and_has_a_gradient() -> None:
    waveform = np.random.default_rng(2).standard_normal((2, 20_000), np.float32) / 10
    sound = torch.from_numpy(waveform).requires_grad_()
    mel = log_mel(sound, HIFI)
    np.testing.assert_allclose(mel.detach().numpy(), mel_from_waveform(waveform, HIFI), atol=2e-3)
    mel.mean().backward()
    assert sound.grad is not None
    assert bool(sound.grad.isfinite().all())
    assert bool(sound.grad.any())
