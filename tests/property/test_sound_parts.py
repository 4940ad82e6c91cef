"""A part of a sound file is that part of the whole, for every container and codec."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonoriff.audio import read_audio
from sound_files import decoded_from_the_beginning, encode, tones

ALL = (8000, 11025, 16000, 22050, 32000, 44100, 48000)
FEW = (1, 2, 4, 6)
# Container, codec, options, rates, channels.
KINDS = {
    "MP3, variable rate": ("mp3", "libmp3lame", {"q": "4", "compression_level": "7"}, ALL, (1, 2)),
    "MP3, constant rate": ("mp3", "libmp3lame", {"b": "64000"}, ALL, (1, 2)),
    "MP3 without Xing": ("mp3", "libmp3lame", {"write_xing": "0"}, ALL, (1, 2)),
    "MP2": ("mp2", "mp2", {}, (32000, 44100, 48000), (1, 2)),
    "Vorbis": ("ogg", "vorbis", {"strict": "-2"}, ALL, (2,)),
    "Vorbis of libvorbis": ("ogg", "libsndfile", {"subtype": "VORBIS"}, ALL, (1, 2, 6)),
    "Opus": ("ogg", "libopus", {}, (48000,), FEW),
    "Opus in WebM": ("webm", "libopus", {}, (48000,), FEW),
    "AAC in M4A": ("ipod", "aac", {}, ALL, FEW),
    "AAC in ADTS": ("adts", "aac", {}, ALL, (1, 2)),
    "ALAC in M4A": ("ipod", "alac", {}, ALL, (1, 2)),
    "FLAC": ("flac", "flac", {}, ALL, FEW),
    "FLAC in Ogg": ("ogg", "flac", {}, ALL, FEW),
    "WavPack": ("wv", "wavpack", {}, ALL, FEW),
    "WMA": ("asf", "wmav2", {"b": "128000"}, (44100,), (1, 2)),
    "WAV": ("wav", "pcm_s16le", {}, ALL, FEW),
    "WAV, 24 bits": ("wav", "pcm_s24le", {}, ALL, FEW),
    "WAV, floats": ("wav", "pcm_f32le", {}, ALL, FEW),
    "WAV, ADPCM": ("wav", "adpcm_ms", {}, ALL, (1, 2)),
    "W64": ("w64", "pcm_s16le", {}, ALL, FEW),
    "AIFF": ("aiff", "pcm_s16be", {}, ALL, (1, 2)),
    "AU": ("au", "pcm_s16be", {}, ALL, (1, 2)),
    "CAF": ("caf", "pcm_s32le", {}, ALL, FEW),
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, int, int, float, float, float]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    rate = draw(st.sampled_from(KINDS[kind][3]))
    channels = draw(st.sampled_from(KINDS[kind][4]))
    length = draw(st.floats(0.05, 2.5))
    start = draw(st.floats(0.0, 1.0)) * length
    return kind, rate, channels, length, start, draw(st.floats(0.001, 1.5))


@given(cases())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_part_is_that_part_of_the_whole(
    case: tuple[str, int, int, float, float, float],
) -> None:
    kind, rate, n_channels, length, start, duration = case
    container, codec, options, _, _ = KINDS[kind]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sound"
        encode(path, tones(n_channels, rate, length), rate, container, codec, **options)
        expected = decoded_from_the_beginning(path, container)
        whole, stored_rate = read_audio(path)
        assert stored_rate == rate
        common = min(expected.shape[1], whole.shape[1])
        # FFmpeg leaves a short Vorbis its last block whole.
        slack = 8192 if kind.startswith("Vorbis") else 0
        assert abs(expected.shape[1] - whole.shape[1]) <= slack
        assert np.abs(whole[:, :common] - expected[:, :common]).max(initial=0.0) < 1e-5
        first, count = round(start * rate), max(1, round(duration * rate))
        if first >= whole.shape[1]:
            return
        part, _ = read_audio(path, start_s=start, duration_s=duration)
        np.testing.assert_array_equal(part, whole[:, first : first + count])
