"""A file holds what the stream plays."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.export import export_stream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_file_of_exactly_so_many_samples(
    small_model: SmallModel, tmp_path: Path, suffix: str
) -> None:
    schedule, path, told = SceneSchedule((Cue(Scene(num_inference_steps=1)),)), tmp_path / "a", []
    target = path.with_suffix(suffix)
    export_stream(small_model, schedule, 50_000, target, on_samples=told.append)
    heard, rate = soundfile.read(target, dtype="int16")
    stream = RiffStream(small_model)
    _, samples, _ = stream.next(stream.start(schedule))
    wanted = np.clip(samples[:, :50_000].T, -1.0, 1.0) * 32767.0
    assert rate == 44100
    assert told[-1] == len(heard) == 50_000
    # Writers differ in whether full scale is 32,767 or 32,768, and in how they round.
    assert np.abs(heard - wanted).max() < 2
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ParameterError, match="is written as"):
        export_stream(small_model, schedule, 1000, tmp_path / "a.mp3")
