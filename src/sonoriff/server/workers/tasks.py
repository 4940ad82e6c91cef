"""The tasks of a worker: windows of streams, and riffs."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sonoriff.audio import audio_bytes, audio_info, read_audio
from sonoriff.errors import FormatError, ParameterError, SonoriffError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.analyse import analyse, labels_from_analysis, midi_from_analysis
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.morph import Morph
from sonoriff.pipeline.prediction import OnMember
from sonoriff.pipeline.riffusion import InferenceInput, riffuse
from sonoriff.pipeline.settings import OnProgress
from sonoriff.pipeline.sound_file import attributes_of_settings, sound_bytes
from sonoriff.pipeline.source import sonogram_from_source
from sonoriff.pipeline.verbs import VERBS
from sonoriff.server.workers import song_task
from sonoriff.server.workers.ipc import Message
from sonoriff.server.workers.replies import ModelInfo, WindowMessage
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.picture import (
    check_work,
    image_from_sonogram,
    load_picture,
    opaque,
    png_bytes,
    upright,
)
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.stream.engine import Made, RiffState, RiffStream, Window
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt
from sonoriff.stream.stored import bytes_from_state, state_from_bytes

StillWanted = Callable[[], None]
_Task = Callable[[dict[str, Any], list[bytes], OnProgress], Message]
_WARM_WINDOWS = 2
# Prefix of upload folders, by which paths in error messages are recognised.
_PREFIX = "sonoriff-"
_PATH = re.compile(rf"[^\s'\"]*[/\\]{_PREFIX}[^\s'\":,]*")
# Limits of an uploaded sound: channels, and samples per second of all channels: 192 kHz in stereo,
# 48 kHz in eight channels. Silence of 655 kHz in eight channels is half a megabyte of FLAC and
# 2.5 GB of memory; a thousand channels at 100 Hz are small until they are resampled.
_MAX_CHANNELS, _MAX_SAMPLES_PER_S = 8, 384_000
# Columns of an uploaded picture times its n_fft: 120 s of riffusion-v1 in stereo.
_MAX_WORK = 1 << 29
_PICTURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}


class Tasks:
    """Runs tasks on a model. Every task is a pure function of its message.

    Parameters
    ----------
    max_pixels, max_source_s : limits of uploads
    folder : for uploads while they are read; None is the system's temporary folder
    """

    def __init__(
        self, model: Model, *, max_pixels: int, max_source_s: float, folder: str | None = None
    ) -> None:
        self.model, self._folder = model, folder
        self._stream = RiffStream(model)
        self._still_wanted: StillWanted = lambda: None
        self._max_pixels, self._max_source_s = max_pixels, max_source_s
        self._tasks: dict[str, _Task] = {
            "window": self.window,
            "cut": self.cut,
            "riff": self.riff,
            "song": self.song,
            "riffuse": self.riffuse,
            "analyse": self.analyse,
        }

    def model_info(self) -> ModelInfo:
        """Properties of the model that the server needs."""
        params, stream = self.model.params, self._stream
        return ModelInfo(
            model=self.model.name,
            weights=getattr(self.model, "weights", ""),
            sample_rate=params.sample_rate,
            channels=2 if self.model.stereo else 1,
            hop_length=params.hop_length,
            n_mels=params.n_mels,
            f_min_hz=params.f_min,
            f_max_hz=params.f_max,
            db_min=params.db_min,
            db_max=params.db_max,
            params=params.to_dict(),
            window_samples=self.model.window_frames * params.hop_length,
            cell_samples=stream.cell_samples,
            lag_samples=stream.lag_samples,
            context_samples=stream.context_samples,
            column_lead=stream.column_lead,
        )

    def warm_up(self, on_progress: Callable[[float], None]) -> None:
        """Run everything that streams use once, so that no listener waits for one-time costs.

        Parameters
        ----------
        on_progress : called with the progress, 0 to 1
        """
        scene = Scene(prompts=(WeightedPrompt("music, 120 bpm"),), num_inference_steps=2)
        schedule, before = SceneSchedule((Cue(scene),)), b""
        for i in range(_WARM_WINDOWS):
            header, (_, _, after, _) = self.window(
                {"schedule": schedule.to_dict()}, [before], lambda _step, _steps: None
            )
            on_progress((i + 1) / (_WARM_WINDOWS + 1))
            if i + 1 < _WARM_WINDOWS:
                before = after
        end = header["window"]["first_sample"] + 9 * self._stream.cell_samples
        self.cut({"end_sample": end}, [before, after], lambda _step, _steps: None)

    def run(
        self,
        header: dict[str, Any],
        blobs: list[bytes],
        on_progress: OnProgress,
        still_wanted: StillWanted = lambda: None,
    ) -> Message:
        """Run the task named by ``header["task"]``.

        Parameters
        ----------
        on_progress : called after each step; an exception stops the work
        still_wanted : called between stages without steps; an exception stops the work
        """
        before, self._still_wanted = self._still_wanted, still_wanted
        try:
            return self._tasks[header["task"]](header, blobs, on_progress)
        except SonoriffError as error:
            raise type(error)(_PATH.sub("the source", str(error))) from error
        finally:
            self._still_wanted = before

    def window(
        self, header: dict[str, Any], blobs: list[bytes], on_progress: OnProgress
    ) -> Message:
        """Make the next window of a stream from its previous state, or from none at the start."""
        before = self._before(header, blobs)
        return self._reply(before, self._stream.next(before, on_progress=on_progress))

    def windows(
        self, messages: Sequence[Message], on_progress: OnMember
    ) -> Iterator[tuple[int, Message]]:
        """Make the next windows of several streams in a batch; yields index and reply."""
        before = [self._before(header, blobs) for header, blobs in messages]
        for place, made in self._stream.next_together(before, on_progress=on_progress):
            yield place, self._reply(before[place], made)

    def cut(self, header: dict[str, Any], blobs: list[bytes], on_progress: OnProgress) -> Message:  # noqa: ARG002
        """Cut a window short, from the states before and after it."""
        before = self._state(blobs[0], SceneSchedule())
        after = state_from_bytes(blobs[1], self.model)
        n_cells = header["end_sample"] // self._stream.cell_samples
        return self._reply(before, self._stream.cut(before, after, n_cells))

    def _before(self, header: dict[str, Any], blobs: list[bytes]) -> RiffState:
        return self._state(blobs[0], SceneSchedule.from_dict(header["schedule"]))

    def _state(self, data: bytes, schedule: SceneSchedule) -> RiffState:
        if not data:
            return self._stream.start(schedule)
        return state_from_bytes(data, self.model).with_schedule(schedule)

    def _reply(self, before: RiffState, made: Made) -> Message:
        columns, samples, after = made
        assert after.window is not None
        reply = {
            "window": _window_message(after.window).to_dict(),
            "first_column": before.n_columns,
            "n_columns": columns.shape[2],
            "first_sample": before.n_samples,
            "n_samples": samples.shape[1],
        }
        # Of two channels the middle is heard of, and left and right are for pictures.
        shown, sides = self._column_bytes(columns[-1:]), self._column_bytes(columns[:-1])
        return reply, [shown, _sound_bytes(samples), bytes_from_state(after), sides]

    def _column_bytes(self, planes: np.ndarray[Any, np.dtype[np.float32]]) -> bytes:
        """Encode values (P, M, n) as uint8, column by column, the planes of each in turn."""
        params = self.model.params
        level = (planes - params.db_min) / (params.db_max - params.db_min)
        levels = np.rint(np.clip(level, 0.0, 1.0) * 255.0).astype(np.uint8)
        return bytes(levels.transpose(2, 0, 1).tobytes())

    def riff(self, header: dict[str, Any], blobs: list[bytes], on_progress: OnProgress) -> Message:
        """Make a riff with any verb; returns its picture and its sound as FLAC."""
        verb, settings = header["verb"], dict(header["settings"])
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self._folder) as folder:
            source = None
            if header.get("has_source"):
                source = self._source(blobs[0], Path(folder))
            if header.get("has_mask"):
                assert source is not None
                settings["mask"] = self._mask(blobs[1], source, Path(folder))
            self._still_wanted()
            clip = self._made(verb, settings, source, on_progress)
        self._still_wanted()
        facts = {
            "duration_s": clip.waveform.shape[1] / clip.sample_rate,
            "attributes": attributes_of_settings(clip.settings),
        }
        self._still_wanted()
        flac = sound_bytes(".flac", clip.waveform, clip.sonogram, bits="24")
        self._still_wanted()
        return facts, [png_bytes(clip.sonogram), flac]

    def song(self, header: dict[str, Any], blobs: list[bytes], on_progress: OnProgress) -> Message:  # noqa: ARG002
        """Render the plan of a song; returns what a riff does."""
        return song_task.render(self.model, header["settings"], self._folder, on_progress)

    def _made(
        self, name: str, values: dict[str, Any], source: Sonogram | None, on_progress: OnProgress
    ) -> Clip:
        verb = VERBS[name]
        settings = verb.settings_class.from_dict(values)
        sources = [] if source is None else [source]
        made = verb.run(self.model, settings, sources, on_progress=on_progress)
        return made.joined if isinstance(made, Morph) else made

    def _source(self, data: bytes, folder: Path) -> Sonogram:
        """Sonogram of an uploaded picture or sound."""
        suffix = next((s for magic, s in _PICTURES.items() if data.startswith(magic)), ".sound")
        path = folder / f"source{suffix}"
        path.write_bytes(data)
        try:
            return self._read_source(path, is_sound=suffix == ".sound")
        except SonoriffError as error:
            raise type(error)(str(error).replace(str(path), "the source")) from error

    def _read_source(self, path: Path, *, is_sound: bool) -> Sonogram:
        if is_sound:
            waveform, rate = self._read_sound(path)
            return encode(waveform, rate, self.model.params)
        self._check_pixels(path)
        picture = load_picture(path)
        check_work(picture.n_frames * picture.n_channels, picture.params, _MAX_WORK)
        self._check_length(picture)
        self._still_wanted()
        return sonogram_from_source(self.model, picture, still_wanted=self._still_wanted)

    def _read_sound(self, path: Path) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]:
        """An uploaded sound, of one or two channels, and its rate."""
        _check_density(path)
        read = read_audio(path, max_seconds=self._max_source_s, max_channels=2)
        self._still_wanted()
        return read

    def _check_length(self, sonogram: Sonogram) -> None:
        if sonogram.duration_s > self._max_source_s:
            raise ParameterError(
                f"the source lasts {sonogram.duration_s:.1f} s, at most {self._max_source_s:g} s "
                "are taken: cut it first"
            )

    def _check_pixels(self, path: Path) -> tuple[int, int]:
        """Size of a picture from its header; raises FormatError if it is invalid or too large."""
        try:
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                size: tuple[int, int] = image.size
        except (OSError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
            raise FormatError("the picture cannot be read: send a PNG or JPEG file") from error
        if size[0] * size[1] > self._max_pixels:
            raise FormatError(
                f"the picture has {size[0]} x {size[1]} pixels, at most {self._max_pixels} "
                "are taken"
            )
        return size

    def _mask(self, data: bytes, source: Sonogram, folder: Path) -> str:
        """Stretch a mask of any size over the sonogram; returns the path of its file."""
        path = folder / "mask"
        path.write_bytes(data)
        self._check_pixels(path)
        try:
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                size = (source.n_frames, source.params.n_mels)
                grey = opaque(upright(image), 0).convert("L")
                stretched = grey.resize(size, Image.Resampling.NEAREST)
        except (OSError, ValueError, SyntaxError) as error:
            raise FormatError("the mask is damaged: send a PNG or JPEG file") from error
        target = folder / "mask.png"
        stretched.save(target)
        return str(target)

    def analyse(
        self,
        header: dict[str, Any],
        blobs: list[bytes],
        on_progress: OnProgress,  # noqa: ARG002
    ) -> Message:
        """What is heard in a sound, as JSON, labels, or MIDI."""
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self._folder) as folder:
            path = Path(folder) / "source.sound"
            path.write_bytes(blobs[0])
            waveform, rate = self._read_sound(path)
        found = analyse(waveform, rate)
        if header["format"] == "labels":
            return {}, [labels_from_analysis(found).encode()]
        if header["format"] == "midi":
            return {}, [midi_from_analysis(found)]
        return {"analysis": found.to_dict()}, []

    def riffuse(
        self, header: dict[str, Any], blobs: list[bytes], on_progress: OnProgress
    ) -> Message:
        """Riffusion's call: a JPEG picture and MP3 sound."""
        inputs = InferenceInput.from_dict(header["inputs"])
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self._folder) as folder:
            source = self._source(blobs[0], Path(folder))
            mask = Path(folder) / "mask"
            mask.write_bytes(blobs[1])
            if blobs[1]:
                self._check_pixels(mask)
                with Image.open(mask, formats=("PNG", "JPEG")) as image:
                    clip = riffuse(self.model, inputs, source, image, on_progress=on_progress)
            else:
                clip = riffuse(self.model, inputs, source, on_progress=on_progress)
            picture = Path(folder) / "riff.jpg"
            image_from_sonogram(clip.sonogram).convert("RGB").save(picture, quality=95)
            jpeg = picture.read_bytes()
        mp3 = audio_bytes(clip.waveform, clip.sample_rate, ".mp3")
        return {"duration_s": clip.waveform.shape[1] / clip.sample_rate}, [jpeg, mp3]


