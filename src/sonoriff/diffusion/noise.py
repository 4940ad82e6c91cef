"""Normal noise of a seed, the same on every machine and in every library.

These are the numbers that PyTorch's generator on the CPU gives, so that a seed keeps the music that
it has had from the beginning.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
_BLOCK = 16


def normal_noise(seed: int, n: int) -> FloatArray:
    """(n,) standard normal numbers, float32, as ``torch.randn`` draws them for `n` of 16 or more.

    Parameters
    ----------
    seed : >= 0; its lower 32 bits count
    n : how many

    References
    ----------
    Matsumoto & Nishimura, Mersenne Twister (1998); Box & Muller, A Note on the Generation of Random
    Normal Deviates (1958), on blocks of sixteen: eight radii, then eight angles.
    """
    bits = np.random.MT19937()
    # The reference seeding of 1998, which NumPy calls the legacy one.
    bits._legacy_seeding(seed & 0xFFFFFFFF)
    whole = n // _BLOCK * _BLOCK
    noise = np.empty(n, np.float32)
    uniform = _uniform(bits, n)
    noise[:whole] = _box_muller(uniform[:whole])
    if n % _BLOCK:
        # The last sixteen are drawn once more, over what stood there.
        last = _box_muller(_uniform(bits, _BLOCK))
        noise[max(0, n - _BLOCK) :] = last[-min(n, _BLOCK) :]
    return noise


def _uniform(bits: np.random.MT19937, n: int) -> FloatArray:
    """In [0, 1), of 24 bits."""
    drawn = bits.random_raw(n).astype(np.uint32)
    uniform: FloatArray = (drawn & np.uint32(0xFFFFFF)).astype(np.float32)
    uniform *= np.float32(2.0**-24)
    return uniform


def _box_muller(uniform: FloatArray) -> FloatArray:
    pairs = uniform.reshape(-1, 2, _BLOCK // 2)
    radius = np.sqrt(np.float32(-2.0) * np.log(np.float32(1.0) - pairs[:, 0]))
    angle = np.float32(2.0 * np.pi) * pairs[:, 1]
    drawn: FloatArray = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    flat: FloatArray = drawn.reshape(-1)
    return flat
