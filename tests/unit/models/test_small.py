"""The small model's parts, on tiny shapes and on the real text encoder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sonoriff.analysis.chords import parse_chord
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.small.conditions import DenoiserConditions
from sonoriff.models.small.config import BEAT_PARTS, AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.model import Backend, SmallModel
from sonoriff.models.small.scale import chord_vector
from sonoriff.models.small.text import load_text_encoder, text_encoder_folder
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Conditions, Denoiser, beat_waves, mean_state
from sonoriff.models.small.torch.networks import TorchNetworks, torch_networks
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.guides import everywhere, facts_from_settings
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import Sampling

CODER = AutoencoderConfig(
    latent_channels=4,
    widths=(8, 8, 8),
    encoder_blocks=(1, 1, 1),
    decoder_blocks=(1, 1, 1),
    strides=((4, 2), (2, 1)),
)
SHAPE = DenoiserConfig(latent_channels=4, grid_width=8, width=64, depth=2, heads=1)


def tiny_model() -> SmallModel:
    torch.manual_seed(0)
    coder, denoiser = SonogramAutoencoder(CODER), Denoiser(SHAPE)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return SmallModel(TorchNetworks(coder.eval(), denoiser.eval()), {"name": "tiny"})


def condition(batch: int, *, tokens: int = 3) -> Conditions:
    generator = torch.Generator().manual_seed(3)
    return DenoiserConditions(
        torch.randn(batch, tokens, 384, generator=generator),
        torch.ones(batch, tokens, dtype=torch.bool),
        torch.full((batch,), 120.0),
        torch.zeros(batch, dtype=torch.long),
        torch.ones(batch, dtype=torch.long),
        torch.zeros(batch),
        torch.full((batch,), -1),
        torch.zeros(batch, dtype=torch.long),
        torch.zeros(batch, 1, 24),
    )


def test_the_text_encoder_is_the_published_one() -> None:
    """Against transformers' own BERT on the same weights, padding included."""
    import transformers

    texts = ["jazz", "smooth tropical dance jazz with a saxophone solo"]
    states, present = load_text_encoder()(texts)
    tokenizer = transformers.AutoTokenizer.from_pretrained(text_encoder_folder())
    reference = transformers.AutoModel.from_pretrained(text_encoder_folder())
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = reference(**inputs).last_hidden_state
    assert np.array_equal(present, inputs["attention_mask"].numpy() == 1)
    np.testing.assert_allclose(states[present], expected.numpy()[present], atol=2e-5, rtol=1e-4)


def test_autoencoder_starts_at_its_linear_code() -> None:
    torch.manual_seed(0)
    model = SonogramAutoencoder(CODER).eval()
    basis = torch.linalg.qr(torch.randn(256, 4)).Q.T
    model.set_linear(2.0 * basis, torch.tensor(0.25))
    cells = 0.25 + torch.randn(6, 4) @ basis
    picture = cells.view(1, 2, 3, 32, 8).permute(0, 1, 3, 2, 4).reshape(1, 1, 64, 24)
    with torch.no_grad():
        decoded = model.decoder(model.posterior(picture)[0])
    torch.testing.assert_close(decoded, picture, atol=1e-5, rtol=1e-4)


