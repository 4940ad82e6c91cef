"""The commands that make music, in this process, on a tiny model of random weights."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from sonoriff.audio import read_audio, write_audio
from sonoriff.cli.generate import reuse_in_name
from sonoriff.cli.main import main
from sonoriff.cli.painting import Kind, ModelOptions
from sonoriff.cli.scenes import StreamModelOptions
from sonoriff.models.small.model import SmallModel
from sonoriff.music import KINDS
from sonoriff.pipeline.clip import Clip
from sonoriff.server.config import ServerConfig
from sonoriff.sonogram.codec import encode

Run = Callable[..., int]


@pytest.fixture(scope="module")
def models(small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    small_model.save_pretrained(folder / "tiny", dtype="float32")
    return folder


@pytest.fixture
def run(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls the program in an empty folder; ``run("generate", ...)`` takes the tiny model."""
    monkeypatch.setenv("SONORIFF_MODELS", str(models))
    monkeypatch.chdir(tmp_path)

    def call(command: str, *arguments: object) -> int:
        chosen = [] if command == "models" else ["--model", "tiny", "--steps", "2"]
        return main([command, *map(str, arguments), *chosen])

    return call


@pytest.fixture
def song(tmp_path: Path) -> Path:
    waveform = np.random.default_rng(0).uniform(-0.1, 0.1, (1, 66_150)).astype(np.float32)
    write_audio(tmp_path / "song.wav", waveform, 44_100)
    return tmp_path / "song.wav"


