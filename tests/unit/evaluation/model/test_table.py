"""The table as text and as JSON."""

import json
import math

from sonoriff.evaluation.model.table import Table, with_shares

ROWS = {
    "real": {"clips": 20.0, "fad_MTT": 4.0, "agreement": 80.0, "tempo": math.nan},
    "ceiling": {"clips": 20.0, "fad_MTT": 5.0, "agreement": 60.0},
    "model": {
        "clips": 30.0,
        "fad_MTT": 10.0,
        "agreement": 40.0,
        "kad_MTT": 1.5,
        "kad_error_MTT": 0.25,
    },
}


def test_shares_of_real_and_of_the_ceiling() -> None:
    rows = with_shares(ROWS)
    assert rows["model"]["fad_MTT_of_ceiling"] == 2.0
    assert rows["model"]["agreement_of_real"] == 50.0
    assert math.isnan(rows["real"]["tempo_of_real"])
    assert "fad_MTT_of_ceiling" not in with_shares({"real": ROWS["real"]})["real"]


def test_a_share_of_nothing_is_no_figure() -> None:
    rows = with_shares({"real": {"agreement": 0.0}, "model": {"agreement": 10.0}})
    assert math.isnan(rows["model"]["agreement_of_real"])


def test_the_text_is_a_table() -> None:
    lines = Table(with_shares(ROWS), {}).to_text().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == [
        *("", "real", "ceiling", "model", "good")
    ]
    kad = next(line for line in lines if "KAD" in line)
    assert [cell.strip() for cell in kad.split("|")[2:-1]] == ["-", "-", "1.50 ± 0.25", "low"]


def test_json_has_null_for_what_does_not_apply() -> None:
    content = json.loads(Table(ROWS, {"split": "test"}).to_json())
    assert content["rows"]["real"]["tempo"] is None
    assert content["rows"]["model"]["kad_MTT"] == 1.5
    assert content["facts"] == {"split": "test"}
