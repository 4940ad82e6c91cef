"""`sonoriff encode`, `decode` and `show`, on real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from rich.console import Console

from sonoriff.audio import loudness_lufs, read_audio, write_audio
from sonoriff.cli.main import main
from sonoriff.cli.terminal import picture_text
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram, load_picture, save_picture
from sonoriff.sonogram.picture import image_from_sonogram

RATE = 44100


def _sines(duration_s: float = 0.6, sample_rate: int = RATE) -> np.ndarray:
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    return np.stack(
        [0.4 * np.sin(2 * np.pi * 440 * time_s), 0.2 * np.sin(2 * np.pi * 1320 * time_s)]
    ).astype(np.float32)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    write_audio(tmp_path / "song.wav", _sines(), RATE)
    return tmp_path / "song.wav"


def _run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize("name", ["hifi", "riffusion-v1"])
def test_sound_to_picture_to_sound(song: Path, tmp_path: Path, name: str) -> None:
    picture, back = tmp_path / "p.png", tmp_path / "back.flac"
    assert _run("encode", song, "-o", picture, "--format", name, "--stereo") == 0
    sonogram = load_picture(picture)
    assert (sonogram.params.name, sonogram.n_channels) == (name, 2)
    assert sonogram.metadata["source"] == "song.wav"
    assert _run("decode", picture, "-o", back) == 0
    result, sample_rate = read_audio(back)
    assert result.shape == (2, sonogram.n_frames * sonogram.params.hop_length)
    # The loudness survives, and the channels are not exchanged.
    for channel, original in zip(result, _sines(), strict=True):
        assert loudness_lufs(channel[None], sample_rate) == pytest.approx(
            loudness_lufs(original[None], RATE), abs=1.5
        )


def test_the_picture_of_a_loop_gives_the_loop(tmp_path: Path) -> None:
    n_samples = 40 * HIFI.hop_length - 100
    values = np.random.default_rng(0).uniform(-60, -30, (1, 256, 40)).astype(np.float32)
    save_picture(tmp_path / "loop.png", Sonogram(values, HIFI, {"loop_samples": n_samples}))
    save_picture(tmp_path / "lie.png", Sonogram(values, HIFI, {"loop_samples": 10**12}))
    for name, wanted in (("loop", n_samples), ("lie", 40 * HIFI.hop_length)):
        assert _run("decode", tmp_path / f"{name}.png", "-o", tmp_path / f"{name}.wav") == 0
        sound, _ = read_audio(tmp_path / f"{name}.wav")
        assert sound.shape[1] == wanted


@pytest.mark.usefixtures("song")
def test_mono_is_the_default(tmp_path: Path) -> None:
    """Defect of Riffusion: batch pictures are stereo JPEGs, which its grey model never saw."""
    assert _run("encode", tmp_path, "-o", tmp_path / "out") == 0
    (picture,) = (tmp_path / "out").iterdir()
    assert picture.name == "song.png"
    assert load_picture(picture).n_channels == 1


@pytest.mark.parametrize("sample_rate", [48000, 22050, 8000])
def test_any_sample_rate_is_resampled(tmp_path: Path, sample_rate: int) -> None:
    """Defect of Riffusion: another sample rate is an AssertionError."""
    write_audio(tmp_path / "a.wav", _sines(0.3, sample_rate), sample_rate)
    assert _run("encode", tmp_path / "a.wav") == 0
    sonogram = load_picture(tmp_path / "a.png")
    assert sonogram.params == HIFI
    assert sonogram.n_frames == -(-13230 // HIFI.hop_length)
    loudest_row = int(sonogram.values[0].mean(axis=1).argmax())
    assert loudest_row == _row_of_440(tmp_path)


def _row_of_440(tmp_path: Path) -> int:
    write_audio(tmp_path / "reference.wav", _sines(0.3), RATE)
    assert _run("encode", tmp_path / "reference.wav", "--force") == 0
    return int(load_picture(tmp_path / "reference.png").values[0].mean(axis=1).argmax())


def test_512_columns_last_512_hops(tmp_path: Path) -> None:
    """Defect of Riffusion: 5120 ms become 513 columns, 512 columns last 5.11 s."""
    silence = np.zeros((1, round(5.12 * RATE)), np.float32)
    write_audio(tmp_path / "a.wav", silence, RATE)
    assert _run("encode", tmp_path / "a.wav", "--format", "riffusion-v1") == 0
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (512, 512)
    assert _run("decode", tmp_path / "a.png", "-o", tmp_path / "b.wav") == 0
    np.testing.assert_array_equal(read_audio(tmp_path / "b.wav")[0], silence)


def test_the_same_picture_gives_the_same_sound(song: Path, tmp_path: Path) -> None:
    """Defect of Riffusion: the phase starts from noise without a seed."""
    assert _run("encode", song, "-o", tmp_path / "p.png") == 0
    for name in ("a.wav", "b.wav"):
        assert _run("decode", tmp_path / "p.png", "-o", tmp_path / name, "--seed", "3") == 0
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_loudness_is_set_both_ways(song: Path, tmp_path: Path) -> None:
    assert _run("encode", song, "-o", tmp_path / "p.png", "--loudness", "-30") == 0
    assert _run("decode", tmp_path / "p.png", "-o", tmp_path / "a.wav") == 0
    assert loudness_lufs(*read_audio(tmp_path / "a.wav")) == pytest.approx(-30, abs=1.5)
    assert _run("decode", tmp_path / "p.png", "-o", tmp_path / "b.wav", "--loudness", "-16") == 0
    assert loudness_lufs(*read_audio(tmp_path / "b.wav")) == pytest.approx(-16, abs=0.1)


def test_a_part_is_encoded(song: Path, tmp_path: Path) -> None:
    assert (
        _run("encode", song, "--start", "0.1", "--duration", "0.2", "-o", tmp_path / "p.png") == 0
    )
    assert load_picture(tmp_path / "p.png").n_frames == -(-8820 // HIFI.hop_length)


def test_a_picture_without_loudness_is_turned_down_not_clipped(tmp_path: Path) -> None:
    """Defect of Riffusion: its post-filter clips. Without MAX_VALUE the scale is unknown."""
    values = np.zeros((1, 512, 20), np.float32)
    values[0, 60] = 1e5
    save_picture(tmp_path / "a.png", Sonogram(values, RIFFUSION_V1))
    assert _run("decode", tmp_path / "a.png", "-o", tmp_path / "a.wav") == 0
    assert np.abs(read_audio(tmp_path / "a.wav")[0]).max() == pytest.approx(0.891, abs=0.01)


@pytest.mark.parametrize("channels", [1, 8])
def test_odd_sounds_make_pictures(tmp_path: Path, channels: int) -> None:
    write_audio(tmp_path / "one.wav", np.full((channels, 1), 0.5, np.float32), RATE)
    assert _run("encode", tmp_path / "one.wav", "--stereo") == 0
    assert load_picture(tmp_path / "one.png").values.shape == (3, HIFI.n_mels, 1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["encode", "{}/missing.wav"], "there is no file"),
        (["encode", "{}/empty.wav"], "is empty"),
        (["encode", "{}/song.wav", "-o", "{}/song.gif"], "must end in .png"),
        (["encode", "{}/song.wav", "--max-seconds", "0.1"], "longer than 0.1 s"),
        (["encode", "{}/song.wav", "--start", "5"], "after the start"),
        (["encode", "{}/song.wav", "--format", "jpeg"], "--format"),
        (["encode", "{}/song.wav", "--loudness", "5"], "--loudness"),
        (["encode"], "INPUT"),
        (["decode", "{}/song.wav", "-o", "{}/x.wav"], "not a PNG or JPEG picture"),
        (["decode", "{}/photo.png"], "no sonogram"),
        (["decode", "{}/none*.png"], "no file matches"),
        (["show", "{}/photo.png"], "no sonogram"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    song: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    folder = song.parent
    (folder / "empty.wav").touch()
    Image.new("RGB", (64, 48), "teal").save(folder / "photo.png")
    before = sorted(folder.iterdir())
    assert main([argument.format(folder) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.startswith("sonoriff: ")
    assert error.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_a_failure_is_one_line_and_exit_code_1(
    song: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device", "song.png")

    monkeypatch.setattr("sonoriff.files.os.fsync", full_disk)
    assert _run("encode", song) == 1
    assert capsys.readouterr().err == "sonoriff: song.png: No space left on device\n"
    assert [p.name for p in song.parent.iterdir()] == ["song.wav"]


# Show.


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    values = np.linspace(-80, 10, 256 * 40, dtype=np.float32).reshape(1, 256, 40)
    facts = {"prompt": "price: $5 [bold]sax[/bold] 猫", "seed": 7}
    save_picture(tmp_path / "p.png", Sonogram(values, HIFI, facts))
    return tmp_path / "p.png"


def test_show_prints_the_facts(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("show", picture) == 0
    printed = capsys.readouterr().out
    rows = dict(line.split(maxsplit=1) for line in printed.splitlines() if " " in line.strip())
    assert rows["format"].strip() == "hifi"
    assert rows["columns"].strip() == "40"
    assert rows["seed"].strip() == "7"
    assert rows["prompt"].strip() == "price: $5 [bold]sax[/bold] 猫"


def test_show_prints_json(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Riffusion's print-exif, for programs."""
    assert _run("show", "--json", picture) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["format"], facts["channels"], facts["columns"]) == ("hifi", 1, 40)
    assert facts["duration_s"] == pytest.approx(40 * 512 / 44100, abs=1e-6)
    assert facts["metadata"]["seed"] == 7


