"""Songs over HTTP: planned, changed, rendered, rerolled, refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
import soundfile

from server_tools import wait_until
from sonoriff.songs.document import song_from_toml, toml_from_song
from sonoriff.songs.plan import Section, Song
from sonoriff.songs.wish import plan_song
from sonoriff.sonogram.picture import picture_from_bytes

QUICK = {"num_inference_steps": 1}
PLAN = """# Mine.
bpm = 240
style = "jazz"

[[section]]
name = "A"
bars = 2

[[section]]
name = "B"
bars = 2
energy = 4

[[section]]
name = "A 2"
bars = 1
like = "A"
"""


def followed(server: Any, answer: requests.Response) -> dict[str, Any]:
    """The record of a render when it has ended."""
    assert answer.status_code == 202, answer.text
    path = answer.headers["location"]

    def record() -> dict[str, Any]:
        found: dict[str, Any] = server.get(path).json()
        return found

    wait_until(lambda: record()["state"] not in ("queued", "running"))
    return record()


@pytest.fixture
def song(server: Any) -> dict[str, Any]:
    """A song of three sections, five seconds long."""
    answer = server.post("/api/v1/songs", json={"plan": PLAN})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/songs/{made['id']}"
    return made


def test_the_menu_is_open_to_all(server: Any) -> None:
    menu = server.get("/api/v1/menu").json()
    assert "jazz" in [genre["name"] for genre in menu["genres"]]
    assert "piano" in menu["instruments"]


def test_a_wish_becomes_the_plan_of_the_command_line(server: Any) -> None:
    wish = {"wish": "jazz", "length_s": 30.0, "mood": "calm", "instruments": ["piano"], "seed": 3}
    made = server.post("/api/v1/songs", json=wish).json()
    expected = plan_song("jazz", length_s=30.0, mood="calm", instruments=["piano"], seed=3)
    assert song_from_toml(made["plan"]) == expected
    assert made["duration_s"] == pytest.approx(expected.duration_s)
    assert server.get("/api/v1/songs").json()["songs"][0] == made
    assert server.get(f"/api/v1/songs/{made['id']}").json() == made
    file = server.get(f"/api/v1/songs/{made['id']}/song.toml")
    assert file.text == made["plan"]
    assert "attachment" in file.headers["content-disposition"]


def test_a_song_is_rendered_as_a_riff(server: Any, song: dict[str, Any]) -> None:
    path = f"/api/v1/songs/{song['id']}"
    record = followed(server, server.post(f"{path}/render", json=QUICK))
    assert record["state"] == "done", record["error"]
    assert record["verb"] == "song"
    assert record["duration_s"] == pytest.approx(5.0, abs=0.02)
    assert server.get(path).json()["riff"] == record["id"]
    picture = picture_from_bytes(server.get(record["files"]["png"]).content)
    assert song_from_toml(picture.metadata["plan"]) == song_from_toml(PLAN)
    sound, rate = soundfile.read(io.BytesIO(server.get(record["files"]["wav"]).content))
    assert len(sound) / rate == pytest.approx(5.0, abs=0.02)
    part = followed(server, server.post(f"{path}/render", json={**QUICK, "sections": 2}))
    assert part["duration_s"] == pytest.approx(4.0, abs=0.02)
    assert server.get(path).json()["riff"] == record["id"], "a part is no render of the song"


def test_a_plan_is_changed_and_a_section_rerolled(server: Any, song: dict[str, Any]) -> None:
    path = f"/api/v1/songs/{song['id']}"
    content = song["song"]
    content["section"][1]["bars"] = 4
    changed = server.put(path, json={"song": content})
    assert changed.status_code == 200, changed.text
    assert changed.json()["bars"] == 7
    rerolled = server.post(f"{path}/sections/3/reroll", json={}).json()
    section = rerolled["song"]["section"][2]
    assert section["vary"] == 1
    assert section["seed"] >= 1000
    assert server.get(path).json() == rerolled
    assert server.delete(path) == 204
    assert server.get(path).status_code == 404


LONG = toml_from_song(Song(sections=(Section(name="A", bars=200),), bpm=100.0))
MANY = "bpm = 240\n" + '[[section]]\nname = "a"\nbars = 1\n' * 65


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"plan": PLAN.replace("bars = 2", "bars = 0", 1)}, "bars must be in [1, 256], got 0"),
        ({"plan": PLAN.replace("bars = 2", "bars = 1000", 1)}, "line 5, section 1: bars must be"),
        ({"plan": PLAN.replace("240", "5")}, "bpm must be in"),
        ({"plan": PLAN.replace("energy = 4", 'energy = "loud"')}, "energy is a number from 1 to 5"),
        ({"plan": PLAN.replace('like = "A"', 'like = "C"')}, "no section before it has that name"),
        ({"plan": PLAN.replace('like = "A"', 'like = "A 2"')}, "no section before it"),
        ({"plan": "schema = 2\n" + PLAN}, "schema 2; this version reads 1"),
        ({"plan": 'melody = "/etc/passwd"\n' + PLAN}, "unknown key 'melody'"),
        ({"plan": PLAN + 'drums = "../beat.mid"\n'}, "unknown key 'drums'"),
        ({"plan": "a = " + "[" * 50_000}, "nested more than 100 levels deep"),
        ({"plan": MANY}, "at most 64 sections here, got 65"),
        ({"plan": MANY * 30}, "the body may have at most 65536 bytes"),
        ({"plan": LONG}, "at most 300 s here, got 480 s"),
        ({"song": {"bpm": 120, "section": [{"name": "a", "bars": 1.5}]}}, "bars must be of type"),
        ({"song": {"bpm": 120, "section": "all"}}, "sections are written as"),
        ({"song": {"bpm": 120}, "plan": PLAN}, "give a wish, or a plan"),
        ({}, ""),
        ({"wish": "jazz", "length_s": 3}, "length_s"),
        ({"wish": "jazz", "mood": "hungry"}, "mood must be one of calm"),
        ({"wish": " "}, "say what the song is"),
        ({"wish": "a" * 501}, "wish"),
    ],
)
def test_bad_plans_and_wishes_are_refused_in_a_line(
    server: Any, body: dict[str, Any], message: str
) -> None:
    before = server.get("/api/v1/songs").json()
    answer = server.post("/api/v1/songs", json=body)
    assert answer.status_code in (413, 422), answer.text
    said = answer.json()["error"]["message"]
    assert message in said
    assert "\n" not in said
    assert "passwd" not in said
    assert len(said) < 400
    assert server.get("/api/v1/songs").json() == before


def test_a_wish_of_a_megabyte_is_too_large(server: Any) -> None:
    answer = server.post("/api/v1/songs", json={"wish": "a" * 2**20})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/render", {"sections": 4}, 422, "has 3 sections, not 4"),
        ("/render", {"num_inference_steps": 51}, 422, "steps are at most 50 here"),
        ("/render", {"loudness": 3}, 422, "loudness"),
        ("/sections/9/reroll", {}, 422, "sections 1 to 3, got 9"),
        ("/sections/0/reroll", {}, 422, ""),
        ("/sections/1/reroll", {"seed": -1}, 422, "seed"),
    ],
)
def test_what_a_song_cannot_do_is_told(
    server: Any, song: dict[str, Any], path: str, body: dict[str, Any], status: int, message: str
) -> None:
    answer = server.post(f"/api/v1/songs/{song['id']}{path}", json=body)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("song_id", ["nothing", "a" * 25, "%2e%2e%2fetc", "a%00b"])
def test_an_id_that_is_none_is_not_found(server: Any, song_id: str) -> None:
    assert server.get(f"/api/v1/songs/{song_id}").status_code in (404, 422)
