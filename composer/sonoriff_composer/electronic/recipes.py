"""How each electronic genre is made: rhythm, bass, harmony, colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sonoriff_composer.electronic import voices
from sonoriff_composer.electronic.kernels import SAMPLE_RATE, Signal, filtered
from sonoriff_composer.electronic.mixer import place
from sonoriff_composer.electronic.studio import Session

FOUR = "x---x---x---x---"
OFF = "--x---x---x---x-"


def _pad_patch(s: Session, cutoff: float, attack: float = 0.3) -> Callable[[int, float], Signal]:
    """A pad with a given brightness."""
    return lambda p, g: voices.pad(s.noise, p, g, attack_s=attack, cutoff_hz=cutoff)


def _bass_patch(
    s: Session, cutoff: float, decay: float, sub: float, res: float = 0.3
) -> Callable[[int, float], Signal]:
    """A synth bass with a given brightness."""
    square = s.dna.random() < 0.35
    return lambda p, g: voices.bass(
        s.noise, p, g, cutoff_hz=cutoff, decay_s=decay, sub=sub, resonance=res, square_wave=square
    )


def _four_on_the_floor(s: Session, style: str, hats: float = 0.55) -> dict[str, Signal]:
    """Kick on every beat, open hats between, claps on two and four."""
    kit = s.kit(style)
    s.strike(FOUR, kit["kick"], 1.0, kick=True)
    s.strike(s.pick(OFF, OFF, "--x---x---x--ox-"), kit["open"], hats * 0.8)
    s.strike(
        s.pick(
            "x.o.x.o.x.o.x.o.",
            "..o...o...o...o.",
            "xoxoxoxoxoxoxoxo",
            "o.xxo.xxo.xxo.xx",
            "----------------",
        ),
        kit["hat"],
        hats * 0.6,
    )
    return kit


def techno(s: Session) -> None:
    """Straight hard drums, a hypnotic low pulse, one stab or sequence, little harmony."""
    s.duck_depth, s.reverb_s, s.drive = (
        s.dna.uniform(0.4, 0.8),
        s.dna.uniform(1.2, 3.0),
        s.dna.uniform(0.4, 1.0),
    )
    kit = _four_on_the_floor(s, "hard")
    if s.dna.random() < 0.6:
        s.strike("----x-------x---", kit["clap"], 0.6)
    if s.dna.random() < 0.4:
        s.strike(
            s.pick("--x--x--x--x--x-", "---x--x----x--x-", "x--x--x--x--x-x-"),
            kit[s.pick("rim", "tom", "conga", "cowbell")],
            0.4,
        )
    if s.dna.random() < 0.4:
        s.strike("x-x-x-x-x-x-x-x-", kit["ride"], 0.25)
    pattern = s.pick(
        "--r---r---r---r-",
        "-rrr-rrr-rrr-rrr",
        "--rr--rr--rr--rr",
        "r--r--r--r--r-r-",
        "--r--r-o--r--r-r",
        "-r-r-rr--r-r-rr-",
    )
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(pattern, hold=0.8),
        _bass_patch(s, s.dna.uniform(300, 1200), 0.12, 0.8),
        0.75,
    )
    s.track("synth bass", ducked=True)
    roll = s.dna.random()
    cutoff = s.dna.uniform(900, 3500)
    if roll < 0.4:
        stab = s.pick(
            "---x--x------x--", "--x-----x--x----", "x-----x-----x---", "------x-------x-"
        )
        s.play(
            "synth stab",
            "chords",
            s.chord_notes(stab, around=60, hold=0.8, most=3),
            lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=cutoff, decay_s=0.12),
            0.3,
        )
        s.track("synth stab", echo=0.5, reverb=0.5, ducked=True)
    elif roll < 0.8:
        mask = s.pick(
            "x--x--x-x--x--x-", "xx-xxx-xx-xxx-x-", "x-xx-x-xx-x-xx-x", "xxxxxxxxxxxxxxxx"
        )
        notes = s.arpeggio(
            s.pick("up", "updown", "random"),
            around=s.dna.choice((54, 60, 66)),
            octaves=s.dna.choice((1, 2)),
            rests=mask,
        )
        s.play(
            "synth sequence",
            "chords",
            notes,
            lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=cutoff, decay_s=0.08, voices=1),
            0.4,
        )
        s.track("synth sequence", echo=0.4, reverb=0.3, ducked=True)
    if s.dna.random() < 0.5:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", hold=1.0, most=3),
            _pad_patch(s, s.dna.uniform(500, 1500)),
            0.15,
        )
        s.track("synth pad", ducked=True, reverb=0.6)


def acid_techno(s: Session) -> None:
    """Techno around one squelching line with glides and accents."""
    s.duck_depth, s.drive = 0.4, 0.9
    kit = _four_on_the_floor(s, "hard")
    s.strike("----x-------x---", kit["clap" if s.dna.random() < 0.6 else "snare"], 0.55)
    scale = [0, 0, 0, 3, 5, 7, 10, 12, 12, 1]
    root = 33 + (s.key - 33) % 12
    steps: list[tuple[int, bool, bool] | None] = []
    for _ in range(16):
        if s.rng.random() < 0.22:
            steps.append(None)
        else:
            steps.append((root + s.rng.choice(scale), s.rng.random() < 0.3, s.rng.random() < 0.25))
    period = s.bar_s * s.rng.choice((4, 8))
    t = np.arange(s.count) / SAMPLE_RATE
    opening = (1.0 + 0.75 * np.sin(2 * np.pi * t / period + s.rng.uniform(0, 6))).astype(np.float32)
    line = voices.acid_line(
        steps, s.step_s, cutoff_hz=s.dna.uniform(500, 1100), resonance=s.dna.uniform(0.8, 0.93),
        decay_s=s.dna.uniform(0.08, 0.25), square_wave=s.dna.random() < 0.4, opening=opening,
    )  # fmt: skip
    s.continuous("acid bass", "bass", line, 0.7)
    s.track("acid bass", reverb=0.15, echo=0.15)
    if s.dna.random() < 0.5:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", most=3),
            _pad_patch(s, 900),
            0.12,
        )
        s.track("synth pad", ducked=True, reverb=0.5)


def house(s: Session) -> None:
    """Four on the floor with claps, a bouncing bass, piano, organ or stab chords."""
    s.duck_depth, s.swing = s.dna.uniform(0.3, 0.6), s.dna.choice((0.5, 0.54, 0.57))
    kit = _four_on_the_floor(s, "deep")
    s.strike("----x-------x---", kit["clap"], 0.75)
    if s.dna.random() < 0.5:
        s.strike(
            s.pick("-.x-.-x--.x-.-x-", "x..x..x.x..x..x."), kit[s.pick("shaker", "conga")], 0.35
        )
    bass = s.pick(
        "r--r--r---r--o--",
        "--r---r-r-r---o-",
        "r-----rr--r--f--",
        "r--rr-r-r--rr-o-",
        "--r-r-o---r-r-s-",
    )
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(bass, low=36, hold=0.85),
        _bass_patch(s, s.dna.uniform(400, 900), 0.15, 0.7),
        0.8,
    )
    s.track("synth bass", ducked=True)
    stab = s.pick("x--x--x---x--x--", "--x--x----x--x--", "---x--x----x--x-", "x--x---x--x---x-")
    colour = s.dna.random()
    if colour < 0.35:
        s.play(
            "organ",
            "chords",
            s.chord_notes(stab, around=62, hold=1.2),
            lambda p, g: voices.drawbar(p, g),
            0.35,
        )
        s.track("organ", reverb=0.25)
    elif colour < 0.7:
        s.play(
            "electric piano",
            "chords",
            s.chord_notes(stab, around=62, hold=1.4),
            lambda p, g: voices.electric_piano(p, g, tine=2.0),
            0.35,
        )
        s.track("electric piano", reverb=0.3)
    else:
        cutoff = s.dna.uniform(1500, 4000)
        s.play(
            "synth stab",
            "chords",
            s.chord_notes(stab, around=62),
            lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=cutoff, decay_s=0.15),
            0.3,
        )
        s.track("synth stab", reverb=0.35, echo=0.3)
    if s.dna.random() < 0.4:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", around=66),
            _pad_patch(s, 1400),
            0.14,
        )
        s.track("synth pad", ducked=True, reverb=0.4)
    if s.rng.random() < 0.3:
        _lead(s, density=1.1, kind="saw")


def _lead(
    s: Session, *, density: float, kind: str, cutoff: float = 5000, gain: float = 0.4
) -> None:
    """A synth melody with echo."""
    s.play(
        "synth lead",
        "lead",
        s.tune(density=density),
        lambda p, g: voices.lead(s.noise, p, g, kind=kind, cutoff_hz=cutoff),
        gain,
    )
    s.track("synth lead", echo=0.35, reverb=0.35)
    s.lead = "synth lead"


def trance(s: Session) -> None:
    """Rolling off-beat bass, bright arpeggios or gated supersaw chords, wide melody."""
    s.duck_depth, s.reverb_s = 0.6, 2.5
    kit = _four_on_the_floor(s, "hard")
    s.strike("----x-------x---", kit["clap"], 0.6)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("-rrr-rrr-rrr-rrr", "--r---r---r---r-", "-rr--rr--rr--rr-"), hold=0.8),
        _bass_patch(s, 900, 0.1, 0.6),
        0.7,
    )
    s.track("synth bass", ducked=True)
    cutoff = s.dna.uniform(2500, 6000)
    if s.dna.random() < 0.6:
        notes = s.arpeggio(
            s.pick("up", "updown", "down"), around=66, rests=s.pick("x", "xx-x", "xxx-xx-x")
        )
        s.play(
            "synth arpeggio",
            "chords",
            notes,
            lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=cutoff, decay_s=0.14),
            0.4,
        )
        s.track("synth arpeggio", echo=0.45, reverb=0.4, ducked=True)
    else:
        s.play(
            "supersaw",
            "chords",
            s.chord_notes(s.pick("x-xx-xx-x-xx-xx-", "x=x=x=x=x=x=x=x="), around=64),
            lambda p, g: voices.lead(s.noise, p, g, kind="supersaw", cutoff_hz=6000),
            0.22,
        )
        s.track("supersaw", reverb=0.4, ducked=True)
    s.play("synth pad", "chords", s.chord_notes("x==============="), _pad_patch(s, 2000), 0.16)
    s.track("synth pad", ducked=True, reverb=0.5)
    if s.rng.random() < 0.55:
        _lead(s, density=1.3, kind="supersaw", cutoff=7000)


def eurodance(s: Session) -> None:
    """Four on the floor, octave bass, a bright hook."""
    s.duck_depth = 0.4
    kit = _four_on_the_floor(s, "hard")
    s.strike("----x-------x---", kit["snare"], 0.6)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r-o-r-o-r-o-r-o-", "--r---r---r---r-", "r-or-or-r-or-or-")),
        _bass_patch(s, 1500, 0.12, 0.5),
        0.7,
    )
    s.track("synth bass", ducked=True)
    s.play(
        "synth stab",
        "chords",
        s.chord_notes(s.pick("x--x--x-x--x--x-", "--x---x---x---x-")),
        lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=5000, decay_s=0.18),
        0.28,
    )
    s.track("synth stab", reverb=0.3)
    if s.rng.random() < 0.7:
        _lead(s, density=1.7, kind=s.pick("saw", "square", "supersaw"))


def hardstyle(s: Session) -> None:
    """Distorted kick on every beat that carries its own bass, screaming lead."""
    s.duck_depth, s.drive = 0.8, 1.5
    n, d = s.noise, s.dna
    boom = voices.kick(n, base_hz=d.uniform(46, 56), decay_s=0.34, punch=1.6, drive=3.5)
    s.strike(FOUR, boom, 1.1, kick=True)
    kit = s.kit("hard")
    s.strike(OFF, kit["open"], 0.45)
    s.strike("----x-------x---", kit["clap"], 0.5)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes("--r---r---r---r-"),
        lambda p, g: voices.reese(n, p, g, cutoff_hz=900, rate_hz=0.5),
        0.6,
    )
    s.track("synth bass", ducked=True)
    s.play(
        "supersaw",
        "chords",
        s.chord_notes("x==============="),
        lambda p, g: voices.lead(n, p, g, kind="supersaw", cutoff_hz=7000),
        0.16,
    )
    s.track("supersaw", ducked=True, reverb=0.3)
    if s.rng.random() < 0.7:
        _lead(s, density=1.6, kind="supersaw", cutoff=9000, gain=0.45)


_BREAKS = (
    ("x---------x-----", "----x-------x---"),
    ("x-x-------xx----", "----x--.-.--x--."),
    ("x-----x---x-----", "----x-------x--."),
    ("x-x---x----x----", "----x--.-x--x---"),
    ("x---------xx---x", "----x--.----x-.-"),
)


def drum_and_bass(s: Session) -> None:
    """A fast broken beat over a growling or deep bass, pads far behind."""
    s.drive, s.duck_depth = 0.5, 0.25
    kit = s.kit("acoustic")
    kick, snare = s.dna.choice(_BREAKS)
    s.strike(kick, kit["kick"], 1.0, kick=True)
    s.strike(snare, kit["snare"], 0.95)
    s.strike(s.pick("x.x.x.x.x.x.x.x.", "x-o-x-o-x-o-x-o-", "xoxoxoxoxoxoxoxo"), kit["hat"], 0.4)
    if s.dna.random() < 0.5:
        s.strike("x-x-x-x-x-x-x-x-", kit["ride"], 0.2)
    line = s.pick("r=========r=====", "r=====t===r=f===", "r==r===s==r=====", "r===r===r=t=s===")
    rate, cutoff = s.dna.choice((0.5, 1.0, 2.0)) / s.beat_s / 4, s.dna.uniform(300, 900)
    if s.dna.random() < 0.65:
        s.play(
            "synth bass",
            "bass",
            s.bass_notes(line, low=29, hold=0.97),
            lambda p, g: voices.reese(s.noise, p, g, cutoff_hz=cutoff, rate_hz=rate),
            0.75,
        )
    else:
        s.play("synth bass", "bass", s.bass_notes(line, low=29), _bass_patch(s, 250, 0.3, 1.2), 0.8)
    if s.dna.random() < 0.75:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", around=64),
            _pad_patch(s, s.dna.uniform(900, 2500)),
            0.16,
        )
        s.track("synth pad", reverb=0.7)
    if s.rng.random() < 0.35:
        s.play(
            "electric piano",
            "lead",
            s.tune(density=0.8, voice="electric piano"),
            lambda p, g: voices.electric_piano(p, g, tine=2.5),
            0.35,
        )
        s.track("electric piano", echo=0.4, reverb=0.5)
        s.lead = "electric piano"


def dubstep(s: Session) -> None:
    """Half-time drums and a bass that wobbles in time."""
    s.drive = 0.9
    kit = s.kit("hard")
    s.strike(
        s.pick("x---------------", "x-----x---------", "x-------------x-", "x--x------------"),
        kit["kick"],
        1.1,
        kick=True,
    )
    s.strike("--------x-------", kit["snare"], 1.1)
    s.strike("--------x-------", kit["clap"], 0.5)
    s.strike(s.pick("x--x--x-x--x--x-", "x-x-x-x-x-x-x-x-", "x---x-x-x---x-xx"), kit["hat"], 0.35)
    cutoff = s.dna.uniform(900, 2600)
    for chord in s.chords:
        base = 1 / s.beat_s
        rates = np.array(
            [base * s.rng.choice((0.5, 1, 1, 2, 2, 3, 4)) for _ in range(4)], np.float32
        )
        at = chord.start * s.beat_s
        if s.playing("bass", at):
            sound = voices.wobble(
                s.noise,
                s.root(chord, 29),
                chord.length * s.beat_s,
                rates_hz=rates,
                cutoff_hz=cutoff,
            )
            place(s.track("wobble bass").signal, sound, at, 0.6)
    if s.dna.random() < 0.5:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", around=64),
            _pad_patch(s, 1500),
            0.12,
        )
        s.track("synth pad", reverb=0.6)
    if s.rng.random() < 0.3:
        _lead(s, density=0.9, kind="square", gain=0.3)


def hip_hop(s: Session) -> None:
    """Boom bap: a swung, dusty beat, a round bass, a looped chord or phrase."""
    s.swing, s.drive = s.dna.uniform(0.54, 0.62), 0.6
    kit = s.kit(s.pick("acoustic", "808", "lofi"))
    s.strike(
        s.pick("x------x--x-----", "x-x-----x--x----", "x--x---x--x-----", "x-----xx--x-----"),
        kit["kick"],
        1.1,
        kick=True,
    )
    s.strike("----x-------x---", kit[s.pick("snare", "clap")], 0.9)
    s.strike(s.pick("x-x-x-x-x-x-x-x-", "x-xxx-x-x-xxx-x-", "x.x.x.x.x.x.x.x."), kit["hat"], 0.4)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r=====-r--r=----", "r==---r=--f=--r-", "r=======--r=t=--"), low=31),
        _bass_patch(s, 300, 0.25, 1.0),
        0.8,
    )
    _keys(s, s.pick("x=======x=======", "x=====x=----x===", "x==x==--x==x==--"), 0.4)
    if s.rng.random() < 0.3:
        _lead(s, density=1.0, kind=s.pick("square", "saw"), cutoff=2500, gain=0.3)


def _keys(s: Session, pattern: str, gain: float) -> None:
    """Chords on electric piano, pad or a bell, as the family likes it."""
    choice = s.dna.random()
    if choice < 0.6:
        tine = s.dna.uniform(0.8, 2.2)
        s.play(
            "electric piano",
            "chords",
            s.chord_notes(pattern, around=62),
            lambda p, g: voices.electric_piano(p, g, tine=tine),
            gain,
        )
        s.track("electric piano", reverb=0.3)
    elif choice < 0.8:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", around=62),
            _pad_patch(s, 900),
            gain * 0.5,
        )
        s.track("synth pad", reverb=0.4)
    else:
        ratio = s.dna.choice((3.5, 2.0, 5.4))
        s.play(
            "bells",
            "chords",
            s.arpeggio("updown", around=70, every=2, octaves=1),
            lambda p, g: voices.bell(p, max(g, 0.8), ratio=ratio, bright=1.5),
            gain * 0.7,
        )
        s.track("bells", reverb=0.4, echo=0.2)


def trap(s: Session) -> None:
    """Booming tuned bass drum, rolling hats, a snare on three, dark bells."""
    s.drive = 0.8
    kit = s.kit("808")
    s.strike(
        s.pick("x------x--x-----", "x-----x--x------", "x--x------x---x-"),
        kit["kick"],
        1.0,
        kick=True,
    )
    s.strike("--------x-------", kit["clap"], 0.9)
    s.strike("--------x-------", kit["snare"], 0.6)
    roll = s.dna.choice(("x-x-x-x-x-x-xxxx", "x-x-xxx-x-x-x-xx", "xxx-x-x-xxxxx-x-"))
    s.strike(roll, kit["hat"], 0.4)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(
            s.pick("r=====-r==r=====", "r========-r=====", "r==r======t=s==="), low=29, hold=0.98
        ),
        lambda p, g: voices.bass(
            s.noise, p + 12, g, cutoff_hz=160, decay_s=0.6, sub=1.6, resonance=0.1
        ),
        0.9,
    )
    ratio = s.dna.choice((3.5, 2.0, 1.4))
    if s.dna.random() < 0.6:
        s.play(
            "bells",
            "chords",
            s.arpeggio(
                s.pick("updown", "random"),
                around=70,
                every=2,
                octaves=1,
                rests=s.pick("x", "x-xx", "xx-x--x-"),
            ),
            lambda p, g: voices.bell(p, max(g, 0.9), ratio=ratio, bright=1.2),
            0.3,
        )
        s.track("bells", reverb=0.5, echo=0.3)
    else:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", around=62),
            _pad_patch(s, 1200),
            0.18,
        )
        s.track("synth pad", reverb=0.5)


def lo_fi(s: Session) -> None:
    """A soft swung beat under crackle, warm electric piano chords."""
    s.swing, s.drive, s.reverb_s = s.dna.uniform(0.55, 0.62), 0.5, 1.0
    kit = s.kit("lofi")
    s.strike(
        s.pick("x------x--x-----", "x--x----x-------", "x-------x-x-----"),
        kit["kick"],
        0.9,
        kick=True,
    )
    s.strike("----x-------x---", kit[s.pick("snare", "rim", "clap")], 0.6)
    s.strike(s.pick("x-o-x-o-x-o-x-o-", "x-oox-o-x-oox-o-"), kit["hat"], 0.3)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r=====--r=--f=--", "r===----r=====--", "r=--r=--r=--s=--"), low=31),
        _bass_patch(s, 200, 0.3, 1.0, 0.1),
        0.7,
    )
    tine = s.dna.uniform(0.5, 1.5)
    s.play(
        "electric piano",
        "chords",
        s.chord_notes(
            s.pick("x=======x=======", "x=====x=====x===", "x==============="), around=60
        ),
        lambda p, g: voices.steady(voices.electric_piano(p, g, tine=tine), 2600, 0),
        0.5,
    )
    s.track("electric piano", reverb=0.35)
    if s.rng.random() < 0.4:
        s.play(
            "vibraphone",
            "lead",
            s.tune(density=0.8, voice="vibraphone"),
            lambda p, _: voices.bell(p, 1.4, ratio=4.0, bright=0.6),
            0.3,
        )
        s.track("vibraphone", reverb=0.4)
        s.lead = "vibraphone"
    crackle = np.zeros(s.count, np.float32)
    spots = s.noise.integers(0, s.count, s.count // 6000)
    crackle[spots] = s.noise.uniform(-0.6, 0.6, len(spots)).astype(np.float32)
    hiss = voices.steady(voices.noise(s.noise, s.count / SAMPLE_RATE), 3000, 0)
    hiss = np.pad(hiss, (0, max(0, s.count - len(hiss))))[: s.count]
    s.track("vinyl crackle", weight=0.0).signal += crackle * np.float32(0.5) + hiss * np.float32(
        0.02
    )


def trip_hop(s: Session) -> None:
    """A slow heavy beat, deep bass, moody chords and echoes."""
    s.swing, s.drive, s.reverb_s = s.dna.uniform(0.5, 0.57), 0.6, 2.5
    kit = s.kit("acoustic")
    s.strike(
        s.pick("x--x------x-----", "x---------x--x--", "x-x-----x-x-----"),
        kit["kick"],
        1.0,
        kick=True,
    )
    s.strike(s.pick("----x-------x---", "----x--.----x-.-"), kit["snare"], 0.9)
    s.strike("x-x-x-x-x-x-x-x-", kit["hat"], 0.35)
    s.track("drums", reverb=0.15)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r====---t=--r===", "r=======f=====s=", "r==r==------r===")),
        _bass_patch(s, 220, 0.4, 1.1, 0.1),
        0.8,
    )
    _keys(s, s.pick("x===============", "x=======--x====="), 0.4)
    if s.rng.random() < 0.4:
        _lead(s, density=0.7, kind="saw", cutoff=1800, gain=0.3)


def downtempo(s: Session) -> None:
    """A relaxed electronic beat with pads, plucks and space."""
    s.reverb_s, s.duck_depth = 2.5, 0.25
    kit = s.kit(s.pick("deep", "lofi"))
    s.strike(
        s.pick("x-----x---x-----", "x---x---x---x---", "x--x----x-------"),
        kit["kick"],
        0.9,
        kick=True,
    )
    s.strike("----x-------x---", kit[s.pick("clap", "rim", "snare")], 0.5)
    s.strike(s.pick("--x---x---x---x-", "x.x.x.x.x.x.x.x."), kit[s.pick("hat", "shaker")], 0.3)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r=====r=--r=----", "r===----r===f=--"), low=33),
        _bass_patch(s, 350, 0.3, 0.8),
        0.7,
    )
    s.play(
        "synth pad",
        "chords",
        s.chord_notes("x===============", around=62),
        _pad_patch(s, 1300),
        0.22,
    )
    s.track("synth pad", ducked=True, reverb=0.6)
    cutoff = s.dna.uniform(1200, 3000)
    s.play(
        "synth pluck",
        "lead",
        s.arpeggio(
            s.pick("random", "updown"),
            around=66,
            every=2,
            rests=s.pick("x-xx-x--", "xx-x", "x--x--x-"),
        ),
        lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=cutoff, decay_s=0.2),
        0.35,
    )
    s.track("synth pluck", echo=0.5, reverb=0.5)


def ambient(s: Session) -> None:
    """Slow chords that swell and fade in a large space; no beat."""
    s.reverb_s, s.drive = s.dna.uniform(4, 7), 0.1
    cutoff = s.dna.uniform(500, 2200)
    s.play(
        "synth pad",
        "pads",
        s.chord_notes("x===============", around=s.dna.choice((52, 57, 62)), hold=1.1, most=5),
        _pad_patch(s, cutoff, 1.2),
        0.3,
    )
    s.track("synth pad", reverb=0.6)
    if s.dna.random() < 0.6:
        s.play(
            "drone",
            "pads",
            s.bass_notes("r===============", low=36, hold=1.05),
            lambda p, g: voices.faded(
                voices.steady(voices.saws(s.noise, p, g, voices=3, spread=0.08), 260, 0), 0.8, 0.8
            ),
            0.25,
        )
    colour = s.dna.random()
    if colour < 0.4:
        ratio = s.dna.choice((2.0, 3.5, 5.4))
        s.play(
            "bells",
            "pads",
            s.tune(density=0.35, voice="celesta", rest=0.4),
            lambda p, _: voices.bell(p, 3.0, ratio=ratio, bright=1.0),
            0.18,
        )
        s.track("bells", echo=0.5, reverb=1.0)
    elif colour < 0.7:
        s.play(
            "electric piano",
            "pads",
            s.tune(density=0.5, voice="electric piano", rest=0.4),
            lambda p, g: voices.electric_piano(p, max(g, 1.0), tine=0.8),
            0.3,
        )
        s.track("electric piano", echo=0.5, reverb=0.9)
    if s.dna.random() < 0.4:
        wind = voices.noise(s.noise, s.count / SAMPLE_RATE + 0.01)[: s.count]
        t = np.arange(s.count) / SAMPLE_RATE
        sweep = (500 * 2 ** (1.5 * np.sin(2 * np.pi * t / s.dna.uniform(7, 15)))).astype(np.float32)
        s.track("texture", weight=0.0, reverb=0.5).signal += filtered(
            wind, sweep, 0.6, 1
        ) * np.float32(0.05)


def synthwave(s: Session) -> None:
    """Gated snare, driving octave bass, warm pads, a shining lead."""
    s.reverb_s, s.duck_depth = 2.2, s.dna.choice((0.0, 0.35))
    kit = s.kit("electro")
    s.strike(s.pick(FOUR, "x-----x-x-------", "x-------x-------"), kit["kick"], 1.0, kick=True)
    s.strike("----x-------x---", kit["snare"], 0.9)
    s.strike(s.pick("x-x-x-x-x-x-x-x-", "xxxxxxxxxxxxxxxx", OFF), kit["hat"], 0.3)
    if s.dna.random() < 0.3:
        s.strike("-----------xx-x-", kit["tom"], 0.5)
    s.track("drums", reverb=0.2)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(
            s.pick("rrrrrrrrrrrrrrrr", "r-rrr-rrr-rrr-rr", "r-r-r-r-r-r-r-o-", "r-o-r-o-r-o-r-o-"),
            hold=0.8,
        ),
        _bass_patch(s, s.dna.uniform(700, 1800), 0.14, 0.4),
        0.65,
    )
    s.track("synth bass", ducked=True)
    s.play(
        "synth pad",
        "chords",
        s.chord_notes("x===============", around=62),
        _pad_patch(s, 2200),
        0.2,
    )
    s.track("synth pad", ducked=True, reverb=0.4)
    if s.dna.random() < 0.5:
        s.play(
            "synth arpeggio",
            "chords",
            s.arpeggio(s.pick("up", "updown"), around=66),
            lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=3000, decay_s=0.12, voices=2),
            0.3,
        )
        s.track("synth arpeggio", echo=0.4, reverb=0.3)
    if s.rng.random() < 0.6:
        _lead(s, density=1.0, kind=s.pick("saw", "supersaw", "square"))


def chiptune(s: Session) -> None:
    """Two pulse waves, a triangle bass and noise drums, as old consoles had them."""
    s.drive, s.reverb_s = 0.0, 0.3
    n = s.noise

    def burst(seconds: float, every: int) -> Signal:
        """Noise held for some samples, as a shift register makes it."""
        raw = n.choice(np.array([-0.5, 0.5], np.float32), round(seconds * SAMPLE_RATE / every) + 1)
        x = np.repeat(raw, every)[: round(seconds * SAMPLE_RATE)]
        return np.asarray(x * np.exp(-np.arange(len(x)) / SAMPLE_RATE / (seconds / 4)), np.float32)

    def triangle(p: int, g: float) -> Signal:
        """A triangle in sixteen levels."""
        t = np.arange(round(g * SAMPLE_RATE)) / SAMPLE_RATE
        wave = 2 * np.abs(2 * ((voices.hertz(p) * t) % 1) - 1) - 1
        return voices.faded(np.asarray(np.round(wave * 8) / 8, np.float32), 0.001, 0.005)

    if s.rng.random() < 0.85:
        s.strike(
            s.pick("x---x---x---x---", "x-----x-x---x---", "x---------x-----"),
            voices.tom(base_hz=90, decay_s=0.05),
            0.7,
            kick=True,
        )
        s.strike("----x-------x---", burst(0.15, 6), 0.55)
        s.strike(s.pick("x-x-x-x-x-x-x-x-", "x-xxx-xxx-xxx-xx"), burst(0.05, 2), 0.3)
    s.play(
        "triangle bass",
        "bass",
        s.bass_notes(s.pick("r-r-r-r-r-r-r-o-", "r-o-r-o-r-o-r-o-", "r--r--r-f--f--f-"), low=40),
        triangle,
        0.6,
    )
    width = s.dna.choice((0.125, 0.25, 0.5))
    s.play(
        "chip arpeggio",
        "chords",
        s.arpeggio(s.pick("up", "updown", "down"), around=64, every=1, octaves=1),
        lambda p, g: voices.faded(voices.square(p, g, width=0.25) * np.float32(0.5), 0.001, 0.01),
        0.35,
    )
    s.play(
        "square lead",
        "lead",
        s.tune(density=s.dna.uniform(1.6, 2.4), voice="square lead", rest=0.15),
        lambda p, g: voices.faded(
            voices.square(p, g, width=width, vibrato=0.25) * np.float32(0.6), 0.001, 0.01
        ),
        0.5,
    )
    s.lead = "square lead"


def electro(s: Session) -> None:
    """Broken drum-machine beat, robotic bass line, cowbells, cold stabs."""
    kit = s.kit("electro")
    s.strike(
        s.pick("x-----x---x-----", "x--x--x---x-----", "x--x------x--x--"),
        kit["kick"],
        1.0,
        kick=True,
    )
    s.strike("----x-------x---", kit["snare"], 0.8)
    s.strike("----x-------x---", kit["clap"], 0.4)
    s.strike(s.pick("x-x-x-xxx-x-x-xx", "xxxxxxxxxxxxxxxx"), kit["hat"], 0.35)
    if s.dna.random() < 0.5:
        s.strike(s.pick("x-x--x--x-x--x-x", "--x--x----x--x--"), kit["cowbell"], 0.3)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r-r-o-rr-rr-o-s-", "rr-rr-o-rr-rr-t-", "r--r-or-r--r-os-"), hold=0.7),
        _bass_patch(s, 1500, 0.08, 0.4, 0.6),
        0.75,
    )
    s.play(
        "synth stab",
        "chords",
        s.chord_notes(s.pick("x---------------", "x-----x---------", "----x-------x---"), most=3),
        lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=3000, decay_s=0.2),
        0.25,
    )
    s.track("synth stab", echo=0.4, reverb=0.3)
    if s.rng.random() < 0.35:
        _lead(s, density=1.5, kind="square", gain=0.3)


def garage(s: Session) -> None:
    """Two-step: skipping kicks, swung hats, warm bass and organ or electric-piano stabs."""
    s.swing = s.dna.uniform(0.58, 0.64)
    kit = s.kit("deep")
    s.strike(
        s.pick("x---------x-----", "x--------xx-----", "x-----x---x-----"),
        kit["kick"],
        1.0,
        kick=True,
    )
    s.strike("----x-------x---", kit[s.pick("snare", "clap")], 0.8)
    s.strike(s.pick("x-xxx-x-x-xxx-xx", "--xx--xx--xx--xx"), kit["hat"], 0.4)
    s.strike("-------x--x-----", kit["rim"], 0.35)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r=--r-r=----r-o-", "r==--r--r==--f--", "--r=-r----r=-s--")),
        _bass_patch(s, 500, 0.2, 0.9),
        0.8,
    )
    stab = s.pick("x--x----x--x--x-", "--x--x-x--x--x--", "x-----x--x----x-")
    name = s.pick("organ", "electric piano")

    def patch(p: int, g: float) -> Signal:
        """The keyboard the family has."""
        return voices.drawbar(p, g) if name == "organ" else voices.electric_piano(p, g, tine=2.0)

    s.play(name, "chords", s.chord_notes(stab, around=62, hold=1.1), patch, 0.35)
    s.track(name, reverb=0.3, echo=0.2)


def breakbeat(s: Session) -> None:
    """Funky broken beats at dance tempo with a gritty bass."""
    s.drive = 0.7
    kit = s.kit("acoustic")
    kick, snare = s.dna.choice(_BREAKS)
    s.strike(kick, kit["kick"], 1.0, kick=True)
    s.strike(snare, kit["snare"], 0.9)
    s.strike(s.pick("x-x-x-x-x-x-x-x-", "xoxoxoxoxoxoxoxo"), kit["hat"], 0.4)
    s.strike(s.pick("--------------x-", "----------------"), kit["open"], 0.4)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("r--r--o-r-r--s--", "rr-r--r-o--r-s--", "r-----rr--o-r-s-"), hold=0.8),
        _bass_patch(s, 1300, 0.15, 0.5, 0.6),
        0.75,
    )
    s.play(
        "synth stab",
        "chords",
        s.chord_notes(s.pick("x-----x---------", "--x-------x--x--"), most=3),
        lambda p, g: voices.pluck(s.noise, p, g, cutoff_hz=4000, decay_s=0.16),
        0.28,
    )
    s.track("synth stab", echo=0.3, reverb=0.3)
    if s.rng.random() < 0.3:
        _lead(s, density=1.4, kind="saw", gain=0.3)


def industrial(s: Session) -> None:
    """Distorted machine drums, metallic strokes, a grinding bass."""
    s.drive, s.reverb_s = 2.0, 2.0
    kit = s.kit("hard")
    s.strike(s.pick(FOUR, "x-x---x-x-x---x-", "x---x-x-x---x-xx"), kit["kick"], 1.2, kick=True)
    s.strike("----x-------x---", kit["snare"], 1.0)
    s.strike(s.pick("--x--x--x--x--x-", "x-x-x-x-x-x-x-x-"), kit["ride"], 0.4)
    clang = voices.bell(50, 0.5, ratio=1.414 * 2, bright=6.0)
    s.strike(s.pick("------x---------", "---x------x-----", "--------------x-"), clang, 0.5)
    s.track("drums", reverb=0.25)
    s.play(
        "synth bass",
        "bass",
        s.bass_notes(s.pick("rrrrrrrrrrrrrrrr", "r-rr-rr-r-rr-rr-", "rr-rrr-rrr-rrr-t"), hold=0.8),
        lambda p, g: voices.reese(s.noise, p, g, cutoff_hz=1200, rate_hz=1.0),
        0.7,
    )
    if s.dna.random() < 0.5:
        s.play(
            "synth pad",
            "chords",
            s.chord_notes("x===============", most=3),
            _pad_patch(s, 1000),
            0.12,
        )
        s.track("synth pad", reverb=0.6)
