"""`sonoriff play`: play a file or an endless riff."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli import painting, scenes
from sonoriff.errors import ParameterError, SonoriffError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sonoriff.stream.controls import MidiMap, Steering

_BLOCK = 4096
_WINDOWS_AHEAD = 2


class NoSpeakers(SonoriffError):
    """No audio output is available."""


class NoController(SonoriffError):
    """MIDI cannot be listened to."""


@painting.with_options
def play(
    file: Annotated[
        Path | None, typer.Argument(help="Sound file or sonogram picture.", show_default=False)
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(help="Play an endless riff of this prompt; new prompts can be typed."),
    ] = None,
    osc: Annotated[
        int | None,
        typer.Option(
            help="Listen for OSC on this UDP port.",
            min=1,
            max=65535,
            metavar="PORT",
        ),
    ] = None,
    midi: Annotated[
        str | None,
        typer.Option(help="Listen to this MIDI input, by the start of its name.", metavar="NAME"),
    ] = None,
    knob: Annotated[
        list[str] | None,
        typer.Option(
            help="What a knob moves: bpm, blend, strength, walk, morph_bars or volume.",
            metavar="CHANNEL/NUMBER=NAME",
        ),
    ] = None,
    pad: Annotated[
        list[str] | None,
        typer.Option(help="What a pad plays.", metavar="CHANNEL/NOTE=PROMPT"),
    ] = None,
    *,
    options: scenes.SceneOptions,
    chosen: scenes.StreamModelOptions,
) -> None:
    """Play a file, or music without end, until Ctrl-C.

    \b
    Examples:
      sonoriff play riff.png
      sonoriff play --live "deep house, 122 bpm"
      sonoriff play --live "slow piano" --mode riff --bpm 80
      sonoriff play --live "dub" --osc 9000
      sonoriff play --live "dub" --midi "Pad Kontrol" --knob 0/21=bpm --pad 9/36="church bells"

    While it plays live, a line that is typed is the next prompt.
    """
    if (file is None) == (live is None):
        raise ParameterError('name a file, or --live "PROMPT"')
    if file is not None:
        _play_file(file)
        return
    assert live is not None
    from sonoriff.stream.controls import MidiMap, Steering

    steering = Steering(options.scene(live))
    bound = MidiMap(_pairs(knob, "--knob"), _pairs(pad, "--pad"))
    with ExitStack() as listeners:
        if osc is not None:
            listeners.enter_context(_osc_listener(osc, steering))
        if midi is not None:
            listeners.enter_context(_midi_listener(midi, bound, steering))
        elif bound.knobs or bound.pads:
            raise ParameterError("knobs and pads are of a controller: name it with --midi")
        _play_live(steering, chosen)


def _play_file(path: Path) -> None:
    from sonoriff.pipeline.source import is_picture

    if is_picture(path):
        from sonoriff.pipeline.clip import Clip

        clip = Clip.load(path)
        waveform, rate = clip.waveform, clip.sample_rate
    else:
        from sonoriff.audio import read_audio

        waveform, rate = read_audio(path, max_channels=2)
    with _speakers(rate, len(waveform)) as speakers:
        for start in range(0, waveform.shape[1], _BLOCK):
            _sound(speakers, waveform[:, start : start + _BLOCK])


def _play_live(steering: Steering, chosen: scenes.StreamModelOptions) -> None:
    """Play an endless riff; one thread makes windows ahead, another reads prompts."""
    from sonoriff.stream.engine import RiffStream
    from sonoriff.stream.scene import Cue, SceneSchedule

    loaded = chosen.load()
    stream = RiffStream(loaded)
    made: queue.Queue[Any] = queue.Queue(_WINDOWS_AHEAD)
    with _speakers(loaded.params.sample_rate, 1) as speakers:

        def make() -> None:
            now = steering.scene
            state = stream.start(SceneSchedule((Cue(now),)))
            try:
                while True:
                    if steering.scene != now:
                        now, at = steering.scene, stream.next_sample(state)
                        state = state.with_schedule(state.schedule.with_scene(now, at))
                    _, samples, state = stream.next(state)
                    made.put(samples)
            except SonoriffError as error:
                made.put(error)

        threading.Thread(target=make, daemon=True).start()
        threading.Thread(target=_read_prompts, args=(steering,), daemon=True).start()
        while True:
            samples = made.get()
            if isinstance(samples, SonoriffError):
                raise samples
            for start in range(0, samples.shape[1], _BLOCK):
                _sound(speakers, steering.volume * samples[:, start : start + _BLOCK])


def _read_prompts(steering: Steering) -> None:
    import sys

    for line in sys.stdin:
        if line.strip():
            steering.set("prompt", line.strip())
            typer.echo(f"next: {line.strip()}", err=True)


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """Options ``ID=WHAT``, by id."""
    found = {}
    for text in texts or ():
        name, sign, what = text.partition("=")
        if not sign or not re.fullmatch(r"\d{1,2}/\d{1,3}", name):
            raise ParameterError(f"{option} is CHANNEL/NUMBER=WHAT, like 0/21=bpm, got {text!r}")
        found[name] = what
    return found


@contextmanager
def _osc_listener(port: int, steering: Steering) -> Iterator[None]:
    """Obey OSC messages to a port of this machine."""
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import ThreadingOSCUDPServer

    from sonoriff.stream.controls import handle_osc

    dispatcher = Dispatcher()
    dispatcher.set_default_handler(handle_osc(steering, _complain))
    try:
        server = ThreadingOSCUDPServer(("127.0.0.1", port), dispatcher)
    except OSError as error:
        raise ParameterError(f"cannot listen on UDP port {port}: {error.strerror}") from error
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _midi_listener(name: str, bound: MidiMap, steering: Steering) -> Iterator[None]:
    """Obey the knobs and pads of a MIDI input."""
    import mido
    from rtmidi import RtMidiError

    try:
        names = mido.get_input_names()
    except RtMidiError as error:
        raise NoController(f"cannot listen to MIDI on this machine: {error}") from error
    found = [one for one in names if one.lower().startswith(name.lower())]
    if not found:
        there = ", ".join(names) or "none is plugged in"
        raise ParameterError(f"there is no MIDI input {name!r}: {there}")

    def received(message: Any) -> None:
        control = bound.control_of(message)
        try:
            if control is not None:
                steering.set(*control)
        except ParameterError as error:
            _complain(str(error))

    with mido.open_input(found[0], callback=received):
        yield


def _complain(line: str) -> None:
    from sonoriff.cli.plain import plain

    typer.echo(plain(line), err=True)


def _speakers(sample_rate: int, channels: int) -> Any:
    """Open the audio output; raises NoSpeakers if there is none."""
    hint = "write a file instead: sonoriff generate or sonoriff stream, with -o"
    try:
        import sounddevice
    except OSError as error:
        raise NoSpeakers(
            f"cannot play: PortAudio is missing (Debian: apt install libportaudio2); or {hint}"
        ) from error
    try:
        return sounddevice.OutputStream(sample_rate, channels=channels, dtype="float32")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise NoSpeakers(f"cannot play: this machine has no speakers ({error}); {hint}") from error


def _sound(speakers: Any, waveform: npt.NDArray[np.float32]) -> None:
    import numpy as np

    speakers.write(np.ascontiguousarray(waveform.T))
