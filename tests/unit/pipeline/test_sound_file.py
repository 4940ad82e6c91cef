"""Sound files of clips: bars, loops at other rates, one channel where two are the same."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from sonoriff.cli.main import main
from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.sound_file import cover_png, sound_bytes, tags_of_sonogram
from sonoriff.songs.render import render_song
from sonoriff.songs.wish import plan_song
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, save_picture

BAR_S = 60.0 / 120.0 * 4


@pytest.fixture(scope="module")
def bars(small_model: SmallModel) -> Clip:
    settings = LoopSettings(prompt="drums in F# minor", bpm=120, bars=2, num_inference_steps=1)
    return loop(small_model, settings)


def sonogram(n_frames: int, **metadata: Any) -> Sonogram:
    return Sonogram(np.full((1, 256, n_frames), -80.0, np.float32), HIFI, metadata)


def test_a_loop_says_its_bars_tempo_and_key(bars: Clip) -> None:
    tags = tags_of_sonogram(bars.sonogram)
    assert (tags.bpm, tags.key, tags.loop) == (120.0, "F# minor", True)
    assert [(mark.at_s, mark.name) for mark in tags.marks] == [(0.0, "bar 1"), (BAR_S, "bar 2")]
    assert tags.title == "drums in F# minor"


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_loop_at_another_rate_still_meets_its_start(bars: Clip, suffix: str) -> None:
    """Its samples are the values of the loop's Fourier series, at both ends too."""
    first = bars.waveform[:1]
    quiet = first / np.float32(2.0 * np.abs(first).max())  # which is not turned down
    data = sound_bytes(suffix, quiet, bars.sonogram, sample_rate=48000, bits="24")
    made, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == 48000
    assert len(made) == round(2 * BAR_S * 48000)
    n = len(made)
    spectrum = np.fft.rfft(quiet[0].astype(np.float64))
    places = np.array([0, 1, 17, n // 2, n - 2, n - 1])
    turns = np.exp(2j * np.pi * np.outer(places, np.arange(len(spectrum))) / n)
    turns[:, 1:] *= 2.0
    values = (turns @ spectrum).real / quiet.shape[1]
    assert made[places] == pytest.approx(values, abs=1e-5)


def test_bars_are_marked_where_the_first_begins_with_the_sound(small_model: SmallModel) -> None:
    settings = GenerateSettings(prompt="techno, 120 bpm", duration_s=5.0, num_inference_steps=1)
    clip = generate(small_model, settings)
    marks = tags_of_sonogram(clip.sonogram).marks
    assert [mark.at_s for mark in marks] == [0.0, 2.0, 4.0]
    other = replace(clip.sonogram, metadata={**clip.settings, "verb": "remix"})
    assert tags_of_sonogram(other).marks == ()
    assert tags_of_sonogram(other).bpm == 120.0


def test_a_song_marks_its_sections(small_model: SmallModel) -> None:
    plan = plan_song("techno", length_s=20.0)
    clip = render_song(small_model, plan)
    tags = tags_of_sonogram(clip.sonogram)
    starts = [bar * 240.0 / plan.bpm for bar in plan.first_bars()[:-1]]
    found = {round(mark.at_s, 3): mark.name for mark in tags.marks}
    for section, start in zip(plan.sections, starts, strict=True):
        assert found[round(start, 3)] == section.name
    assert len(tags.marks) == plan.bars
    assert (tags.bpm, tags.title) == (plan.bpm, plan.title)


@pytest.mark.parametrize(
    "metadata",
    [
        {
            "bpm": "fast",
            "key": 3,
            "seed": "x",
            "prompt": 5,
            "attributes": [1],
            "song": [],
            "verb": 0,
        },
        {"attributes": {"bpm": -1, "key": "H"}, "song": {"sections": [1, {"start_s": "0"}]}},
        {},
    ],
)
def test_settings_of_others_are_passed_over(metadata: dict[str, Any]) -> None:
    tags = tags_of_sonogram(sonogram(20, **metadata))
    assert (tags.bpm, tags.key, tags.seed, tags.marks, tags.title) == (None, None, None, (), "")


def test_two_channels_that_are_the_same_are_written_as_one() -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal((2, 4410))).astype(np.float32)
    same = np.repeat(noise[:1], 2, axis=0)
    picture = sonogram(9)
    for sound, channels in ((noise, 2), (same, 1)):
        data = sound_bytes(".wav", sound, picture)
        assert soundfile.SoundFile(io.BytesIO(data)).channels == channels


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_the_cover_is_bright_where_the_sound_is_loud(params: Any) -> None:
    silent, loud = (-80.0, 0.0) if params.scale == "log" else (0.0, 1e6)
    values = np.full((1, params.n_mels, 64), silent, np.float32)
    values[:, : params.n_mels // 2] = loud  # low notes, at the bottom
    cover = Image.open(io.BytesIO(cover_png(Sonogram(values, params)))).convert("L")
    assert cover.size == (512, 512)
    assert cover.getpixel((256, 400)) > 100 + cover.getpixel((256, 100))


def test_the_command_writes_what_was_asked_for(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", sonogram(40, prompt="rain", bpm=90.0, verb="generate"))
    source, target = str(tmp_path / "a.png"), tmp_path / "a.wav"
    assert main(["decode", source, "-o", str(target), "--rate", "48000", "--bits", "float"]) == 0
    file = soundfile.SoundFile(target)
    assert (file.samplerate, file.subtype) == (48000, "FLOAT")
    assert "Tempo     : 90.0" in file.extra_info
    wrong = tmp_path / "a.mp3"
    assert main(["decode", source, "-o", str(wrong), "--bits", "24"]) == 2
    assert not wrong.exists()


def test_bits_that_a_format_has_not_are_refused(bars: Clip, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="has no samples of float bits"):
        bars.save(tmp_path / "a.flac", bits="float")
    with pytest.raises(ParameterError, match="44100 or 48000"):
        bars.save(tmp_path / "a.wav", sample_rate=22050)
    assert not list(tmp_path.iterdir())
