"""The bundled model in a page, beside Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from exported_model import ExportedModel
from painted_in_tab import asked, check_painting
from sonoriff.models.prompts import parse_prompt
from tab_tools import Opened

Exported = tuple[ExportedModel, Path]


def test_the_likely_tempo(opened: Opened, bundled: Exported) -> None:
    model, folder = bundled
    with opened(folder) as engine:
        for text in ("deep house", "slow ballad", "drum and bass", ""):
            found = engine.value("return model.conditioner.likelyBpm(given)", text)
            wanted = model.likely_bpm(parse_prompt(text))
            assert found == (None if wanted is None else pytest.approx(wanted))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bundled_model_with_and_without_threads(
    opened: Opened, bundled: Exported, threads: int
) -> None:
    model, folder = bundled
    with opened(folder, threads=threads) as engine:
        assert engine.isolated == (threads > 1)
        check_painting(engine, model, asked(width=64), circular=False)
