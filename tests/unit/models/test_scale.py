"""Where the notes of a key lie in the picture, against tones that are played."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sonoriff.models.small.scale import note_rows
from sonoriff.models.small.torch.scale import ScaleRows
from sonoriff.music import KEYS
from sonoriff.sonogram import HIFI, encode


def _loudest_row(hz: float) -> int:
    tone = np.sin(2 * np.pi * hz * np.arange(HIFI.sample_rate) / HIFI.sample_rate)
    values = encode(tone[None].astype(np.float32), HIFI.sample_rate).values[0]
    return int(values[:, 20:-20].mean(axis=1).argmax())


@pytest.mark.parametrize("midi", [72, 76, 81, 85, 90, 95])
def test_a_tone_is_loudest_in_a_row_of_its_note(midi: int) -> None:
    row = _loudest_row(440.0 * 2 ** ((midi - 69) / 12))
    assert note_rows(HIFI)[:, row].argmax() == midi % 12


def test_low_rows_where_notes_run_together_say_less() -> None:
    notes = np.abs(note_rows(HIFI)).max(axis=0)
    low, high = _loudest_row(100.0), _loudest_row(1000.0)
    assert notes[0] < 0.2
    assert notes[:low].max() < 0.5 < 0.7 < notes[high]


def test_keys_differ_and_an_unknown_one_is_blank() -> None:
    rows = ScaleRows(8)
    keys = torch.arange(12).repeat(3)
    modes = torch.tensor([-1, 0, 1]).repeat_interleave(12)
    shown = rows(keys, modes)
    assert shown.shape == (36, 8, rows.width)
    apart = torch.cdist(shown.flatten(1), shown.flatten(1)) + 1e9 * torch.eye(36)
    assert apart.min() > 1.0
    assert not rows(torch.tensor([-1]), torch.tensor([0])).any()


def test_relative_keys_share_their_scale_but_not_their_triad() -> None:
    """A minor has the notes of C major."""
    rows = ScaleRows(8)
    c_major = rows(torch.tensor([KEYS.index("C")]), torch.tensor([0]))
    a_minor = rows(torch.tensor([KEYS.index("A")]), torch.tensor([1]))
    third = rows.width // 3
    torch.testing.assert_close(c_major[..., 2 * third :], a_minor[..., 2 * third :])
    assert not torch.allclose(c_major[..., third : 2 * third], a_minor[..., third : 2 * third])
