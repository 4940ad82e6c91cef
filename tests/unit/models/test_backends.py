"""The small model on onnxruntime and in PyTorch: one network, one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonoriff.analysis.chords import parse_progression
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.networks import Conditions
from sonoriff.models.small.onnx.networks import OnnxNetworks
from sonoriff.models.small.onnx.weights import stored_weight
from sonoriff.pipeline.extend import ExtendSettings, extend
from sonoriff.pipeline.generate import GenerateSettings, generate, generate_many
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.sonogram import Sonogram
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

# One of 255 steps of a picture's levels, in dB.
LEVEL_DB = 92.0 / 255.0
Values = np.ndarray


@pytest.fixture(scope="module")
def folder(small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    small_model.save_pretrained(folder, dtype="float32")
    return folder


@pytest.fixture(scope="module")
def pair(folder: Path) -> tuple[SmallModel, SmallModel]:
    """The tiny model on onnxruntime and in PyTorch, float32."""
    one, other = (
        SmallModel.from_pretrained(folder, precision="float32", backend=backend)
        for backend in ("onnx", "torch")
    )
    return one, other


def told(model: SmallModel, n: int, columns: int) -> Conditions:
    """Rows that have every condition, and rows that have none."""
    full = MusicAttributes(
        bpm=96.0, key="D", mode="minor", energy=4, chords=parse_progression("Dm F"), kind="recorded"
    )
    rows = [
        model.condition(
            ["slow jazz with a saxophone" if i % 2 == 0 else ""],
            **(vars(full) if i % 2 == 0 else {}),
        )
        for i in range(n)
    ]
    return model.collate(rows, [0.5 if i % 2 == 0 else None for i in range(n)], columns)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("columns", [8, 32, 40, 64])
def test_they_predict_the_same(pair: tuple[SmallModel, SmallModel], n: int, columns: int) -> None:
    rng = np.random.default_rng(n)
    x, known = rng.standard_normal((2, n, 6, 8, columns), np.float32)
    mask = (rng.random((n, 1, 8, columns)) < 0.5).astype(np.float32)
    for time in (1.0, 0.5, 0.05):
        batches = [told(model, n, columns) for model in pair]
        ours, theirs = (
            model.predict(x, time, batch, known, mask)
            for model, batch in zip(pair, batches, strict=True)
        )
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.parametrize("columns", [8, 264, 512])
def test_they_code_the_same(pair: tuple[SmallModel, SmallModel], columns: int) -> None:
    picture = np.random.default_rng(0).uniform(-1, 1, (2, 1, 256, columns)).astype(np.float32)
    ours, theirs = (model.encode(picture) for model in pair)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    again = [model.decode(ours) for model in pair]
    np.testing.assert_allclose(again[0], again[1], atol=1e-5)


def source(model: SmallModel) -> Sonogram:
    return generate(
        model, GenerateSettings(prompt="drums, 100 bpm", num_inference_steps=2)
    ).sonogram


QUICK = {"num_inference_steps": 3, "seed": 4}
VERBS: dict[str, Callable[[SmallModel, Sonogram], Values]] = {
    "generate": lambda m, _: (
        generate(
            m, GenerateSettings(prompt="techno", duration_s=9.0, energy=2, chords="Am F", **QUICK)
        ).sonogram.values
    ),
    "several": lambda m, _: np.concatenate(
        [
            clip.sonogram.values
            for clip in generate_many(
                m, GenerateSettings(prompt="techno", **QUICK), 3, batch_size=2
            )
        ]
    ),
    "remix": lambda m, s: remix(m, s, RemixSettings(prompt="organ", **QUICK)).sonogram.values,
    "inpaint": lambda m, s: (
        inpaint(m, s, InpaintSettings(prompt="organ", times=((1.0, 2.0),), **QUICK)).sonogram.values
    ),
    "extend": lambda m, s: (
        extend(m, s, ExtendSettings(prompt="organ", duration_s=9.0, **QUICK)).sonogram.values
    ),
    "loop": lambda m, _: (
        loop(m, LoopSettings(prompt="funk, 120 bpm", bars=2, **QUICK)).sonogram.values
    ),
    "morph": lambda m, _: (
        morph(
            m,
            MorphSettings(
                points=(MorphPoint(prompt="jazz"), MorphPoint(prompt="techno")), clips=3, **QUICK
            ),
        ).joined.sonogram.values
    ),
    "stream": lambda m, _: streamed(m),
}


def streamed(model: SmallModel) -> Values:
    prompts = (WeightedPrompt("jazz", 0.7), WeightedPrompt("(techno:1.3)", 0.3))
    scene = Scene(prompts=prompts, num_inference_steps=2)
    stream, columns = RiffStream(model), []
    state = stream.start(SceneSchedule((Cue(scene, 0),)))
    for _ in range(3):
        part, _, state = stream.next(state)
        columns.append(part)
    return np.concatenate(columns, axis=2)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_paints_the_same(pair: tuple[SmallModel, SmallModel], verb: str) -> None:
    sound = source(pair[1])
    ours, theirs = (VERBS[verb](model, sound) for model in pair)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= LEVEL_DB


def test_the_bundled_model_paints_the_same_and_almost_the_same_in_8_bits() -> None:
    settings = GenerateSettings(prompt="calm piano, 90 bpm", seed=7, num_inference_steps=6)

    def painted(**how: str) -> Values:
        return generate(load_model(**how), settings).sonogram.values

    exact = painted(dtype="float32", backend="torch")
    off = np.abs(painted(dtype="float32") - exact)
    # A side that is nearly silent beside the other hangs on the last digits of the pan.
    assert off[2].max() <= LEVEL_DB
    assert off.max() <= 3 * LEVEL_DB
    other = generate(load_model(dtype="float32"), replace(settings, seed=8)).sonogram.values
    difference = np.abs(painted(dtype="int8") - exact).mean()
    # Another seed is more than ten times as far away.
    assert 0 < difference < 0.1 * np.abs(other - exact).mean()


def test_in_8_bits_a_member_of_a_batch_is_what_it_would_be_alone(folder: Path) -> None:
    """Also beside one that is a hundred times as loud."""
    model = SmallModel.from_pretrained(folder, precision="int8")
    x = np.random.default_rng(0).standard_normal((3, 6, 8, 64), np.float32)
    x[1] *= 100.0
    together = model.predict(x, 0.5, told(model, 3, 64))
    alone = model.predict(x[:1], 0.5, told(model, 1, 64))
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)


@pytest.mark.parametrize("largest", [127, 63])
def test_weights_in_whole_numbers_stay_near_and_within_their_range(largest: int) -> None:
    weight = np.random.default_rng(0).standard_normal((6, 40), np.float32)
    whole = stored_weight("w|q", {"w": weight}, largest)
    scale = stored_weight("w|s", {"w": weight}, largest)
    assert (whole.dtype, whole.shape, scale.shape) == (np.int8, (40, 6), (6,))
    assert np.abs(whole.astype(int)).max() == largest
    np.testing.assert_allclose(whole * scale, weight.T, atol=0.51 * float(scale.max()))


def test_a_processor_without_wide_sums_gets_seven_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture is as near: another 8 bits would saturate there."""
    pictures = []
    for largest in (127, 63):
        monkeypatch.setattr(
            "sonoriff.models.small.onnx.session.largest_weight", lambda n=largest: n
        )
        model = SmallModel.from_pretrained(folder)
        assert model.precision == "int8"
        pictures.append(VERBS["generate"](model, source(model)))
    assert np.abs(pictures[0] - pictures[1]).mean() < LEVEL_DB


