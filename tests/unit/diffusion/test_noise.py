"""The noise of a seed is what PyTorch draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sonoriff.diffusion.noise import normal_noise


@pytest.mark.parametrize("seed", [0, 1, 7, 12345, 2**31, 2**32 - 1, 2**33 + 5, 2**63 - 1])
@pytest.mark.parametrize("n", [16, 17, 31, 32, 320, 20_480])
def test_it_is_that_of_pytorch(seed: int, n: int) -> None:
    theirs = torch.randn(n, generator=torch.Generator().manual_seed(seed)).numpy()
    np.testing.assert_allclose(normal_noise(seed, n), theirs, atol=2e-6)


def test_it_stays_what_it_was() -> None:
    """Without PyTorch to compare with: the first numbers of seed 7, as drawn in 2026."""
    expected = [-0.8201, 0.3956, 0.8989, -1.3884, -0.1670, 0.2851, -0.6411, -0.8937]
    np.testing.assert_allclose(normal_noise(7, 320)[:8], expected, atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 15])
def test_a_few_numbers_can_be_had(n: int) -> None:
    assert normal_noise(3, n).shape == (n,)
    assert np.isfinite(normal_noise(3, n)).all()


def test_a_longer_noise_begins_with_the_shorter() -> None:
    np.testing.assert_array_equal(normal_noise(5, 640)[:320], normal_noise(5, 320))