def test_generate_writes_sound_and_picture(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("generate", "jazz", "--duration", 0.5, "--negative", "drums", "--seed", 5) == 0
    assert capsys.readouterr().out == "riff.wav and riff.png: 0.50 s\n"
    waveform, sample_rate = read_audio(tmp_path / "riff.wav")
    assert waveform.shape[1] == pytest.approx(0.5 * sample_rate, abs=512)
    settings = Clip.load(tmp_path / "riff.png").settings
    assert (settings["prompt"], settings["seed"], settings["model"]) == ("jazz", 5, "tiny")


def test_count_gives_the_seeds_that_follow(run: Run, tmp_path: Path) -> None:
    assert run("generate", "jazz", "--duration", 0.2, "--count", 2, "-o", "a.png") == 0
    seeds = {path.name: Clip.load(path).settings["seed"] for path in tmp_path.glob("*.png")}
    assert seeds == {"a-0.png": 0, "a-1.png": 1}


def test_a_riff_is_made_again_from_its_picture(run: Run, tmp_path: Path) -> None:
    assert run("generate", "jazz", "--duration", 0.3, "--seed", 4, "-o", "a.png") == 0
    assert run("generate", "--from", "a.png", "-o", "b.png") == 0
    assert run("generate", "--from", "a.png", "--seed", 5, "-o", "c.png") == 0
    a, b, c = (Clip.load(tmp_path / f"{name}.png").sonogram.values for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_what_a_riff_is_made_from_is_not_overwritten(
    run: Run, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("generate", "jazz", "-o", "riff.wav") == 0
    before = (tmp_path / "riff.png").read_bytes()
    assert run("generate", "--from", "riff.png", "--seed", 5) == 2
    assert run("remix", "riff.png", "funk", "-o", "riff.flac") == 2
    assert run("extend", song, "funk", "--duration", 9, "-o", song) == 2
    assert capsys.readouterr().err.count("would be overwritten") == 3
    assert (tmp_path / "riff.png").read_bytes() == before


def test_a_painted_mask_and_the_sounds_of_a_way_are_given_again(
    run: Run, song: Path, tmp_path: Path
) -> None:
    mask = Image.new("L", (encode(read_audio(song)[0], 44_100).n_frames, 256), 0)
    mask.paste(255, (10, 0, 40, 256))
    mask.save(tmp_path / "mask.png")
    assert run("inpaint", song, "drums", "--mask", "mask.png", "-o", "a.png") == 0
    assert run("generate", "--from", "a.png", "--source", song, "-o", "b.png") == 2
    again = ("--source", song, "--mask", "mask.png")
    assert run("generate", "--from", "a.png", *again, "-o", "b.png") == 0
    both = ("--source", song, "--source", "a.png")
    way = ("morph", "jazz", "funk", *both, "--clips", 3)
    assert run(*way, "-o", "c.png") == 0
    assert run("generate", "--from", "c.png", *both, "-o", "d.png") == 0
    for one, other in (("a.png", "b.png"), ("c.png", "d.png")):
        pair = [Clip.load(tmp_path / name).sonogram.values for name in (one, other)]
        assert np.array_equal(*pair)


def test_a_loop_has_whole_bars(run: Run, tmp_path: Path) -> None:
    options = ("--loop", "--bars", 1, "--bpm", 150, "--count", 2)
    assert run("generate", "funk", *options, "-o", "loop.wav") == 0
    waveform, sample_rate = read_audio(tmp_path / "loop-1.wav")
    assert waveform.shape[1] == round(4 * 60 / 150 * sample_rate)


def test_remix_inpaint_extend_and_morph(run: Run, song: Path, tmp_path: Path) -> None:
    Image.new("L", (129, 256), 255).save(tmp_path / "mask.png")
    assert run("remix", song, "organ", "--strength", 0.5, "-o", "remix.png") == 0
    inpainting = ("--time", "0.5:1", "--time", "0:0.1", "--band", "200:4000", "--edge", 0)
    assert run("inpaint", "remix.png", "sax", *inpainting, "-o", "inpaint.png") == 0
    assert run("extend", song, "--duration", 2, "--side", "start", "-o", "extend.png") == 0
    morphing = ("--clips", 3, "--seeds", "1:2", "--source", song, "--each")
    assert run("morph", "a", "b", *morphing, "-o", "morph.png") == 0
    verbs = {path.stem: Clip.load(path).settings.get("verb") for path in tmp_path.glob("*[!k].png")}
    assert verbs["remix"] == "remix"
    assert verbs["inpaint"] == "inpaint"
    assert verbs["extend"] == "extend"
    assert verbs["morph"] == verbs["morph-03"] == "morph"
    assert Clip.load(tmp_path / "extend.png").sonogram.duration_s == pytest.approx(2, abs=0.01)


def test_every_verb_takes_the_shared_options(run: Run, song: Path, tmp_path: Path) -> None:
    shared = (
        *("--bpm", 100, "--key", "A minor", "--energy", 4, "--chords", "Am:2 F", "--kind"),
        *("rendered", "--guidance", 2, "--guidance-interval", "0:0.9", "--sampler", "euler"),
        *("--negative", "drums", "--seed", 3),
    )
    verbs: dict[str, tuple[object, ...]] = {
        "generate": ("jazz", "--duration", 0.3),
        "remix": (song, "jazz"),
        "inpaint": (song, "jazz", "--time", "0:0.5"),
        "extend": (song, "jazz", "--duration", 2),
        "morph": ("jazz", "funk", "--clips", 3),
    }
    for verb, own in verbs.items():
        assert run(verb, *own, *shared, "-o", f"{verb}.png") == 0
        settings = Clip.load(tmp_path / f"{verb}.png").settings
        assert {name: settings[name] for name in _SHARED} == _SHARED, verb


_SHARED = {
    "bpm": 100.0,
    "key": "A minor",
    "energy": 4,
    "chords": "Am:2 F",
    "kind": "rendered",
    "guidance_scale": 2.0,
    "guidance_interval": [0.0, 0.9],
    "sampler": "euler",
    "negative_prompt": "drums",
    "seed": 3,
    "num_inference_steps": 2,
}


def test_the_device_is_chosen_by_itself_unless_it_is_named() -> None:
    assert ModelOptions().device == StreamModelOptions().device == ServerConfig().devices[0]
    assert ModelOptions().device == "auto"


def test_kinds_are_those_of_the_settings() -> None:
    literal, *_ = get_args(get_args(Kind)[0])
    assert set(get_args(literal)) == set(KINDS)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["generate", "a", "--chords", "Am X"], "'X' is no chord"),
        (["remix", "song.wav", "a", "--chords", "Am:0"], "how many bars"),
        (["extend", "song.wav", "a", "--chords", " "], "one chord or more"),
        (["morph", "a", "b", "--energy", "6"], "--energy"),
        (["inpaint", "song.wav", "a", "--time", "0:1", "--energy", "loud"], "--energy"),
        (["generate", "a", "--kind", "real"], "'recorded', 'synthesised', 'rendered'"),
        (["generate"], "say what to hear"),
        (["generate", "a", "-o", "riff.doc"], "must end in"),
        (["generate", "a", "-o", "none/riff.wav"], "does not exist"),
        (["generate", "a", "--duration", "9999"], "duration"),
        (["generate", "a", "--bars", "4"], "--loop"),
        (["generate", "a", "--loop", "--duration", "4"], "--bars"),
        (["generate", "a", "--sampler", "magic"], "sampler"),
        (["generate", "--from", "none.png"], "no file"),
        (["generate", "jazz", "--source", "song.wav"], "are for --from"),
        (["generate", "jazz", "--seed", str(2**63 - 1), "--count", "2"], "seed must be"),
        (["inpaint", "song.wav", "jazz", "--time", "0:inf"], "START:END"),
        (["generate", "(a:99)"], "weight"),
        (["generate", "a", "--lora", "none"], "no LoRA"),
        (["remix", "none.wav", "a"], "no file"),
        (["remix", "song.wav", "a", "--strength", "1.5"], "strength"),
        (["inpaint", "song.wav", "a"], "say what to paint"),
        (["inpaint", "song.wav", "a", "--time", "2"], "A:B"),
        (["inpaint", "song.wav", "a", "--band", "1:99999"], "half the sample rate"),
        (["extend", "song.wav", "a", "--duration", "1"], "longer"),
        (["morph", "a"], "two points"),
        (["morph", "a", "b", "--seeds", "1:2:3"], "do not go with"),
        (["morph", "a", "b", "--seeds", "x:y"], "whole numbers"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    run: Run,
    song: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    what: str,
) -> None:
    assert song.exists()
    before = sorted(song.parent.iterdir())
    assert run(*arguments) == 2
    printed = capsys.readouterr().err
    assert what in printed
    assert printed.count("\n") == 1
    assert sorted(song.parent.iterdir()) == before


def test_a_missing_model_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0
    assert main(["generate", "a", "--model", "no-such-model"]) == 1
    assert "sonoriff models" in capsys.readouterr().err


def test_models_are_listed(run: Run, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("tiny ")]
    assert line.split()[1:3] == ["small", "local"]
    assert line.endswith(str(models / "tiny"))


def test_models_convert(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "old.ckpt")
    assert run("models", "convert", "old.ckpt", "-o", "new.safetensors") == 0
    assert capsys.readouterr().out == "new.safetensors\n"
    assert (tmp_path / "new.safetensors").is_file()


def test_ctrl_c_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sonoriff.models.small.onnx.networks import OnnxNetworks

    velocity = OnnxNetworks.velocity

    def interrupted(self: OnnxNetworks, *args: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return velocity(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(OnnxNetworks, "velocity", interrupted)
    assert run("generate", "jazz", "--duration", 0.2) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("made_by", "reuse"), [("riffs", 1), ("riffs + organ:0.5 + reuse:3", 3), ("reuse:2", 1)]
)
def test_a_picture_says_how_often_its_layers_were_computed(made_by: str, reuse: int) -> None:
    assert reuse_in_name(made_by) == reuse


def test_guidance_may_act_in_an_interval(run: Run) -> None:
    assert run("generate", "jazz", "-o", "a.png", "--duration", 0.3) == 0
    interval = ("--guidance-interval", "0:0.6")
    assert run("generate", "jazz", "-o", "b.png", "--duration", 0.3, *interval) == 0
    a, b = Clip.load("a.png"), Clip.load("b.png")
    assert b.settings["guidance_interval"] == [0.0, 0.6]
    assert not np.array_equal(a.sonogram.values, b.sonogram.values)
    assert run("generate", "--from", "b.png", "-o", "c.png") == 0
    np.testing.assert_array_equal(Clip.load("c.png").sonogram.values, b.sonogram.values)
    assert run("generate", "jazz", "--guidance-interval", "0.6") == 2
    assert run("generate", "jazz", "--reuse", 2) == 2
    assert run("generate", "jazz", "--style", "none.safetensors") == 2


def test_morph_inverts_sounds(run: Run) -> None:
    for name, tone in (("a", 300), ("b", 500)):
        t = np.arange(13_000) / 44_100
        write_audio(
            f"{name}.wav", 0.2 * np.sin(2 * np.pi * tone * t)[None].astype(np.float32), 44_100
        )
    sounds = ("--source", "a.wav", "--source", "b.wav", "--invert")
    assert run("morph", "", *sounds, "--clips", 3, "-o", "way.png") == 0
    assert Clip.load("way.png").settings["inverted"] is True
    assert run("morph", "a", "b", "--invert") == 2
