"""Textual styles for Stable Diffusion, against diffusers' own reading of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import tiny_stable_diffusion
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.models.stable_diffusion.styles import Style, parse_style

WIDTH = tiny_stable_diffusion.TEXT_WIDTH


def vectors(count: int) -> torch.Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(count))


def states(model: object, prompt: str) -> torch.Tensor:
    assert isinstance(model, StableDiffusionModel)
    (term,) = model.encode_prompt(parse_prompt(prompt), MusicAttributes())
    row: torch.Tensor = term.embedding
    return row


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("layout", ["diffusers", "web ui"])
def test_a_style_is_heard_as_diffusers_hears_it(
    stable_diffusion_folder: Path, tmp_path: Path, count: int, layout: str
) -> None:
    from diffusers import StableDiffusionPipeline

    name = "<night>" if layout == "diffusers" else "emb_params"
    save_file({name: vectors(count)}, tmp_path / "<night>.safetensors")
    ours = load_model(
        stable_diffusion_folder,
        dtype=torch.float32,
        styles=[Style(tmp_path / "<night>.safetensors")],
    )
    assert ours.name == "tiny-riffusion + <night>"
    theirs = StableDiffusionPipeline.from_pretrained(
        stable_diffusion_folder, safety_checker=None, local_files_only=True
    )
    theirs.load_textual_inversion({"<night>": vectors(count)}, token="<night>")
    prompt = "jazz, <night> piano"
    ids = theirs.tokenizer(
        theirs.maybe_convert_prompt(prompt, theirs.tokenizer),
        padding="max_length",
        max_length=77,
        return_tensors="pt",
    ).input_ids
    with torch.inference_mode():
        expected = theirs.text_encoder(ids).last_hidden_state
    torch.testing.assert_close(states(ours, prompt), expected)


def test_without_its_word_a_style_changes_nothing(
    stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    save_file({"<a>": vectors(2)}, tmp_path / "a.safetensors")
    save_file({"b": vectors(1)}, tmp_path / "b.safetensors")
    styles = [
        parse_style(f"{tmp_path}/a.safetensors:dusk"),
        parse_style(f"{tmp_path}/b.safetensors"),
    ]
    plain = load_model(stable_diffusion_folder, dtype=torch.float32)
    with_words = load_model(stable_diffusion_folder, dtype=torch.float32, styles=styles[:1])
    assert torch.equal(states(plain, "jazz in dust"), states(with_words, "jazz in dust"))
    assert not torch.equal(states(plain, "dusk"), states(with_words, "dusk"))
    assert not torch.equal(states(with_words, "(dusk:1.4)"), states(with_words, "dusk"))
    with pytest.raises(ParameterError, match="a word already"):
        load_model(stable_diffusion_folder, styles=styles)


def test_what_is_no_style_is_refused(
    stable_diffusion_folder: Path, small_model: SmallModel, tmp_path: Path
) -> None:
    file = tmp_path / "style.safetensors"
    for tensors, what in (
        ({"x": torch.zeros(1, WIDTH + 1)}, "another model"),
        ({"x": torch.zeros(1, WIDTH), "y": torch.zeros(1)}, "--lora"),
        ({"clip_l": torch.zeros(1, WIDTH), "clip_g": torch.zeros(1, 9)}, "two text encoders"),
        ({"x": torch.full((1, WIDTH), float("nan"))}, "no vectors"),
    ):
        save_file(tensors, file)
        with pytest.raises(CheckpointError, match=what):
            load_model(stable_diffusion_folder, styles=[Style(file)])
    file.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot read"):
        load_model(stable_diffusion_folder, styles=[Style(file)])
    (tmp_path / "old.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match="pickles"):
        load_model(stable_diffusion_folder, styles=[Style(tmp_path / "old.pt")])
    for text, what in (("none.safetensors", "no style"), (f"{file}:two words", "without spaces")):
        with pytest.raises(ParameterError, match=what):
            parse_style(text)
    small_model.save_pretrained(tmp_path / "small")
    with pytest.raises(ParameterError, match="no textual styles"):
        load_model(tmp_path / "small", styles=[Style(file)])