def test_a_deeper_decoder_begins_as_the_one_before() -> None:
    torch.manual_seed(0)
    model = SonogramAutoencoder(CODER).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn_like(weight)
    counts = tuple(n + 2 for n in CODER.decoder_blocks)
    deeper = model.with_decoder_blocks(counts).eval()
    assert deeper.config.decoder_blocks == counts
    assert sum(p.numel() for p in deeper.parameters()) > sum(p.numel() for p in model.parameters())
    latents = torch.randn(2, CODER.latent_channels, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(deeper.decode(latents), model.decode(latents))
    for wrong in (counts[:-1], (0, *counts[1:])):
        with pytest.raises(ParameterError, match="at least"):
            model.with_decoder_blocks(wrong)


def test_autoencoder_keeps_shapes_and_is_local() -> None:
    """Far from a change nothing changes: long pictures can be coded in pieces."""
    torch.manual_seed(0)
    model = SonogramAutoencoder(CODER).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    a = torch.rand(1, 1, 256, 512)
    b = a.clone()
    b[..., 480:] = 0
    with torch.no_grad():
        za, zb = model.encode(a), model.encode(b)
        assert za.shape == (1, 4, 8, 64)
        assert model.decode(za).shape == a.shape
    assert torch.equal(za[..., :40], zb[..., :40])
    assert not torch.equal(za[..., 60:], zb[..., 60:])


@pytest.mark.parametrize("width", [8, 64, 100])
def test_denoiser_takes_any_width(width: int) -> None:
    denoiser = torch_networks(tiny_model()).denoiser
    z = torch.randn(2, 4, 8, width)
    velocity = denoiser(z, torch.rand(2), condition(2), z, torch.zeros(2, 1, 8, width))
    assert velocity.shape == z.shape


def test_denoiser_starts_at_the_best_linear_guess() -> None:
    """Regressing the velocity on x_t, channel by channel, gives what an untrained network says."""
    torch.manual_seed(0)
    denoiser = Denoiser(SHAPE).eval()
    denoiser.level.copy_(torch.linspace(-1, 1, 4)[:, None])
    denoiser.spread.copy_(torch.logspace(0.5, -1, 4)[:, None])
    data = torch.randn(64, 4, 8, 64) * denoiser.spread[..., None] + denoiser.level[..., None]
    noise = torch.randn_like(data)
    x, velocity = 0.7 * data + 0.3 * noise, noise - data
    with torch.no_grad():
        guess = denoiser(x, torch.full((64,), 0.3), condition(64), x, torch.zeros(64, 1, 8, 64))
    for channel in range(4):
        a, b = x[:, channel].flatten(), velocity[:, channel].flatten()
        slope = ((a - a.mean()) * (b - b.mean())).mean() / a.var()
        expected = b.mean() + slope * (x[:, channel] - a.mean())
        torch.testing.assert_close(guess[:, channel], expected, atol=0.05, rtol=0.05)


def test_denoiser_reads_known_latents_only_under_the_mask() -> None:
    denoiser = torch_networks(tiny_model()).denoiser
    z, time = torch.randn(1, 4, 8, 16), torch.tensor([0.5])
    mask = torch.zeros(1, 1, 8, 16)
    mask[..., :4] = 1
    known = torch.randn(1, 4, 8, 16)
    outside, inside = known.clone(), known.clone()
    outside[..., 8:] += 1
    inside[..., :2] += 1
    with torch.no_grad():
        base = denoiser(z, time, condition(1), known, mask)
        assert torch.equal(base, denoiser(z, time, condition(1), outside, mask))
        assert not torch.equal(base, denoiser(z, time, condition(1), inside, mask))


@pytest.mark.parametrize("part", ["text", "bpm", "key", "mode", "beat", "kind", "energy", "chords"])
def test_denoiser_heeds_every_condition(part: str) -> None:
    denoiser = torch_networks(tiny_model()).denoiser
    z, zero = torch.randn(1, 4, 8, 16), torch.zeros(1, 1, 8, 16)
    other = {
        "text": torch.randn(1, 3, 384),
        "bpm": torch.tensor([90.0]),
        "key": torch.tensor([-1]),
        "mode": torch.tensor([0]),
        "beat": torch.tensor([0.25]),
        "kind": torch.tensor([2]),
        "energy": torch.tensor([5]),
        "chords": torch.from_numpy(chord_vector(parse_chord("Am"))).expand(1, 16, -1),
    }[part]
    before = condition(1)
    after = DenoiserConditions(**{**vars(before), part: other})
    with torch.no_grad():
        a = denoiser(z, torch.tensor([0.5]), before, z, zero)
        b = denoiser(z, torch.tensor([0.5]), after, z, zero)
    assert not torch.allclose(a, b)


def test_absent_tokens_are_not_read() -> None:
    denoiser = torch_networks(tiny_model()).denoiser
    z, zero = torch.randn(1, 4, 8, 16), torch.zeros(1, 1, 8, 16)
    short = condition(1, tokens=3)
    padded = DenoiserConditions(
        **{
            **vars(short),
            "text": torch.cat([short.text, torch.randn(1, 5, 384)], dim=1),
            "present": torch.tensor([[True] * 3 + [False] * 5]),
        }
    )
    with torch.no_grad():
        a = denoiser(z, torch.tensor([0.5]), short, z, zero)
        b = denoiser(z, torch.tensor([0.5]), padded, z, zero)
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, backend: Backend) -> None:
    model = tiny_model()
    model.save_pretrained(tmp_path / "m", dtype="float32")
    again = SmallModel.from_pretrained(tmp_path / "m", precision="float32", backend=backend)
    assert again.facts == {"name": "tiny"}
    for network in ("autoencoder", "denoiser"):
        for name, tensor in model.networks.tensors(network).items():
            assert np.array_equal(tensor, again.networks.tensors(network)[name])
    assert not list(tmp_path.rglob("*.bin")), "weights are safetensors only"


