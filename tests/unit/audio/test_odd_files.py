"""Sixty odd sound files: what is read right, what is read with a warning, what is refused."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from sonoriff.audio import audio_bytes, read_audio, read_tags, to_mono, to_stereo
from sonoriff.errors import FormatError, ParameterError, SonoriffWarning
from sound_files import encode, id3, integers, tones, wav

RATE = 44_100
SOUND = tones(2, RATE, 0.5, quiet=False) * np.hanning(RATE // 2).astype(np.float32)
SIXTEEN = integers(SOUND, 16)
LIST = b"LIST" + struct.pack("<I", 12) + b"INFOxxxxyyyy"
Maker = Callable[[Path], object]


def by(container: str, codec: str, waveform: np.ndarray = SOUND, **options: str) -> Maker:
    return lambda path: encode(path, waveform, RATE, container, codec, **options)


def of(data: bytes) -> Maker:
    return lambda path: path.write_bytes(data)


def changed(maker: Maker, change: Callable[[bytes], bytes]) -> Maker:
    def make(path: Path) -> None:
        maker(path)
        path.write_bytes(change(path.read_bytes()))

    return make


def sndfile(kind: str, subtype: str, **options: str) -> Maker:
    def make(path: Path) -> None:
        soundfile.write(path, SOUND.T, RATE, subtype=subtype, format=kind, **options)

    return make


def _long_ogg(path: Path) -> None:
    """Of several pages."""
    sound = np.tile(SOUND, 8)
    soundfile.write(path, sound.T, RATE, format="OGG", subtype="VORBIS", compression_level=0.0)


RF64_SIZES = struct.pack("<IQQQI", 28, 72 + len(SIXTEEN), len(SIXTEEN), SOUND.shape[1], 0)
RF64 = b"RF64" + b"\xff" * 4 + b"WAVEds64" + RF64_SIZES
RF64 += wav(SIXTEEN, RATE, 2, 16, data_size=0xFFFFFFFF)[12:]

# Read like the sound they were made of, without a word; how much may differ.
FINE: dict[str, tuple[Maker, float]] = {
    "m4a.mp3": (by("ipod", "aac"), 0.02),
    "m4a.wav": (by("ipod", "alac"), 2e-4),
    "flac.mp3": (of(audio_bytes(SOUND, RATE, ".flac")), 2e-4),
    "mp3.wav": (of(audio_bytes(SOUND, RATE, ".mp3")), 0.02),
    "mp3.flac": (of(audio_bytes(SOUND, RATE, ".mp3")), 0.02),
    "wav.ogg": (of(audio_bytes(SOUND, RATE, ".wav")), 2e-4),
    "wav.m4a": (of(audio_bytes(SOUND, RATE, ".wav")), 2e-4),
    "ogg.flac": (of(audio_bytes(SOUND, RATE, ".ogg")), 0.05),
    "no-suffix": (of(audio_bytes(SOUND, RATE, ".wav")), 2e-4),
    "picture.png": (of(audio_bytes(SOUND, RATE, ".flac")), 2e-4),
    "variable-rate.mp3": (by("mp3", "libmp3lame", q="0"), 0.06),
    "without-xing.mp3": (by("mp3", "libmp3lame", write_xing="0"), 2.0),
    "tag-in-front.mp3": (
        changed(by("mp3", "libmp3lame", b="320000"), lambda d: id3(3000) + d),
        0.02,
    ),
    "great-tag-in-front.mp3": (
        changed(by("mp3", "libmp3lame", b="320000"), lambda d: id3(2 << 20) + d),
        0.02,
    ),
    "two-tags-in-front.mp3": (
        changed(by("mp3", "libmp3lame", b="320000"), lambda d: id3(10) + id3(90) + d),
        0.02,
    ),
    "tag-before-flac.flac": (of(id3(500) + audio_bytes(SOUND, RATE, ".flac")), 2e-4),
    "tag-before-aac.aac": (changed(by("adts", "aac"), lambda d: id3(500) + d), 2.0),
    "tag-behind.mp3": (
        changed(by("mp3", "libmp3lame", b="320000"), lambda d: d + b"TAG" + bytes(125)),
        0.02,
    ),
    "ape-tag-behind.mp3": (
        changed(
            by("mp3", "libmp3lame", b="320000"),
            lambda d: d + b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8),
        ),
        0.02,
    ),
    "adts.aac": (by("adts", "aac"), 2.0),
    "eight-bits.wav": (of(wav(integers(SOUND, 8), RATE, 2, 8)), 0.02),
    "twelve-bits.wav": (of(wav(SIXTEEN, RATE, 2, 12)), 2e-4),
    "twenty-bits.wav": (of(wav(integers(SOUND, 24), RATE, 2, 20)), 1e-6),
    "twenty-four-bits.wav": (of(wav(integers(SOUND, 24), RATE, 2, 24)), 1e-6),
    "thirty-two-bits.wav": (of(wav(integers(SOUND, 32), RATE, 2, 32)), 1e-6),
    "sixty-four-bits.wav": (of(wav(integers(SOUND, 64), RATE, 2, 64)), 1e-6),
    "floats.wav": (of(wav(SOUND.T.tobytes(), RATE, 2, 32, tag=3)), 0.0),
    "doubles.wav": (of(wav(SOUND.T.astype("<f8").tobytes(), RATE, 2, 64, tag=3)), 0.0),
    "extensible.wav": (of(wav(SIXTEEN, RATE, 2, 16, mask=3)), 2e-4),
    "extensible-without-mask.wav": (of(wav(SIXTEEN, RATE, 2, 16, mask=0)), 2e-4),
    "twenty-of-24-bits.wav": (
        of(wav(integers(SOUND, 24), RATE, 2, 24, mask=3, valid_bits=20)),
        1e-6,
    ),
    "list-before-data.wav": (of(wav(SIXTEEN, RATE, 2, 16, before_data=LIST)), 2e-4),
    "list-behind-data.wav": (of(wav(SIXTEEN, RATE, 2, 16, after_data=LIST)), 2e-4),
    "big-endian.wav": (sndfile("WAV", "PCM_16", endian="BIG"), 2e-4),
    "u-law.wav": (sndfile("WAV", "ULAW"), 0.02),
    "a-law.wav": (sndfile("WAV", "ALAW"), 0.02),
    "ima-adpcm.wav": (sndfile("WAV", "IMA_ADPCM"), 0.1),
    "ms-adpcm.wav": (sndfile("WAV", "MS_ADPCM"), 0.1),
    "mp3-inside.wav": (by("wav", "libmp3lame"), 2.0),
    "rf64.wav": (of(RF64), 2e-4),
    "rf64-of-libsndfile.rf64": (sndfile("RF64", "PCM_24"), 1e-6),
    "w64.w64": (sndfile("W64", "PCM_24"), 1e-6),
    "aiff.aiff": (sndfile("AIFF", "PCM_16"), 2e-4),
    "aiff-of-floats.aif": (sndfile("AIFF", "FLOAT"), 1e-6),
    "aiff-little-endian.aifc": (sndfile("AIFF", "PCM_16", endian="LITTLE"), 2e-4),
    "au.au": (sndfile("AU", "PCM_24"), 1e-6),
    "caf.caf": (sndfile("CAF", "PCM_24"), 1e-6),
    "alac.caf": (sndfile("CAF", "ALAC_20"), 1e-5),
    "alac-of-16-bits.caf": (sndfile("CAF", "ALAC_16"), 2e-4),
    "flac-of-8-bits.flac": (sndfile("FLAC", "PCM_S8"), 0.02),
    "flac.ogg": (by("ogg", "flac"), 2e-4),
    "wavpack.wv": (by("wv", "wavpack"), 0.02),
    "wma.wma": (by("asf", "wmav2", b="128000"), 2.0),
    "vorbis.webm": (by("webm", "vorbis", strict="-2"), 2.0),
    "alac.mov": (by("mov", "alac"), 2e-4),
    "flac.mka": (by("matroska", "flac"), 2e-4),
}
# Read as far as there is something, with a warning; the share that is there at least.
WARNED: dict[str, tuple[Maker, str, float]] = {
    "data-size-0.wav": (of(wav(SIXTEEN, RATE, 2, 16, data_size=0)), "never closed", 1.0),
    "all-sizes-0.wav": (
        of(wav(SIXTEEN, RATE, 2, 16, data_size=0, riff_size=0)),
        "never closed",
        1.0,
    ),
    "cut.wav": (of(wav(SIXTEEN, RATE, 2, 16)[:40_000]), "breaks off", 0.4),
    "cut.flac": (changed(sndfile("FLAC", "PCM_16"), lambda d: d[: len(d) // 2]), "breaks off", 0.3),
    "cut.mp3": (
        changed(by("mp3", "libmp3lame", b="320000"), lambda d: d[: len(d) // 2]),
        "breaks off",
        0.3,
    ),
    "cut.ogg": (changed(_long_ogg, lambda d: d[: len(d) - 50]), "breaks off", 0.0),
    "cut.aiff": (changed(sndfile("AIFF", "PCM_16"), lambda d: d[:40_000]), "breaks off", 0.4),
    "cut.caf": (changed(sndfile("CAF", "PCM_16"), lambda d: d[:40_000]), "breaks off", 0.4),
    "cut.w64": (changed(sndfile("W64", "PCM_16"), lambda d: d[:40_000]), "breaks off", 0.4),
    "cut.aac": (changed(by("adts", "aac"), lambda d: d[: len(d) * 2 // 3]), "breaks off", 0.4),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "no-bits.wav": (wav(SIXTEEN, RATE, 2, 0), "have 0 bits"),
    "forty-eight-bits.wav": (wav(SIXTEEN * 3, RATE, 2, 48), "have 48 bits"),
    "one-hundred-and-twenty-eight-bits.wav": (wav(SIXTEEN * 8, RATE, 2, 128), "have 128 bits"),
    "no-channels.wav": (wav(SIXTEEN, RATE, 0, 16), "not a readable sound file"),
    "thousand-channels.wav": (wav(bytes(20_000), 100, 1000, 16), "channels, expected 1 to 64"),
    "sixty-five-channels.wav": (wav(bytes(13_000), 100, 65, 16), "65 channels"),
    "no-rate.wav": (wav(SIXTEEN, 0, 2, 16), "not a readable sound file"),
    "list.ffconcat": (b"ffconcat version 1.0\nfile other.wav\n", "not a readable sound file"),
    "list.wav": (b"ffconcat version 1.0\nfile list.wav\n", "not a readable sound file"),
    "list.m3u8": (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nother.wav\n", "not a readable sound file"),
    "list.sdp": (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n", "not a readable"),
    "picture.wav": (b"\x89PNG\r\n\x1a\n" + bytes(500), "not a readable sound file"),
    "words.mp3": (b"no sound at all " * 400, "not a readable sound file"),
    "sync-alone.mp3": (b"\xff\xfb\x90\x64" + bytes(9), "sound"),
    "brand-alone.m4a": (b"\0\0\0\x20ftypM4A " + bytes(100), "not a readable sound file"),
    "avi.wav": (b"RIFF\x20\0\0\0AVI LIST" + bytes(500), "not a readable sound file"),
}


def read_all(path: Path) -> tuple[np.ndarray, list[str]]:
    """What is read, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        waveform, rate = read_audio(path)
    assert rate == RATE
    return waveform, [str(w.message) for w in caught if w.category is SonoriffWarning]