def test_show_writes_axes(picture: Path) -> None:
    assert _run("show", picture, "-o", picture.with_name("axes.png")) == 0
    with Image.open(picture.with_name("axes.png")) as axes:
        assert axes.width > 1000
        assert len(axes.convert("RGB").getcolors(1 << 20) or []) > 100


def test_show_goes_on_after_a_failure(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (picture.parent / "a.png").write_text("no picture", encoding="utf-8")
    assert _run("show", "--json", picture.parent) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["file"] == str(picture)
    assert "a.png: not a PNG or JPEG picture" in printed.err


def test_the_small_picture_has_high_tones_on_top() -> None:
    values = np.full((1, 256, 40), -80, np.float32)
    values[0, :128, :20] = 0.0  # loud: low tones in the first half
    text = picture_text(Sonogram(values, HIFI), width=10, lines=4)
    assert [len(line) for line in text.plain.splitlines()] == [10] * 4
    bright, dark = "#fcfdbf", "#000004"
    styles = [str(span.style) for span in text.spans]
    assert styles[0] == styles[9] == f"{dark} on {dark}"
    assert styles[20] == styles[30] == f"{bright} on {bright}"
    assert styles[29] == styles[39] == f"{dark} on {dark}"


@pytest.mark.parametrize("shape", [(1, 256, 1), (2, 256, 3), (1, 256, 1000)])
def test_the_small_picture_fits_any_sonogram(shape: tuple[int, int, int]) -> None:
    values = np.random.default_rng(0).uniform(-80, 12, shape).astype(np.float32)
    console = Console(width=40, force_terminal=True, color_system="truecolor", record=True)
    with console.capture() as captured:
        console.print(picture_text(Sonogram(values, HIFI), width=39, lines=5))
    assert captured.get().count("\n") == 5


HOSTILE = "\x1b]0;title\x07\x1b[2J\u202egnp.exe\x9b31m\ud800"


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_show_does_nothing_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    """What a picture holds is somebody else's: escapes, turned writing, halves of characters."""
    values = np.zeros((1, 256, 4), np.float32)
    image = image_from_sonogram(Sonogram(values, HIFI, {"prompt": "x"}))
    facts = json.loads(image.info["sonoriff"])
    facts["metadata"] = {"prompt": HOSTILE, HOSTILE[:-1]: 1, "é 猫 🎷": "👩\u200d🎤"}
    text = PngImagePlugin.PngInfo()
    text.add_itxt("sonoriff", json.dumps(facts))
    image.save(tmp_path / "p.png", pnginfo=text)
    assert _run("show", *option, tmp_path / "p.png") == 0
    printed = capsys.readouterr().out
    assert not any(sign in printed for sign in "\x1b\x07\x9b\u202e\ud800")
    assert "é 猫 🎷" in printed
    if option:
        assert json.loads(printed)["metadata"]["prompt"] == HOSTILE


def test_names_of_files_do_nothing_to_the_terminal(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a\x1b[2J\u202e"
    song.rename(song.with_name(f"{name}.wav"))
    assert _run("encode", song.with_name(f"{name}.wav")) == 0
    assert _run("encode", song.with_name(f"{name} missing.wav")) == 2
    printed = capsys.readouterr()
    for said in (printed.out, printed.err):
        assert said
        assert not any(sign in said for sign in "\x1b\u202e")


def test_a_model_that_is_nested_without_end_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model_index.json").write_text("[" * 5000 + "]" * 5000)
    assert main(["generate", "x", "--model", str(tmp_path), "-o", str(tmp_path / "a.wav")]) in (
        1,
        2,
    )
    assert capsys.readouterr().err.count("\n") == 1
