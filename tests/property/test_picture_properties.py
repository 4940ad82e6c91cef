"""Pictures: any sonogram comes back, any bytes are survived."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from sonoriff.errors import FormatError, SonoriffWarning
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, SonogramParams
from sonoriff.sonogram.picture import picture_from_bytes, png_bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
SMALL_HIFI = SonogramParams(**{**HIFI.to_dict(), "n_mels": 5})
SMALL_RIFFUSION = SonogramParams(**{**RIFFUSION_V1.to_dict(), "n_mels": 5})


@st.composite
def sonograms(draw: st.DrawFn) -> Sonogram:
    params = draw(st.sampled_from([SMALL_HIFI, SMALL_RIFFUSION]))
    shape = (draw(st.integers(1, 2)), 5, draw(st.integers(1, 6)))
    low, high = (params.db_min, params.db_max) if params.scale == "log" else (0.0, 1e6)
    values = draw(nps.arrays(np.float32, shape, elements=st.floats(low, high, width=32)))
    metadata = draw(st.dictionaries(st.sampled_from(["prompt", "seed", "x"]), JSON, max_size=3))
    return Sonogram(values, params, metadata)


@given(sonograms())
@settings(max_examples=60, deadline=None)
def test_any_sonogram_comes_back_to_half_a_level(sonogram: Sonogram) -> None:
    data = png_bytes(sonogram)
    loaded = picture_from_bytes(data)
    assert loaded.params == sonogram.params
    assert dict(loaded.metadata) == dict(sonogram.metadata)
    assert png_bytes(loaded) == data
    peak = float(sonogram.values.max())
    if sonogram.params.scale == "log":
        levels = (loaded.values - sonogram.values) * 255 / (HIFI.db_max - HIFI.db_min)
    elif peak == 0.0:
        levels = loaded.values
    else:
        levels = 255 * ((loaded.values / peak) ** 0.25 - (sonogram.values / peak) ** 0.25)
    assert np.abs(levels).max() <= 0.501


@given(st.data(), st.sampled_from([HIFI, RIFFUSION_V1]))
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_a_format_error_or_a_sonogram(
    data: st.DataObject, params: SonogramParams
) -> None:
    values = np.full((2, params.n_mels, 3), 1.0, np.float32)
    broken = bytearray(png_bytes(Sonogram(values, params, {"prompt": "x"})))
    places = st.tuples(st.integers(0, len(broken) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, min_size=1, max_size=8)):
        broken[place] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SonoriffWarning)
        try:
            loaded = picture_from_bytes(bytes(broken))
        except FormatError:
            return
    assert np.isfinite(loaded.values).all()
