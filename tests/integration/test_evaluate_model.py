"""The evaluation from corpus to table, on a tiny model and a corpus made here."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from sonoriff.cli.main import main
from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges import musicnn
from sonoriff.evaluation.judges.classifier_training import ClassifierConfig
from sonoriff.evaluation.model.evaluate import EvaluationSettings, evaluate_model
from sonoriff.evaluation.model.sheet import sheet_settings, write_sheet
from sonoriff.evaluation.model.table import LINES, Table
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.small.torch.networks import TorchNetworks
from sonoriff.pipeline.generate import GenerateSettings
from sonoriff.training.data.caches import pictures_folder
from sonoriff.training.data.pictures import (
    CLIP_SAMPLES,
    PictureSet,
    load_pictures,
    prepare_pictures,
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("musicnn") is None, reason=f"needs {musicnn.INSTALL}"
)
RATE = 44_100
SAMPLING = GenerateSettings(prompt="", num_inference_steps=1, guidance_scale=1.0, duration_s=3.2)
SETTINGS = EvaluationSettings(
    n_prompts=10,
    sampling=SAMPLING,
    classifier=ClassifierConfig(steps=1, fewest_clips=3),
    n_seed_prompts=1,
)


def tiny_model() -> SmallModel:
    torch.manual_seed(0)
    coder = SonogramAutoencoder(
        AutoencoderConfig(
            latent_channels=4,
            widths=(8, 8, 8),
            encoder_blocks=(1, 1, 1),
            decoder_blocks=(1, 1, 1),
            strides=((4, 2), (2, 1)),
        )
    )
    denoiser = Denoiser(DenoiserConfig(latent_channels=4, grid_width=8, width=64, depth=1, heads=1))
    return SmallModel(TorchNetworks(coder.eval(), denoiser.eval()), {"name": "tiny"})


def clip(number: int) -> np.ndarray:
    """A beat or an organ chord, each of another tempo or key."""
    time = np.arange(CLIP_SAMPLES) / RATE
    if number % 2:
        beat = 60.0 / (100 + number % 40)
        sound = np.sin(2 * np.pi * 60 * time) * np.exp(-15 * (time % beat))
    else:
        pitches = 130.8 * 2 ** (number % 12 / 12) * np.array([1, 1.26, 1.5])
        sound = np.sin(2 * np.pi * pitches[:, None] * time).sum(axis=0) / 4
    return np.asarray(0.4 * sound, np.float32)


def write_corpus(folder: Path, splits: str) -> None:
    """One clip a letter of `splits`: t(rain), v(alidation), e(valuation)."""
    (folder / "audio" / "00000").mkdir(parents=True)
    lines = []
    for i, letter in enumerate(splits):
        name = f"audio/00000/{i:08d}.flac"
        soundfile.write(folder / name, clip(i), RATE)
        genre, player = ("techno", "drums") if i % 2 else ("ambient", "organ")
        said = f"{100 + i % 40} bpm" if i % 2 else "in C major"
        captions = [f"{genre} with {player}, {said}"]
        facts = {"genre": genre, "instruments": [player], "bpm": 100.0 + i % 40}
        split = {"t": "train", "v": "validation", "e": "test"}[letter]
        entry: dict[str, Any] = {"file_name": name, "captions": captions, "facts": facts}
        lines.append(json.dumps({**entry, "split": split, "source": str(i), "piece": f"p{i}"}))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PictureSet]:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, 10 * "t" + 10 * "v" + 22 * "e")
    prepare_pictures(folder, folder / "pictures")
    return folder, load_pictures([folder / "pictures"])


@pytest.fixture(scope="module")
def evaluated(corpus: tuple[Path, PictureSet]) -> tuple[Table, list[str]]:
    told: list[str] = []
    folder, pictures = corpus
    table = evaluate_model(
        *(tiny_model(), folder, pictures, folder / "work", SETTINGS),
        on_clip=lambda row, done, total: told.append(f"{row} {done}/{total}"),
    )
    return table, told


def test_every_row_has_every_figure_that_applies(evaluated: tuple[Table, list[str]]) -> None:
    table, told = evaluated
    assert list(table.rows) == ["real", "ceiling", "model"]
    for name, figures in table.rows.items():
        missing = {line.name for line in LINES} - set(figures)
        untimed = {"seconds_per_clip", "times_real_time"} if name == "real" else set()
        assert missing == untimed | ({"autoencoder_db"} if name != "ceiling" else set())
        assert np.isfinite([figures[k] for k in ("fad_MTT", "kad_MSD", "agreement", "tempo")]).all()
    assert "model 10/10" in told
    assert "seeds 4/4" in told
    assert table.facts["tested_clips"] == 10
    assert table.facts["model"]["name"] == "tiny"
    asked = table.facts["sampling"]
    assert (asked["num_inference_steps"], asked["guidance_scale"]) == (1, 1.0)
    assert (asked["sampler"], asked["shift"]) == ("ab2", 2.0), "the model's own"


def test_real_clips_are_nearer_to_real_clips_than_noise_is(
    evaluated: tuple[Table, list[str]],
) -> None:
    rows = evaluated[0].rows
    for figure in ("fad_MTT", "fad_MSD", "kad_MTT", "kad_MSD"):
        assert rows["real"][figure] < rows["model"][figure]
    assert rows["model"]["fad_MTT_of_ceiling"] == pytest.approx(
        rows["model"]["fad_MTT"] / rows["ceiling"]["fad_MTT"]
    )
    assert rows["real"]["copies"] <= 10.0
    # An autoencoder that was never taught is far off; 92 dB is the whole range.
    assert 5.0 < rows["ceiling"]["autoencoder_db"] < 92.0
    assert rows["real"]["tempo"] == 100.0


def test_a_second_run_takes_what_is_there_and_says_the_same(
    corpus: tuple[Path, PictureSet], evaluated: tuple[Table, list[str]]
) -> None:
    folder, pictures = corpus
    work = folder / "work"
    before = {p: p.stat().st_mtime_ns for p in work.rglob("*.npz")}
    again = evaluate_model(tiny_model(), folder, pictures, work, SETTINGS)
    assert again.to_json() == evaluated[0].to_json()
    assert {p: p.stat().st_mtime_ns for p in work.rglob("*.npz")} == before


def test_another_guidance_is_another_row(
    corpus: tuple[Path, PictureSet], evaluated: tuple[Table, list[str]]
) -> None:
    folder, pictures = corpus
    before = len(list((folder / "work").glob("row-*")))
    settings = replace(SETTINGS, rows=("codec",))
    table = evaluate_model(None, folder, pictures, folder / "work", settings)
    assert list(table.rows) == ["codec"]
    assert len(list((folder / "work").glob("row-*"))) == before + 1
    assert evaluated[0].rows["ceiling"] != table.rows["codec"]


def test_rows_that_need_a_model_say_so(corpus: tuple[Path, PictureSet]) -> None:
    folder, pictures = corpus
    with pytest.raises(ParameterError, match="need a model"):
        evaluate_model(None, folder, pictures, folder / "work", SETTINGS)
    with pytest.raises(ParameterError, match="rows are real, codec, ceiling, model; got fake"):
        EvaluationSettings(rows=("fake",))


def test_the_sheet_has_pictures_sounds_and_a_page(tmp_path: Path) -> None:
    settings = [
        replace(each, prompt="<b>loud & fast</b>") for each in sheet_settings(SAMPLING, 1)[:2]
    ]
    write_sheet(tiny_model(), settings, tmp_path, columns=2)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [
        *("01-b-loud-fast-b-0.flac", "01-b-loud-fast-b-0.png"),
        *("01-b-loud-fast-b-1.flac", "01-b-loud-fast-b-1.png"),
        *("index.html", "sheet.png"),
    ]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;loud &amp; fast&lt;/b&gt;" in page
    assert page.count("<audio") == 2
    assert soundfile.info(tmp_path / names[0]).duration == pytest.approx(3.2, abs=0.02)


def test_the_whole_sheet_is_24_prompts_by_4_seeds() -> None:
    settings = sheet_settings(SAMPLING)
    assert len(settings) == 96
    assert len({(each.prompt, each.seed) for each in settings}) == 96
    assert {each.num_inference_steps for each in settings} == {1}


def test_the_command_prints_the_table_and_writes_json(
    corpus: tuple[Path, PictureSet],
    evaluated: tuple[Table, list[str]],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    folder, _ = corpus
    work = tmp_path / "work"
    (work / "pictures").mkdir(parents=True)
    pictures_folder(folder, work).symlink_to(folder / "pictures")
    (work / "evaluation").symlink_to(folder / "work")
    command = ["evaluate", "model", "--corpus", str(folder), "--work", str(work), "--rows", "real"]
    few = ["--clips", "10", "--classifier-steps", "1", "--fewest-clips", "3"]
    code = main([*command, *few, "-o", str(tmp_path / "table.json")])
    out = capsys.readouterr().out
    assert code == 0
    assert "FAD∞, musicnn MTT" in out
    stored = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert stored["rows"]["real"]["clips"] == evaluated[0].rows["real"]["clips"]


@pytest.mark.parametrize(
    ("extra", "code", "said"),
    [
        (["--rows", "none-of-these"], 2, "rows are real, codec, ceiling, model"),
        (["--split", "train", "--rows", "real"], 2, "split of validation, test"),
        (["--model", "nowhere"], 1, "there is no model 'nowhere'"),
        (["-o", "no/such/folder/t.json", "--rows", "real"], 2, "does not exist: make it first"),
    ],
)
def test_bad_requests_are_one_line(
    corpus: tuple[Path, PictureSet],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    extra: list[str],
    code: int,
    said: str,
) -> None:
    folder, _ = corpus
    (tmp_path / "pictures").mkdir()
    pictures_folder(folder, tmp_path).symlink_to(folder / "pictures")
    command = ["evaluate", "model", "--corpus", str(folder), "--work", str(tmp_path)]
    assert main([*command, *extra]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_folder_that_is_no_corpus_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "classifier", "--corpus", str(tmp_path), "--work", str(tmp_path)]
    assert main(command) == 1
    assert "holds no metadata.jsonl" in capsys.readouterr().err