def _check_density(path: Path) -> None:
    """Raise FormatError if a sound has too many channels or samples per second."""
    info = audio_info(path)
    # More than two channels are downmixed while reading.
    dense = info.sample_rate * min(info.n_channels, 2) > _MAX_SAMPLES_PER_S
    if info.n_channels > _MAX_CHANNELS or dense:
        raise FormatError(
            f"the source has {info.n_channels} channels at {info.sample_rate} Hz, at most "
            f"{_MAX_CHANNELS} channels and {_MAX_SAMPLES_PER_S} samples a second are taken: "
            "resample or mix it first"
        )


def _sound_bytes(samples: np.ndarray[Any, np.dtype[np.float32]]) -> bytes:
    """float32 (C, t) as int16, interleaved, little-endian."""
    return bytes(np.rint(np.clip(samples.T, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def _window_message(window: Window) -> WindowMessage:
    scene = window.scene
    return WindowMessage(
        index=window.index,
        first_sample=window.first_sample,
        end_sample=window.end_sample,
        mode=scene.mode,
        prompts=[{"text": p.text, "weight": p.weight} for p in window.prompts],
        negative_prompt=scene.negative_prompt,
        seed=window.seed,
        alpha=window.alpha,
        bpm=window.bpm,
        key=window.key,
        strength=scene.strength,
        bar=window.bar,
        first_bar_sample=window.first_bar_sample,
        scene=scene.to_dict(),
    )
