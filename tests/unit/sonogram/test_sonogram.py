"""The Sonogram value: what it says, files, notebooks."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from sonoriff.errors import ParameterError
from sonoriff.sonogram import HIFI, Sonogram


def _sonogram(n_channels: int = 1, n_frames: int = 40, **metadata: object) -> Sonogram:
    values = np.linspace(-80, 0, n_channels * 256 * n_frames, dtype=np.float32)
    return Sonogram(values.reshape(n_channels, 256, n_frames), HIFI, metadata)


def test_it_prints_what_it_is() -> None:
    assert repr(_sonogram()) == "Sonogram(hifi, 1 channel, 40 columns, 0.46 s)"
    assert (
        repr(_sonogram(2, 861, prompt="church organ"))
        == "Sonogram(hifi, 2 channels, 861 columns, 10.00 s, 'church organ')"
    )


def test_it_saves_and_loads(tmp_path: Path) -> None:
    _sonogram(seed=5).save(tmp_path / "a.png")
    loaded = Sonogram.load(tmp_path / "a.png")
    assert (loaded.params, dict(loaded.metadata)) == (HIFI, {"seed": 5})


def test_a_notebook_shows_the_picture_and_a_player() -> None:
    shown = _sonogram(2, prompt='<script>"x"</script>')._repr_html_()
    assert "<script>" not in shown
    assert "2 channels, 40 columns" in shown
    found = dict(re.findall(r'src="data:([a-z/]+);base64,([^"]+)"', shown))
    with Image.open(io.BytesIO(base64.b64decode(found["image/png"]))) as picture:
        assert picture.width > 1000
    sound, sample_rate = soundfile.read(io.BytesIO(base64.b64decode(found["audio/mpeg"])))
    assert (sound.shape, sample_rate) == ((40 * 512, 2), 44100)


def test_a_long_sonogram_is_shown_without_a_player() -> None:
    assert "<audio" not in _sonogram(1, 120 * 87)._repr_html_()


@pytest.mark.parametrize("shape", [(256, 40), (1, 255, 40), (0, 256, 40), (1, 256, 0)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="shape"):
        Sonogram(np.zeros(shape, np.float32), HIFI)


def test_nan_is_refused() -> None:
    with pytest.raises(ParameterError, match="finite"):
        Sonogram(np.full((1, 256, 2), np.nan, np.float32), HIFI)