def test_a_damaged_or_foreign_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no model"):
        SmallModel.from_pretrained(tmp_path)
    tiny_model().save_pretrained(tmp_path)
    weights = tmp_path / "denoiser" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="denoiser"):
        SmallModel.from_pretrained(tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "SmallModel", "version": 99}')
    with pytest.raises(CheckpointError, match="version 99"):
        SmallModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("wrong", [{"bpm": 5.0}, {"key": "H"}, {"mode": "dorian"}])
def test_conditions_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        tiny_model().condition(["x"], **wrong)  # type: ignore[arg-type]


def test_a_window_hears_where_in_the_beat_it_begins() -> None:
    """At 120 bpm a beat and a half have passed after three quarters of a second."""
    model = tiny_model()
    row = model.condition(["techno"], bpm=120.0)
    batch = model.collate([row, row, model.condition(["techno"])], [0.75, None, 0.75], 16)
    assert batch.beat[0] == 1.5
    bpm, beat = torch.from_numpy(batch.bpm), torch.from_numpy(batch.beat)
    waves = beat_waves(bpm, beat, 3, 0.125)
    assert not waves[1:].any()  # unknown, or no tempo
    whole_beat, half_beat = (waves[0, :, BEAT_PARTS.index(part)] for part in (1.0, 2.0))
    torch.testing.assert_close(whole_beat, torch.tensor([-1.0, 0.0, 1.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(half_beat, torch.tensor([1.0, -1.0, 1.0]), atol=1e-5, rtol=0)


def test_windows_of_a_long_canvas_follow_one_beat() -> None:
    """The second of two windows begins later, and is told so."""
    model = tiny_model()
    heard: list[Tensor] = []
    with torch.inference_mode():
        whole, guide = 96, model.encode_prompt(parse_prompt("techno"), MusicAttributes(bpm=120.0))
        canvas = Canvas(
            noise_grid(model, whole, 1), everywhere(Guidance(guide, guide, 1.0)), since_beat_s=0.0
        )
        hook = torch_networks(model).denoiser.register_forward_pre_hook(
            lambda _m, args: heard.append(args[2].beat)
        )
        paint(model, canvas, Sampling(num_inference_steps=1).resolved(model))
        hook.remove()
    start = (whole - 64) * model.cell[1] / model.params.frames_per_second
    torch.testing.assert_close(heard[0], torch.tensor([0.0, start * 2.0]))


def test_a_prompt_without_a_tempo_gets_that_of_such_music() -> None:
    model = tiny_model()
    assert model.likely_bpm(parse_prompt("techno")) is None  # nothing learned
    states, present = map(torch.from_numpy, model.encode_text(["techno", "slow ballad"]))
    pooled = mean_state(states, present)
    torch_networks(model).denoiser.tempo_guess.fit(
        pooled.repeat(20, 1), torch.tensor([130.0, 60.0] * 20)
    )
    assert model.likely_bpm(parse_prompt("techno")) == pytest.approx(130.0, rel=0.02)
    assert model.likely_bpm(parse_prompt("slow ballad")) == pytest.approx(60.0, rel=0.02)
    assert model.likely_bpm(parse_prompt("")) is None
    fast = facts_from_settings(model, Sampling(prompt="techno, 90 bpm"), guess_tempo=True)
    assert fast.bpm == 90.0
