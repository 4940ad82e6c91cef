"""What is heard in a sound: tempo, beats, bars, key, chords, energy, loudness."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.beats import SAMPLE_RATE, Beats, find_beats
from sonoriff.analysis.chords import chord_of_class, chords_of_waveform
from sonoriff.analysis.energy import energy_of_picture, step_of_energy
from sonoriff.analysis.key import chroma_of_waveform, key_of_chroma
from sonoriff.audio import resample, set_loudness
from sonoriff.audio.loudness import level_lufs
from sonoriff.errors import ParameterError
from sonoriff.music import BEATS_PER_BAR, KEYS
from sonoriff.pipeline.source_analysis import LIKELY_KEY
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.params import HIFI

FloatArray = npt.NDArray[np.float32]
MAX_SECONDS = 900.0
# The level at which energy is measured.
_ENERGY_LUFS = -18.0
# Energy is told for as many bars at once, or for as many seconds where there are no bars.
_ENERGY_BARS, _ENERGY_S = 4, 8.0
_CHORD_HOP_S = 0.1
# A chord that lasts less than this belongs to the one before.
_SHORTEST_CHORD_S = 0.4
_TICKS = 480


@dataclass(frozen=True)
class Span:
    """What holds from `start_s` to `end_s`, in seconds: a chord's name, or an energy of 1 to 5."""

    start_s: float
    end_s: float
    what: str | int


@dataclass(frozen=True)
class Analysis:
    """What is heard in a sound.

    Attributes
    ----------
    duration_s : its length
    loudness_lufs : after ITU-R BS.1770; None for silence
    bpm : None where no pulse is clear; its octave is a guess
    beats_s, bars_s : times of beats and of the first beats of bars of four, in seconds
    key : "D minor"; None where the notes are like no key
    key_likeness : correlation of the notes with the key, 1 at best
    energy : of the whole, 1 (calm) to 5 (full)
    chords : in order; where none is heard is none
    energies : in order, without gaps
    """

    duration_s: float
    loudness_lufs: float | None
    bpm: float | None
    beats_s: tuple[float, ...]
    bars_s: tuple[float, ...]
    key: str | None
    key_likeness: float
    energy: int
    chords: tuple[Span, ...]
    energies: tuple[Span, ...]

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON; seconds to the millisecond."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def analyse(waveform: FloatArray, sample_rate: int) -> Analysis:
    """What is heard in a waveform.

    Parameters
    ----------
    waveform : float32 (C, T), at most 15 minutes
    sample_rate : Hz

    Raises
    ------
    ParameterError
        empty, of a wrong rank, or too long
    """
    if waveform.ndim != 2 or waveform.size == 0:
        raise ParameterError(f"a waveform has the shape (channels, samples): {waveform.shape}")
    duration_s = waveform.shape[1] / sample_rate
    if duration_s > MAX_SECONDS:
        raise ParameterError(
            f"at most {MAX_SECONDS:.0f} s are analysed at once, got {duration_s:.0f} s: take a part"
        )
    mono = waveform.mean(axis=0, keepdims=True)
    sound = resample(mono, sample_rate, SAMPLE_RATE)
    level = level_lufs(waveform, sample_rate)
    silent = not np.isfinite(level) or not sound.any()
    beats = find_beats(sound[0])
    key = key_of_chroma(chroma_of_waveform(sound[0], SAMPLE_RATE))
    in_key = not silent and key.correlation > LIKELY_KEY
    energy = 1
    energies: tuple[Span, ...] = (Span(0.0, duration_s, 1),)
    if not silent:
        levelled = set_loudness(sound, SAMPLE_RATE, _ENERGY_LUFS, peak_limit_db=60.0)
        picture = encode(levelled, SAMPLE_RATE, HIFI).values[0]
        energy = step_of_energy(energy_of_picture(picture))
        energies = _energies(picture, duration_s, beats)
    return Analysis(
        duration_s=duration_s,
        loudness_lufs=None if silent else float(level),
        bpm=beats.bpm if beats.found else None,
        beats_s=beats.beats_s if beats.found else (),
        bars_s=beats.bars_s if beats.found else (),
        key=f"{KEYS[key.tonic]} {key.mode}" if in_key else None,
        key_likeness=0.0 if silent else float(key.correlation),
        energy=energy,
        chords=() if silent else _chords(sound[0], duration_s),
        energies=energies,
    )


def labels_from_analysis(analysis: Analysis) -> str:
    """Labels as Audacity and others import them: start, end and text, with tabs between."""
    marks = [(time, time, f"bar {i + 1}") for i, time in enumerate(analysis.bars_s)]
    marks += [(span.start_s, span.end_s, str(span.what)) for span in analysis.chords]
    return "".join(f"{start:.3f}\t{end:.3f}\t{text}\n" for start, end, text in sorted(marks))


