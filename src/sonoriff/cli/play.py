"""`sonoriff play`: play a file or an endless riff."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli import painting, scenes
from sonoriff.errors import ParameterError, SonoriffError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sonoriff.stream.scene import Scene

_BLOCK = 4096
_WINDOWS_AHEAD = 2


class NoSpeakers(SonoriffError):
    """No audio output is available."""


@painting.with_options
def play(
    file: Annotated[
        Path | None, typer.Argument(help="Sound file or sonogram picture.", show_default=False)
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(help="Play an endless riff of this prompt; new prompts can be typed."),
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

    While it plays live, a line that is typed is the next prompt.
    """
    if (file is None) == (live is None):
        raise ParameterError('name a file, or --live "PROMPT"')
    if file is not None:
        _play_file(file)
    else:
        assert live is not None
        _play_live(options.scene(live), chosen)


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


def _play_live(scene: Scene, chosen: scenes.StreamModelOptions) -> None:
    """Play an endless riff; one thread makes windows ahead, another reads prompts."""
    from dataclasses import replace

    from sonoriff.stream.engine import RiffStream
    from sonoriff.stream.scene import Cue, SceneSchedule, WeightedPrompt

    loaded = chosen.load()
    stream = RiffStream(loaded)
    prompts: queue.SimpleQueue[str] = queue.SimpleQueue()
    made: queue.Queue[Any] = queue.Queue(_WINDOWS_AHEAD)
    with _speakers(loaded.params.sample_rate, 1) as speakers:

        def make() -> None:
            state, now = stream.start(SceneSchedule((Cue(scene),))), scene
            try:
                while True:
                    while not prompts.empty():
                        now = replace(now, prompts=(WeightedPrompt(prompts.get()),))
                        at = stream.next_sample(state)
                        state = state.with_schedule(state.schedule.with_scene(now, at))
                    _, samples, state = stream.next(state)
                    made.put(samples)
            except SonoriffError as error:
                made.put(error)

        threading.Thread(target=make, daemon=True).start()
        threading.Thread(target=_read_prompts, args=(prompts,), daemon=True).start()
        while True:
            samples = made.get()
            if isinstance(samples, SonoriffError):
                raise samples
            for start in range(0, samples.shape[1], _BLOCK):
                _sound(speakers, samples[:, start : start + _BLOCK])


def _read_prompts(prompts: queue.SimpleQueue[str]) -> None:
    import sys

    for line in sys.stdin:
        if line.strip():
            prompts.put(line.strip())
            typer.echo(f"next: {line.strip()}", err=True)


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