def test_what_is_loaded_lazily_is_checked_at_once(folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    SmallModel.from_pretrained(folder).save_pretrained(tmp_path / "m", dtype="float32")
    weights = tmp_path / "m" / "autoencoder" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    for damaged in (
        {k: v for k, v in tensors.items() if k != "decoder.linear.bias"},
        {**tensors, "decoder.linear.bias": np.zeros(3, np.float32)},
    ):
        save_file(damaged, weights)
        with pytest.raises(CheckpointError, match=r"decoder.*decoder\.linear\.bias"):
            SmallModel.from_pretrained(tmp_path / "m")


def test_precisions_are_those_of_the_backend(folder: Path) -> None:
    with pytest.raises(ParameterError, match="int8 or float32"):
        SmallModel.from_pretrained(folder, precision="float16")
    with pytest.raises(ParameterError, match="not in int8"):
        SmallModel.from_pretrained(folder, precision="int8", backend="torch")
    with pytest.raises(ParameterError, match="dtype must be one of"):
        load_model(folder, dtype="float8")


def test_the_packaged_graphs_are_those_of_the_code() -> None:
    import subprocess
    import sys

    script = Path(__file__).parents[3] / "scripts" / "make_graphs.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_a_changed_weight_is_heard_after_the_networks_were_used(folder: Path) -> None:
    networks = OnnxNetworks.from_folder(folder, "float32")
    latents = np.ones((1, 4, 8, 8), np.float32)
    before = networks.decode(latents)
    layer = networks.layers()["autoencoder"]["decoder.linear"]
    layer.add(np.full(layer.shape, 0.01, np.float32))
    assert np.abs(networks.decode(latents) - before).max() > 0.001


def test_a_graph_that_onnxruntime_cannot_run_is_a_line() -> None:
    import onnx
    from onnx import helper

    from sonoriff.models.small.onnx.session import Session
    from sonoriff.models.small.onnx.stored import StoredGraph

    axes = {name: helper.make_tensor_value_info(name, 1, ["n"]) for name in ("x", "y")}
    node = helper.make_node("OfTomorrow", ["x"], ["y"])
    graph = helper.make_graph([node], "denoiser", [axes["x"]], [axes["y"]])
    written = helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)])
    for data in (written.SerializeToString(), b"no graph"):
        with pytest.raises(CheckpointError, match="cannot run the denoiser: pip install") as told:
            Session(StoredGraph("denoiser", data, {}), {})
        assert "\n" not in str(told.value)