def midi_from_analysis(analysis: Analysis) -> bytes:
    """A standard MIDI file: tempo, bars and key on one track, the chords' notes on another.

    Laid from the sound's first sample on, its bars are the sound's: what comes before the first bar
    is a bar of one beat as long as that takes.

    Raises
    ------
    ParameterError
        no tempo is heard, so that there are no bars to lay notes on
    """
    import mido

    if analysis.bpm is None:
        raise ParameterError("no clear tempo is heard: a MIDI file would have no bars")
    ticks, lead_s = _ticks_of(analysis), analysis.bars_s[0]
    conductor = mido.MidiTrack()
    if lead_s > 0.0:
        conductor.append(mido.MetaMessage("time_signature", numerator=1, denominator=4))
        conductor.append(mido.MetaMessage("set_tempo", tempo=max(1, round(lead_s * 1e6))))
    begin = mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4)
    conductor.append(begin.copy(time=_TICKS if lead_s > 0.0 else 0))
    conductor.append(mido.MetaMessage("set_tempo", tempo=round(60e6 / analysis.bpm)))
    if analysis.key is not None:
        tonic, mode = analysis.key.split()
        name = f"{_FLAT.get(tonic, tonic)}{'m' if mode == 'minor' else ''}"
        conductor.append(mido.MetaMessage("key_signature", key=_SIGNATURES.get(name, name)))
    notes = mido.MidiTrack([mido.MetaMessage("track_name", name="chords")])
    events = []
    for span in analysis.chords:
        for note in _notes(str(span.what)):
            events.append((ticks(span.start_s), 1, note))
            events.append((ticks(span.end_s), 0, note))
    now = 0
    for at, kind, note in sorted(events):
        message = mido.Message("note_on" if kind else "note_off", note=note, velocity=72 * kind)
        notes.append(message.copy(time=at - now))
        now = at
    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS, tracks=[conductor, notes])
    written = BytesIO()
    file.save(file=written)
    return written.getvalue()


# Names of keys that MIDI has in another spelling.
_FLAT = {"D#": "Eb", "A#": "Bb", "G#": "Ab"}
_SIGNATURES = {"Abm": "G#m", "C#": "Db"}


def _notes(name: str) -> list[int]:
    """MIDI notes of a heard chord, around middle C, its root below."""
    from sonoriff.analysis.chords import parse_chord

    chord = parse_chord(name)
    return [36 + chord.root, *(60 + (tone if tone < 8 else tone - 12) for tone in chord.tones)]


def _ticks_of(analysis: Analysis) -> Any:
    """Seconds to ticks: a beat up to the first bar, and by the tempo from there on."""
    lead_s, bpm = analysis.bars_s[0], analysis.bpm or 0.0

    def ticks(seconds: float) -> int:
        if seconds < lead_s:
            return round(_TICKS * seconds / lead_s)
        first = _TICKS if lead_s > 0.0 else 0
        return first + round((seconds - lead_s) * bpm / 60.0 * _TICKS)

    return ticks


def _energies(picture: FloatArray, duration_s: float, beats: Beats) -> tuple[Span, ...]:
    """Energy by stretches of bars, at the loudness of the whole; `picture` (M, N) in dB."""
    places = list(beats.bars_s[::_ENERGY_BARS]) if beats.found else []
    places = places or list(np.arange(0.0, duration_s, _ENERGY_S))
    bounds = [0.0, *(place for place in places if _ENERGY_S / 4 < place < duration_s - 1.0)]
    bounds.append(duration_s)
    rate = HIFI.frames_per_second
    spans = []
    for first, last in itertools.pairwise(bounds):
        part = picture[:, round(first * rate) : max(round(first * rate) + 1, round(last * rate))]
        spans.append(Span(first, last, step_of_energy(energy_of_picture(part))))
    return tuple(spans)


def _chords(sound: FloatArray, duration_s: float) -> tuple[Span, ...]:
    heard = chords_of_waveform(sound, SAMPLE_RATE, _CHORD_HOP_S)
    spans: list[Span] = []
    for number, run in itertools.groupby(enumerate(heard.tolist()), key=lambda each: each[1]):
        places = [place for place, _ in run]
        start = places[0] * _CHORD_HOP_S
        end = min(duration_s, (places[-1] + 1) * _CHORD_HOP_S)
        chord = chord_of_class(number)
        if chord is None:
            continue
        name = f"{KEYS[chord.root]}{'m' if number >= 12 else ''}"
        before = spans[-1] if spans else None
        beside = before is not None and start - before.end_s < _SHORTEST_CHORD_S
        if (
            before is not None
            and beside
            and (before.what == name or end - start < _SHORTEST_CHORD_S)
        ):
            spans[-1] = Span(before.start_s, end, before.what)
        else:
            spans.append(Span(start, end, name))
    return tuple(span for span in spans if span.end_s - span.start_s >= _SHORTEST_CHORD_S)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return value
