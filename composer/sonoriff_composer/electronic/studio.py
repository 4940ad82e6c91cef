"""A studio session: time, harmony, tracks and sections of one electronic piece."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sonoriff_composer.electronic import voices
from sonoriff_composer.electronic.kernels import SAMPLE_RATE, Signal
from sonoriff_composer.electronic.mixer import Track, place, step_times
from sonoriff_composer.harmony import Chord, chords_from_text
from sonoriff_composer.instruments import VOICES
from sonoriff_composer.melody import Manner, melody
from sonoriff_composer.piece import Timing

# Which groups of tracks are silent in a section; the first is "everybody plays".
MUTES: tuple[tuple[float, frozenset[str]], ...] = (
    (0.60, frozenset()),
    (0.10, frozenset({"drums"})),
    (0.06, frozenset({"bass", "chords", "lead"})),
    (0.08, frozenset({"chords", "lead"})),
    (0.10, frozenset({"lead"})),
    (0.06, frozenset({"drums", "bass"})),
)


@dataclass
class Session:
    """What a genre's recipe works with.

    `dna` depends on the genre's family only (sounds, patterns), `rng` on the piece (what is
    played); `sections` are (start s, stop s, silent groups).
    """

    rng: random.Random
    dna: random.Random
    timing: Timing
    key: int
    mode: str
    progression: str
    bars: int
    sections: list[tuple[float, float, frozenset[str]]]
    noise: np.random.Generator
    tracks: dict[str, Track] = field(default_factory=dict)
    kicks_s: list[float] = field(default_factory=list)
    swing: float = 0.5
    duck_depth: float = 0.0
    reverb_s: float = 1.6
    drive: float = 0.3
    lead: str | None = None

    def __post_init__(self) -> None:
        self.step_s = 60 / self.timing.bpm / 4
        self.beat_s = self.step_s * 4
        self.bar_s = self.beat_s * 4
        self.count = round((self.bars * self.bar_s + 0.5) * SAMPLE_RATE)
        self.chords = chords_from_text(self.progression, self.key, self.bars, 4.0)

    def track(self, name: str, **settings: float | bool) -> Track:
        """The track of this instrument, made when first asked for."""
        if name not in self.tracks:
            self.tracks[name] = Track(name, np.zeros(self.count, np.float32))
        for key, value in settings.items():
            setattr(self.tracks[name], key, value)
        return self.tracks[name]

    def playing(self, group: str, at_s: float) -> bool:
        """Whether a group of tracks sounds at a time."""
        for start, stop, mutes in self.sections:
            if start - 1e-3 <= at_s < stop - 1e-3:
                return group not in mutes
        return True

    def strike(
        self, pattern: str, sound: Signal, gain: float, *, name: str = "drums", kick: bool = False
    ) -> None:
        """Play a pattern of sixteenths on a drum, bar after bar."""
        track = self.track(name)
        for bar in range(self.bars):
            for at, level in step_times(pattern, self.step_s, bar, swing=self.swing):
                if kick:
                    self.kicks_s.append(at)
                if self.playing("drums", at):
                    jitter = 1 + self.rng.uniform(-0.08, 0.08)
                    place(track.signal, sound, at, gain * level * jitter)

    def play(
        self, name: str, group: str, notes: list[tuple[float, float, int, float]],
        patch: Callable[[int, float], Signal], gain: float,
    ) -> None:  # fmt: skip
        """Play notes (start s, length s, pitch, level) with a patch(pitch, length)."""
        track = self.track(name)
        gain *= 1.5 if group in ("chords", "lead") else 1.0
        made: dict[tuple[int, float], Signal] = {}
        for at, length, pitch, level in notes:
            if not self.playing(group, at):
                continue
            key = (pitch, round(length, 3))
            if key not in made:
                made[key] = patch(pitch, length)
            place(track.signal, made[key], at, gain * level)

    def continuous(self, name: str, group: str, signal: Signal, gain: float) -> None:
        """Add a signal as long as the piece, silent where its group is."""
        out = signal[: self.count].copy()
        for start, stop, mutes in self.sections:
            if group in mutes:
                a, b = round(start * SAMPLE_RATE), round(stop * SAMPLE_RATE)
                out[a:b] = 0
        self.track(name).signal[: len(out)] += out * np.float32(gain)

    def voiced(self, chord: Chord, around: int = 60, most: int = 4) -> list[int]:
        """The chord's notes close to a pitch."""
        pitches = [around - 6 + (tone - (around - 6)) % 12 for tone in chord.tones[:most]]
        return sorted(pitches)

    def root(self, chord: Chord, low: int = 33) -> int:
        """The chord's root in the octave above `low`."""
        return low + (chord.root - low) % 12

    def chord_notes(
        self, pattern: str, *, around: int = 60, hold: float = 0.9, most: int = 4
    ) -> list[tuple[float, float, int, float]]:
        """Every chord struck on a pattern of sixteenths; '=' lengthens the stroke before it."""
        notes = []
        for chord in self.chords:
            bar = int(chord.start // 4)
            bars = max(1, len(pattern) // 16)
            cells = pattern[(bar % bars) * 16 : (bar % bars + 1) * 16]
            first, last = round(chord.start % 4 * 4), round((chord.start % 4 + chord.length) * 4)
            for index in range(first, last):
                if cells[index] not in "xo.":
                    continue
                length = 1
                while index + length < last and cells[index + length] == "=":
                    length += 1
                late = (self.swing - 0.5) * 2 if index % 2 else 0.0
                at = (bar * 16 + index + late) * self.step_s
                level = {"x": 1.0, "o": 0.7, ".": 0.45}[cells[index]]
                notes += [
                    (at, length * self.step_s * hold, pitch, level)
                    for pitch in self.voiced(chord, around, most)
                ]
        return notes

    def bass_notes(
        self, pattern: str, *, low: int = 33, hold: float = 0.9
    ) -> list[tuple[float, float, int, float]]:
        """A bass line: r root, o octave above, f fifth, s seventh, '=' holds, '-' rests."""
        steps = {"r": 0, "o": 12, "f": 7, "s": 10, "t": 3, "d": -5}
        notes = []
        bars = max(1, len(pattern) // 16)
        for index in range(self.bars * 16):
            cell = pattern[(index // 16 % bars) * 16 + index % 16]
            if cell not in steps:
                continue
            length = 1
            while (
                index + length < self.bars * 16
                and pattern[((index + length) // 16 % bars) * 16 + (index + length) % 16] == "="
                and (index + length) % 16
            ):
                length += 1
            chord = self.chord_at(index / 4)
            late = (self.swing - 0.5) * 2 if index % 2 else 0.0
            pitch = self.root(chord, low) + steps[cell]
            if cell == "t" and 3 not in chord.intervals:
                pitch += 1
            notes.append(((index + late) * self.step_s, length * self.step_s * hold, pitch, 1.0))
        return notes

    def chord_at(self, beat: float) -> Chord:
        """The chord at a quarter beat."""
        return next(
            (c for c in self.chords if c.start - 1e-6 <= beat < c.start + c.length - 1e-6),
            self.chords[-1],
        )

    def arpeggio(
        self, order: str, *, around: int = 66, every: int = 1, octaves: int = 2, hold: float = 0.8,
        rests: str = "x",
    ) -> list[tuple[float, float, int, float]]:  # fmt: skip
        """Chord tones one after the other: up, down, updown or random; `rests` masks steps."""
        notes = []
        for number in range(self.bars * 16 // every):
            if rests[number % len(rests)] == "-":
                continue
            chord = self.chord_at(number * every / 4)
            tones = [p + 12 * o for o in range(octaves) for p in self.voiced(chord, around, 3)]
            ladder = {"up": tones, "down": tones[::-1], "updown": tones + tones[-2:0:-1]}.get(order)
            pitch = self.rng.choice(tones) if ladder is None else ladder[number % len(ladder)]
            late = (self.swing - 0.5) * 2 if every == 1 and number % 2 else 0.0
            level = 1.0 if number % 4 == 0 else 0.75
            at = (number * every + late) * self.step_s
            notes.append((at, every * self.step_s * hold, pitch, level))
        return notes

    def tune(
        self, *, density: float, voice: str = "synth lead", rest: float = 0.3, up: int = 0
    ) -> list[tuple[float, float, int, float]]:
        """A melody over the chords as notes in seconds."""
        manner = Manner(density=density, rest=rest, leaps=0.3)
        notes = melody(
            self.rng, self.chords, key=self.key, mode=self.mode, bar_beats=4.0,
            voice=VOICES[voice], manner=manner,
        )  # fmt: skip
        return [
            (n.start * self.beat_s, n.length * self.beat_s, n.pitch + up, n.velocity / 100)
            for n in notes
        ]

    def pick(self, *options: str) -> str:
        """One of the options, the family's choice."""
        return self.dna.choice(options)

    def kit(self, style: str) -> dict[str, Signal]:
        """A drum machine's sounds in a style: hard, deep, 808, acoustic, lofi, electro."""
        d, n = self.dna, self.noise
        base, decay, punch, drive = {
            "hard": (
                d.uniform(44, 54),
                d.uniform(0.16, 0.28),
                d.uniform(0.8, 1.3),
                d.uniform(0.4, 1.0),
            ),
            "deep": (
                d.uniform(42, 52),
                d.uniform(0.2, 0.32),
                d.uniform(0.5, 0.9),
                d.uniform(0.1, 0.3),
            ),
            "808": (
                d.uniform(40, 50),
                d.uniform(0.35, 0.7),
                d.uniform(0.4, 0.7),
                d.uniform(0.1, 0.5),
            ),
            "acoustic": (
                d.uniform(55, 70),
                d.uniform(0.1, 0.16),
                d.uniform(0.6, 1.0),
                d.uniform(0.2, 0.5),
            ),
            "lofi": (
                d.uniform(50, 65),
                d.uniform(0.12, 0.2),
                d.uniform(0.3, 0.5),
                d.uniform(0.2, 0.4),
            ),
            "electro": (
                d.uniform(48, 58),
                d.uniform(0.18, 0.3),
                d.uniform(0.5, 0.9),
                d.uniform(0.2, 0.5),
            ),
        }[style]
        long_snare = style in ("acoustic", "hard", "electro")
        return {
            "kick": voices.kick(n, base_hz=base, decay_s=decay, punch=punch, drive=drive),
            "snare": voices.snare(
                n,
                tone_hz=d.uniform(165, 230),
                decay_s=d.uniform(0.08, 0.16) if long_snare else 0.09,
                snap=d.uniform(0.7, 1.1),
            ),
            "clap": voices.clap(n, centre_hz=d.uniform(1100, 1900), decay_s=d.uniform(0.05, 0.12)),
            "hat": voices.hat(
                n,
                decay_s=d.uniform(0.018, 0.045),
                bright_hz=d.uniform(6500, 9000),
                metal=d.uniform(0.1, 0.6),
            ),
            "open": voices.hat(
                n,
                decay_s=d.uniform(0.12, 0.26),
                bright_hz=d.uniform(5500, 8000),
                metal=d.uniform(0.1, 0.6),
            ),
            "ride": voices.hat(n, decay_s=0.3, bright_hz=d.uniform(4500, 6500), metal=0.9),
            "shaker": voices.hat(n, decay_s=0.03, bright_hz=5000, metal=0.0),
            "rim": voices.rim(n),
            "cowbell": voices.cowbell(),
            "tom": voices.tom(base_hz=d.uniform(80, 140), decay_s=0.14),
            "conga": voices.tom(base_hz=d.uniform(180, 260), decay_s=0.09),
        }