def test_a_lora_of_another_shape_is_refused_and_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    from sonoriff.models.lora import Lora, merge_lora

    model = SmallModel.from_pretrained(folder, precision="float32")
    before = {name: np.array(t) for name, t in model.networks.tensors("denoiser").items()}
    factors = {
        "denoiser.enter.lora_A.weight": np.ones((1, 5), np.float32),
        "denoiser.enter.lora_B.weight": np.ones((3, 1), np.float32),
    }
    save_file(factors, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match=r"made for another model: denoiser\.enter is"):
        merge_lora(model.layers(), Lora(tmp_path / "other.safetensors"))
    for name, tensor in model.networks.tensors("denoiser").items():
        np.testing.assert_array_equal(tensor, before[name])


def test_weights_that_were_replaced_while_they_are_in_use_are_not_mixed(
    folder: Path, tmp_path: Path
) -> None:
    """The encoder is read when it is first needed; by then the folder may hold another model."""
    SmallModel.from_pretrained(folder).save_pretrained(tmp_path / "m", dtype="float32")
    model = SmallModel.from_pretrained(tmp_path / "m")
    model.decode(np.ones((1, 6, 8, 8), np.float32))
    SmallModel.from_pretrained(folder).save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "autoencoder").rename(tmp_path / "spare")
    for file in (tmp_path / "spare").iterdir():
        file.replace(tmp_path / "m" / "autoencoder" / file.name)
    with pytest.raises(CheckpointError, match="was replaced while it was in use"):
        model.encode(np.zeros((1, 1, 256, 64), np.float32))


def test_threads_are_those_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from sonoriff.threads import usable_cores, wanted_threads

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert wanted_threads() == 3
    for other in ("", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", other)
        assert wanted_threads() == usable_cores()
