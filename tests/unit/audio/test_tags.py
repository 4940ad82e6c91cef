"""Tags of sound files, read by libsndfile and FFmpeg."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from sonoriff.audio import audio_bytes, read_audio, write_audio
from sonoriff.audio.tags import AudioTags, Mark, key_name

RATE = 44100
N_FRAMES = 44101  # odd, so that chunks have to be padded


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 20)).save(buffer, "PNG")
    return buffer.getvalue()


TAGS = AudioTags(
    title="Fünk",
    prompt="Fünk & slap <bass>",
    negative_prompt="drums",
    model="tiny",
    software="Sonoriff test",
    seed=7,
    bpm=110.5,
    key="A# minor",
    loop=True,
    marks=(Mark(at_s=0.0, name="bar 1"), Mark(at_s=0.5, name="chorus")),
    cover=png(),
)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((2, N_FRAMES))
    return (0.1 * noise).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_wav_has_loop_points_tempo_and_marks(
    sound: np.ndarray, tmp_path: Path, subtype: str
) -> None:
    for channels in (1, 2):
        path = tmp_path / f"{channels}.wav"
        write_audio(path, sound[:channels], RATE, subtype=subtype, tags=TAGS)
        said = {" ".join(line.split()) for line in soundfile.SoundFile(path).extra_info.split("\n")}
        wanted = {
            "Midi Note : 60",
            "Loop Count : 1",
            f"Cue ID : 0 Type : 0 Start : 0 End : {N_FRAMES - 1} Fraction : 0 Count : 0",
            "Tempo : 110.500000",
            "Beats : 2",
            "Meter : 4/4",
            "Root note : 0x46",
            "labl : 1 : bar 1",
            "labl : 2 : chorus",
            "INAM : Fünk",
            "ISFT : Sonoriff test",
        }
        assert wanted <= said, wanted - said
        note = "<NOTE>prompt: Fünk &amp; slap &lt;bass&gt;; without: drums; seed: 7; model: tiny"
        assert note.encode() in path.read_bytes()
        samples, _ = soundfile.read(path, always_2d=True, dtype="float32")
        assert len(samples) == N_FRAMES
        assert np.abs(samples.T - sound[:channels]).max() < 1.0 / 32767
        (size,) = struct.unpack("<I", path.read_bytes()[4:8])
        assert size == path.stat().st_size - 8


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus", ".mp3"])
def test_other_files_have_tags_and_a_cover(sound: np.ndarray, tmp_path: Path, suffix: str) -> None:
    plain, tagged = tmp_path / f"plain{suffix}", tmp_path / f"tagged{suffix}"
    write_audio(plain, sound, RATE)
    write_audio(tagged, sound, RATE, tags=TAGS)
    # The encoded sound is the same, its ends included.
    assert np.array_equal(read_audio(plain)[0], read_audio(tagged)[0])
    with av.open(tagged) as file:
        said = {**file.metadata, **file.streams.audio[0].metadata}
        (cover,) = file.streams.video
        picture = next(file.decode(cover)).to_image()
    assert picture.size == (64, 48)
    names = {name.lower(): text for name, text in said.items()}
    assert names["title"] == "Fünk"
    assert names["prompt"] == "Fünk & slap <bass>"
    assert names["seed"] == "7"
    tempo, key = ("tbpm", "tkey") if suffix == ".mp3" else ("bpm", "key")
    assert (names[tempo], names[key]) == ("110" if suffix == ".mp3" else "110.5", "Bbm")
    assert b"Sonoriff test" in tagged.read_bytes()


def test_bytes_are_those_of_the_file(sound: np.ndarray, tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", sound, RATE, tags=TAGS)
    assert audio_bytes(sound, RATE, ".wav", tags=TAGS) == (tmp_path / "a.wav").read_bytes()


def test_nothing_known_adds_nothing(sound: np.ndarray) -> None:
    plain = audio_bytes(sound, RATE, ".wav")
    assert audio_bytes(sound, RATE, ".wav", tags=AudioTags()) == plain


@pytest.mark.parametrize(
    ("key", "name"),
    [("A minor", "Am"), ("D# major", "Eb"), ("C# minor", "C#m"), ("G# major", "Ab"), ("F#", "F#")],
)
def test_keys_as_id3_has_them(key: str, name: str) -> None:
    assert key_name(key) == name


@pytest.mark.parametrize("n_frames", [2000, 4096, 14_000, 16_000, 132_300])
@pytest.mark.parametrize("level", [0.0, 0.1])
@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_tags_cost_no_sound_however_little_there_is(
    tmp_path: Path, suffix: str, level: float, n_frames: int
) -> None:
    noise = np.random.default_rng(0).uniform(-level, level, (1, n_frames)).astype(np.float32)
    for name, tags in (("plain", None), ("tagged", TAGS)):
        write_audio(tmp_path / f"{name}{suffix}", noise, RATE, tags=tags)
    plain, tagged = (read_audio(tmp_path / f"{name}{suffix}")[0] for name in ("plain", "tagged"))
    np.testing.assert_array_equal(tagged, plain)