def difference(waveform: np.ndarray, expected: np.ndarray) -> float:
    """Root mean square of what differs, over that of what is expected."""
    length = min(waveform.shape[1], expected.shape[1])
    wrong = waveform[:, :length] - expected[:, :length]
    return float(np.sqrt(np.mean(wrong**2) / np.mean(expected[:, :length] ** 2)))


@pytest.mark.parametrize("name", FINE)
def test_a_sound_is_what_is_inside(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    make, most = FINE[name]
    make(tmp_path / name)
    waveform, said = read_all(tmp_path / name)
    assert said == []
    assert abs(waveform.shape[1] - SOUND.shape[1]) < 5000
    assert difference(waveform, SOUND) <= most
    # Of those with a delay, as loud at least.
    assert float(waveform.std()) == pytest.approx(float(SOUND.std()), rel=0.1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", WARNED)
def test_what_is_there_is_read_with_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    make, words, share = WARNED[name]
    make(tmp_path / name)
    waveform, said = read_all(tmp_path / name)
    assert len(said) == 1
    assert words in said[0]
    length = SOUND.shape[1] * (8 if name == "cut.ogg" else 1)
    assert share * length <= waveform.shape[1] <= length + 3000
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_is_refused_in_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    data, words = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    (tmp_path / "other.wav").write_bytes(wav(SIXTEEN, RATE, 2, 16))
    with pytest.raises(FormatError, match=words) as caught:
        read_audio(tmp_path / name)
    assert "Errno" not in str(caught.value)
    assert "1094995529" not in str(caught.value)
    assert capfd.readouterr().err == ""


SURROUND = np.repeat(np.eye(6, dtype=np.float32), 8000, axis=1) * tones(
    6, RATE, 48000 / RATE, quiet=False
)
VORBIS_ORDER = [0, 2, 1, 4, 5, 3]


def _vorbis(path: Path) -> None:
    soundfile.write(path, SURROUND[VORBIS_ORDER].T, RATE, format="OGG", subtype="VORBIS")


def _opus(path: Path) -> None:
    encode(path, SURROUND, 48_000, "ogg", "libopus", mapping_family="1", b="600000")


SURROUND_FILES: dict[str, Maker] = {
    "extensible.wav": of(wav(integers(SURROUND, 16), RATE, 6, 16, mask=0x3F)),
    "side.wav": of(wav(integers(SURROUND, 16), RATE, 6, 16, mask=0x60F)),
    "plain.wav": of(wav(integers(SURROUND, 16), RATE, 6, 16)),
    "vorbis.ogg": _vorbis,
    "opus.ogg": _opus,
    "flac.flac": by("flac", "flac", SURROUND),
    "aac.m4a": by("ipod", "aac", SURROUND, b="600000"),
}


@pytest.mark.parametrize("name", SURROUND_FILES)
def test_every_container_gives_the_same_mix_of_surround(tmp_path: Path, name: str) -> None:
    SURROUND_FILES[name](tmp_path / name)
    kept, _ = read_audio(tmp_path / name)
    stereo, _ = read_audio(tmp_path / name, max_channels=2)
    mono, _ = read_audio(tmp_path / name, max_channels=1)
    assert np.abs(stereo - to_stereo(kept)).max() < 1e-5
    assert np.abs(mono - to_mono(kept)).max() < 1e-5
    half = 0.5**0.5
    left = np.array([1, 0, half, 0, half, 0]) / (1 + 2 * half)
    delay = 1024 if name == "aac.m4a" else 0
    delay = kept.shape[1] - SURROUND.shape[1] if name == "aac.m4a" and not delay else 0
    for channel in range(6):
        place = slice(channel * 8000 + 2000 + delay, channel * 8000 + 6000)
        loud = float(np.abs(SURROUND[channel, place]).max())
        measured = np.abs(stereo[:, place]).max(axis=1) / loud
        expected = left[channel], left[[1, 0, 2, 3, 5, 4][channel]]
        np.testing.assert_allclose(measured, expected, atol=0.06)


def test_eight_channels_of_vorbis_are_put_in_order(tmp_path: Path) -> None:
    sound = np.repeat(np.eye(8, dtype=np.float32), 8000, axis=1) * tones(
        8, RATE, 64000 / RATE, quiet=False
    )
    order = [0, 2, 1, 6, 7, 4, 5, 3]
    soundfile.write(tmp_path / "a.ogg", sound[order].T, RATE, format="OGG", subtype="VORBIS")
    result, _ = read_audio(tmp_path / "a.ogg")
    loudest = [int(np.argmax(result[:, i * 8000 + 4000])) for i in range(8)]
    powers = [result[:, i * 8000 + 2000 : i * 8000 + 6000].std(axis=1) for i in range(8)]
    assert [int(np.argmax(p)) for p in powers] == list(range(8)), loudest


def test_a_mask_says_where_channels_belong(tmp_path: Path) -> None:
    quad = tones(4, RATE, 0.2, quiet=False)
    (tmp_path / "quad.wav").write_bytes(wav(integers(quad, 16), RATE, 4, 16, mask=0x33))
    left, right = read_audio(tmp_path / "quad.wav", max_channels=2)[0]
    half = 0.5**0.5
    np.testing.assert_allclose(left, (quad[0] + half * quad[2]) / (1 + half), atol=2e-4)
    np.testing.assert_allclose(right, (quad[1] + half * quad[3]) / (1 + half), atol=2e-4)


def test_channels_without_places_count_alike(tmp_path: Path) -> None:
    five = tones(5, RATE, 0.2, quiet=False)
    (tmp_path / "five.wav").write_bytes(wav(integers(five, 16), RATE, 5, 16))
    mixed, _ = read_audio(tmp_path / "five.wav", max_channels=1)
    np.testing.assert_allclose(mixed[0], five.mean(axis=0), atol=2e-4)
    with pytest.raises(ParameterError, match="max_channels"):
        read_audio(tmp_path / "five.wav", max_channels=3)


def test_many_channels_at_a_low_rate_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    path.write_bytes(wav(bytes(64 * 2 * 100 * 400), 100, 64, 16))
    with pytest.raises(ParameterError, match="longer than 119 s"):
        read_audio(path, max_seconds=119, max_channels=2)
    assert read_audio(path, duration_s=100, max_channels=2)[0].shape == (2, 10_000)


def test_a_damaged_place_is_silent_and_nothing_moves(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    by("ipod", "aac", tones(2, RATE, 2.0, quiet=False))(path)
    whole, _ = read_audio(path)
    data = bytearray(path.read_bytes())
    begin = data.find(b"mdat") + 3000
    data[begin : begin + 600] = b"\xff" * 600
    path.write_bytes(data)
    waveform, said = read_all(path)
    assert ["places, which are silent now" in line for line in said] == [True]
    assert waveform.shape == whole.shape
    assert difference(waveform[:, -RATE // 2 :], whole[:, -RATE // 2 :]) < 1e-3


def test_what_goes_on_with_other_channels_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    data = audio_bytes(SOUND, RATE, ".mp3"), audio_bytes(SOUND[:1], RATE, ".mp3")
    path.write_bytes(b"".join(data))
    waveform, said = read_all(path)
    assert any("goes on with 1 channel" in line for line in said)
    assert difference(waveform, SOUND) < 0.05


def test_a_second_stream_behind_the_first_is_read_too(tmp_path: Path) -> None:
    first, second = (audio_bytes(SOUND, RATE, ".ogg") for _ in range(2))
    (tmp_path / "two.ogg").write_bytes(first + second)
    waveform, said = read_all(tmp_path / "two.ogg")
    assert said == []
    assert abs(waveform.shape[1] - 2 * SOUND.shape[1]) < 3000
    (tmp_path / "other.ogg").write_bytes(first + audio_bytes(SOUND[:1], RATE, ".ogg"))
    waveform, said = read_all(tmp_path / "other.ogg")
    assert len(said) == 1
    assert difference(waveform, SOUND) < 0.05


@pytest.mark.parametrize("codec", ["libopus", "flac", "pcm_s16le"])
def test_eight_planes_and_more_are_read(tmp_path: Path, codec: str) -> None:
    container = {"libopus": "ogg", "flac": "matroska", "pcm_s16le": "wav"}[codec]
    sound = tones(8, 48_000, 0.5, quiet=False)
    encode(tmp_path / "a", sound, 48_000, container, codec)
    waveform, _ = read_audio(tmp_path / "a")
    assert waveform.shape == sound.shape
    powers = np.abs(np.fft.rfft(waveform[:, 4800:19_200])).argmax(axis=1)
    expected = np.abs(np.fft.rfft(sound[:, 4800:19_200])).argmax(axis=1)
    heard = [channel for channel in range(8) if channel != 3]  # Opus low-passes the LFE
    np.testing.assert_array_equal(powers[heard], expected[heard])


def test_a_film_and_a_cover_are_passed_over(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mp4"), "w") as file:
        film = file.add_stream("mpeg4", rate=25)
        film.width = film.height = 64
        film.pix_fmt = "yuv420p"
        track = file.add_stream("aac", rate=RATE, layout="stereo")
        for _ in range(12):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            file.mux(film.encode(picture))
        file.mux(film.encode(None))
        whole = av.AudioFrame.from_ndarray(SOUND, format="fltp", layout="stereo")
        whole.sample_rate = RATE
        sized = av.AudioResampler("fltp", "stereo", RATE, frame_size=1024)
        for frame in [*sized.resample(whole), *sized.resample(None)]:
            file.mux(track.encode(frame))
        file.mux(track.encode(None))
    assert read_all(tmp_path / "film.mp4")[0].shape[0] == 2
    by("mp3", "libmp3lame", b="320000")(tmp_path / "cover.mp3")
    data = (tmp_path / "cover.mp3").read_bytes()
    picture_frame = b"\0image/png\0\3\0\x89PNG\r\n\x1a\n" + bytes(400_000)
    frame = b"APIC" + len(picture_frame).to_bytes(4, "big") + b"\0\0" + picture_frame
    (tmp_path / "cover.mp3").write_bytes(id3(len(frame))[:10] + frame + data)
    waveform, said = read_all(tmp_path / "cover.mp3")
    assert said == []
    assert difference(waveform, SOUND) < 0.02


CONTAINERS = {
    **{"ipod": "aac", "mov": "alac", "webm": "libopus", "matroska": "flac", "adts": "aac"},
    **{"aiff": "pcm_s16be", "caf": "pcm_s16be", "w64": "pcm_s16le", "au": "pcm_s16be"},
    **{"wv": "wavpack", "tta": "tta", "asf": "wmav2", "ogg": "libopus"},
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.filterwarnings("ignore::sonoriff.errors.SonoriffWarning")
def test_damaged_bytes_of_any_container_never_crash(tmp_path: Path, container: str) -> None:
    codec = CONTAINERS[container]
    rate = 48_000 if codec == "libopus" else RATE
    options = {"b": "128000"} if codec == "wmav2" else {}
    encode(tmp_path / "a", tones(2, rate, 0.3), rate, container, codec, **options)
    data, generator = (tmp_path / "a").read_bytes(), np.random.default_rng(1)
    refused: list[str] = []
    for attempt in range(20):
        broken = bytearray(data)
        reach = len(broken) if attempt % 2 else min(len(broken), 600)
        for place in generator.integers(0, reach, 15):
            broken[place] = generator.integers(0, 256)
        (tmp_path / "b").write_bytes(broken)
        try:
            waveform, _ = read_audio(tmp_path / "b", max_seconds=60)
        except (FormatError, ParameterError) as error:
            refused.append(str(error))
            continue
        assert np.abs(waveform).max() <= 1.0
    assert not [line for line in refused if "Errno" in line]


@pytest.mark.parametrize("maker", ["mp3", "flac", "ogg", "ipod"])
def test_tags_are_read_from_every_container(tmp_path: Path, maker: str) -> None:
    codec = {"mp3": "libmp3lame", "flac": "flac", "ogg": "flac", "ipod": "aac"}[maker]
    tags = {"title": "Night", "artist": "A. Nobody", "genre": "Techno"}
    encode(tmp_path / "sound", SOUND, RATE, maker, codec, metadata=tags)
    found = read_tags(tmp_path / "sound")
    assert tags == {name: found[name] for name in tags}


def test_no_command_says_what_another_program_says(tmp_path: Path) -> None:
    by("ipod", "aac")(tmp_path / "m4a-named.mp3")
    command = [sys.executable, "-m", "sonoriff", "encode", str(tmp_path / "m4a-named.mp3")]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "a.png")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
