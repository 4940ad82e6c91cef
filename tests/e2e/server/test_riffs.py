"""Riffs over HTTP: made, followed, fetched, cancelled, searched, forgotten."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
from typing import Any

import numpy as np
import pytest
import requests
import soundfile
from PIL import Image

from sonoriff.audio import audio_bytes
from sonoriff.server.seeds import SeedImages
from sonoriff.sonogram.picture import picture_from_bytes
from sounds import MINOR_CADENCE, RATE, cadence, drums

QUICK = {"num_inference_steps": 1}
SLOW = {"prompt": "slow", "num_inference_steps": 50, "duration_s": 120.0}


def followed(server: Any, answer: requests.Response) -> dict[str, Any]:
    """The last record of a riff that was asked for, by its events."""
    assert answer.status_code == 202, answer.text
    record = answer.json()
    assert answer.headers["location"] == f"/api/v1/riffs/{record['id']}"
    stream = server.get(f"/api/v1/riffs/{record['id']}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\n") for block in stream.text.strip().split("\n\n")]
    names = [event[0].removeprefix("event: ") for event in events]
    assert set(names[:-1]) <= {"progress"}
    last: dict[str, Any] = json.loads(events[-1][1].removeprefix("data: "))
    assert names[-1] == last["state"]
    return last


def noise_wav(seconds: float) -> bytes:
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (1, int(44100 * seconds)))
    return audio_bytes(samples.astype(np.float32), 44100, ".wav")


@pytest.fixture(scope="module")
def made(server: Any) -> dict[str, Any]:
    """A finished riff."""
    body = {"prompt": "steel drums_100%", "seed": 3, "duration_s": 2.0, **QUICK}
    return followed(server, server.post("/api/v1/riffs", json=body))


def test_energy_chords_and_kind_reach_every_verb(server: Any) -> None:
    wishes = {"energy": 4, "chords": "Am:2 F", "kind": "rendered"}
    asked = {"prompt": "", **wishes, **QUICK}
    own = {"remix": {}, "inpaint": {"time_s": [0, 0.5]}, "extend": {"duration_s": 2.0}}

    def ask(verb: str) -> requests.Response:
        form = {"settings": json.dumps({**asked, **own[verb]})}
        files = {"source": ("x.wav", noise_wav(1.0))}
        answer: requests.Response = server.post(f"/api/v1/riffs/{verb}", data=form, files=files)
        return answer

    first = server.post("/api/v1/riffs", json={**asked, "duration_s": 1.0})
    records = [followed(server, first), *(followed(server, ask(verb)) for verb in own)]
    for record in records:
        assert record["state"] == "done"
        picture = picture_from_bytes(server.get(record["files"]["png"]).content)
        assert {name: picture.metadata[name] for name in wishes} == wishes


def test_a_riff_comes_in_every_format(server: Any, made: dict[str, Any]) -> None:
    assert made["state"] == "done"
    assert made["progress"] == 1.0
    assert made["settings"]["seed"] == 3
    n_frames = round(2.0 * 44100 / 512)
    sonogram = picture_from_bytes(server.get(made["files"]["png"]).content)
    assert sonogram.n_frames == n_frames
    assert sonogram.metadata["prompt"] == "steel drums_100%"
    assert made["settings"]["attributes"] == {"bpm": None, "key": None}
    for kind in ("wav", "flac", "ogg", "opus", "mp3"):
        answer = server.get(made["files"][kind])
        samples, rate = soundfile.read(io.BytesIO(answer.content))
        assert rate == (48000 if kind == "opus" else 44100)
        wanted = n_frames * 512 * rate / 44100
        assert abs(len(samples) - wanted) <= (0 if kind in ("wav", "flac") else 2500)
        assert answer.headers["content-type"].startswith("audio/")


def test_a_loop_goes_into_a_sampler(server: Any) -> None:
    """At 48 kHz with 24 bits: its length is that of its bars, and the whole of it is looped."""
    asked = {"prompt": "steel drums", "bpm": 120, "bars": 1, "key": "D minor", **QUICK}
    loop = followed(server, server.post("/api/v1/riffs/loop", json=asked))
    assert loop["settings"]["attributes"] == {"bpm": 120.0, "key": "D minor"}
    wav = server.get(loop["files"]["wav"] + "?rate=48000&bits=24")
    file = soundfile.SoundFile(io.BytesIO(wav.content))
    assert (file.samplerate, file.subtype, file.frames) == (48000, "PCM_24", 96000)
    said = " ".join(file.extra_info.split())
    assert "Start : 0 End : 95999" in said
    assert "Tempo : 120.0" in said
    assert "Beats : 4" in said
    refused = server.get(loop["files"]["mp3"] + "?bits=24")
    assert refused.status_code == 422
    assert "16, 24 and float" in refused.json()["error"]["message"]


def test_head_is_what_get_answers_without_the_body(server: Any, made: dict[str, Any]) -> None:
    paths = [*made["files"].values(), f"/api/v1/riffs/{made['id']}/events", "/api/v1/riffs"]
    for path in (*paths, "/api/v1/info", "/healthz", "/docs", "/api/v1/riffs/unknown"):
        whole = server.get(path)
        head = requests.head(server.url + path, timeout=60)
        assert (head.status_code, head.content) == (whole.status_code, b""), path
        assert head.headers["content-type"] == whole.headers["content-type"]
    assert int(requests.head(server.url + made["files"]["wav"]).headers["content-length"]) > 44


def test_ranges_that_make_no_sense(server: Any, made: dict[str, Any]) -> None:
    def asked(ranges: str) -> requests.Response:
        answer: requests.Response = server.get(made["files"]["flac"], headers={"Range": ranges})
        return answer

    whole = server.get(made["files"]["flac"]).content
    assert (asked("bytes=4-7").status_code, asked("bytes=4-7").content) == (206, whole[4:8])
    for nonsense in ("bytes=x", "lines=1-2", "bytes=" + "0-1," * 500, "bytes="):
        assert (asked(nonsense).status_code, asked(nonsense).content) == (200, whole)
    beyond = asked(f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond.json()["error"]["code"]) == (416, "out_of_range")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"


def test_history_is_searched_and_paged(server: Any, made: dict[str, Any]) -> None:
    def found(query: str) -> list[str]:
        answer = server.get("/api/v1/riffs", params={"query": query}).json()
        return [riff["id"] for riff in answer["riffs"]]

    assert made["id"] in found("DRUMS steel")
    assert made["id"] in found("drums_100%")
    assert made["id"] not in found("steel%drums")
    assert found("no such words") == []
    others = [
        followed(server, server.post("/api/v1/riffs/loop", json={"prompt": "", "bars": 1, **QUICK}))
        for _ in range(2)
    ]
    assert others[0]["duration_s"] == 2.0
    first = server.get("/api/v1/riffs", params={"limit": 1}).json()
    assert [riff["id"] for riff in first["riffs"]] == [others[1]["id"]]
    second = server.get("/api/v1/riffs", params={"limit": 1, "before": first["next"]}).json()
    assert [riff["id"] for riff in second["riffs"]] == [others[0]["id"]]
    assert server.delete(f"/api/v1/riffs/{others[0]['id']}") == 204
    assert server.get(f"/api/v1/riffs/{others[0]['id']}").status_code == 404


def test_riffs_are_named_and_ordered(server: Any) -> None:
    lengths = {"ordered b": 1.0, "ordered a": 3.0, "ordered c": 2.0}
    ids = {}
    for prompt, seconds in lengths.items():
        body = {"prompt": prompt, "duration_s": seconds, **QUICK}
        ids[prompt] = followed(server, server.post("/api/v1/riffs", json=body))["id"]

    def listed(order: str, query: str = "ordered") -> list[str]:
        found: list[str] = []
        before = ""
        while before is not None:
            path = f"/api/v1/riffs?query={query}&order={order}&limit=2"
            page = server.get(path + (f"&before={before}" if before else "")).json()
            found += [riff["prompt"][-1] for riff in page["riffs"]]
            before = page["next"]
        return found

    assert listed("newest") == ["c", "a", "b"]
    assert listed("oldest") == ["b", "a", "c"]
    assert listed("longest") == ["a", "c", "b"]
    assert listed("name") == ["a", "b", "c"]
    path = f"{server.url}/api/v1/riffs/{ids['ordered a']}"
    named = requests.patch(path, json={"title": " Zither, ordered "}, timeout=60)
    assert named.json()["settings"]["title"] == "Zither, ordered"
    assert listed("name") == ["b", "c", "a"]
    assert listed("newest", query="zither, ordered") == ["a"]
    png = server.get(named.json()["files"]["png"])
    assert 'filename="Zither-ordered-0.png"' in png.headers["content-disposition"]
    assert "title" not in requests.patch(path, json={"title": ""}, timeout=60).json()["settings"]
    assert requests.patch(path, json={"title": "x" * 201}, timeout=60).status_code == 422
    gone = f"{server.url}/api/v1/riffs/unknown"
    assert requests.patch(gone, json={"title": "x"}, timeout=60).status_code == 404


def test_what_is_heard_in_a_sound(server: Any) -> None:
    chords = np.tile(cadence(2, MINOR_CADENCE), 4)
    sound = (chords + 0.05 * drums(120.0, len(chords) / RATE))[None].astype(np.float32)
    files = {"source": ("song.flac", audio_bytes(sound, RATE, ".flac"))}
    heard = server.post("/api/v1/analyse", files=files).json()
    assert heard["bpm"] == pytest.approx(120, rel=0.01)
    assert heard["key"] == "D minor"
    midi = server.post("/api/v1/analyse?format=midi", files=files)
    assert midi.content.startswith(b"MThd")
    assert midi.headers["content-type"] == "audio/midi"
    assert "bar 1" in server.post("/api/v1/analyse?format=labels", files=files).text
    damaged = server.post("/api/v1/analyse", files={"source": ("x.wav", b"no sound at all")})
    assert damaged.status_code == 422
    assert "the source" in damaged.json()["error"]["message"]
    assert server.post("/api/v1/analyse", data={"riff": "unknown"}).status_code == 404


def test_sounds_and_riffs_are_sources(server: Any, made: dict[str, Any]) -> None:
    sound = {"source": ("a/../b.wav", noise_wav(1.5))}
    settings = {"prompt": "x", "strength": 0.5, **QUICK}
    remix = followed(
        server,
        server.post("/api/v1/riffs/remix", files=sound, data={"settings": json.dumps(settings)}),
    )
    assert remix["state"] == "done", remix
    assert remix["duration_s"] == pytest.approx(1.5, abs=0.03)
    settings = {"prompt": "", "time_s": [0.5, 1.0], "band_hz": [200, 4000], **QUICK}
    form = {"settings": json.dumps(settings), "riff": made["id"]}
    inpaint = followed(server, server.post("/api/v1/riffs/inpaint", data=form))
    before, after = (
        picture_from_bytes(server.get(riff["files"]["png"]).content).values
        for riff in (made, inpaint)
    )
    assert np.array_equal(before[..., :40], after[..., :40])
    assert not np.array_equal(before, after)
    form["settings"] = json.dumps({"prompt": "", "duration_s": 3.0, **QUICK})
    extended = followed(server, server.post("/api/v1/riffs/extend", data=form))
    assert extended["duration_s"] == pytest.approx(3.0, abs=0.01)


def test_a_mask_of_any_size_is_stretched(server: Any, made: dict[str, Any]) -> None:
    mask = np.zeros((10, 20), np.uint8)
    mask[:, 10:] = 255
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    form = {"settings": json.dumps({"prompt": "", **QUICK}), "riff": made["id"]}
    answer = server.post("/api/v1/riffs/inpaint", data=form, files={"mask": file.getvalue()})
    riff = followed(server, answer)
    before, after = (
        picture_from_bytes(server.get(one["files"]["png"]).content).values for one in (made, riff)
    )
    half = before.shape[2] // 2
    assert np.array_equal(before[..., : half - 1], after[..., : half - 1])
    assert not np.array_equal(before[..., half:], after[..., half:])


@pytest.mark.parametrize(
    "data",
    [b"no sound at all", b"RIFF\xff\xff\xff\xffWAVE", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\x00"],
)
def test_what_is_no_sound_fails_without_a_path(server: Any, data: bytes) -> None:
    form = {"settings": json.dumps({"prompt": "", **QUICK})}
    answer = server.post("/api/v1/riffs/remix", data=form, files={"source": ("x.wav", data)})
    record = followed(server, answer)
    assert record["state"] == "failed"
    assert record["error"]
    assert "/" not in record["error"].replace("PNG/JPEG", "")
    assert record["files"] == {}
    assert server.get(f"/api/v1/riffs/{record['id']}/riff.png").status_code == 409


def test_a_riff_is_cancelled_while_it_is_made(server: Any) -> None:
    record = server.post("/api/v1/riffs", json=SLOW).json()
    with requests.get(f"{server.url}/api/v1/riffs/{record['id']}/events", stream=True) as events:
        lines = (line for line in events.iter_lines(chunk_size=1) if line.startswith(b"data: "))
        while json.loads(next(lines)[6:])["progress"] == 0.0:
            pass
        answer = server.post(f"/api/v1/riffs/{record['id']}/cancel")
        assert answer.json()["state"] == "cancelled"
        assert [json.loads(line[6:]) for line in lines][-1]["state"] == "cancelled"


def test_the_queue_is_bounded_and_a_dead_worker_is_replaced(server: Any) -> None:
    records = [server.post("/api/v1/riffs", json=SLOW).json() for _ in range(3)]
    full = server.post("/api/v1/riffs", json=SLOW)
    assert full.status_code == 503
    assert full.json()["error"]["code"] == "busy"
    assert int(full.headers["retry-after"]) > 0
    for record in records[1:]:
        server.post(f"/api/v1/riffs/{record['id']}/cancel")
    (pid,) = server.service.riff_pool.process_ids
    os.kill(pid, signal.SIGKILL)
    server.post(f"/api/v1/riffs/{records[0]['id']}/cancel")
    body = {"prompt": "", "duration_s": 1.0, **QUICK}
    assert followed(server, server.post("/api/v1/riffs", json=body))["state"] == "done"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x" * 501}, "prompt"),
        ({"prompt": "", "seed": -1}, "seed"),
        ({"prompt": "", "seed": 2**64}, "seed"),
        ({"prompt": "", "duration_s": 121}, "120"),
        ({"prompt": "", "num_inference_steps": 51}, "50"),
        ({"prompt": "", "key": "H minor"}, "key"),
        ({"prompt": "", "tempo": 100}, "tempo"),
        ({"prompt": "", "energy": 6}, "energy"),
        ({"prompt": "", "chords": "Am X"}, "no chord"),
        ({"prompt": "", "kind": "real"}, "kind"),
        ([], "valid"),
    ],
)
def test_wrong_bodies_are_refused(server: Any, body: Any, word: str) -> None:
    answer = server.post("/api/v1/riffs", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"
    assert word in answer.json()["error"]["message"]


def test_too_much_is_refused(server: Any) -> None:
    assert server.post("/api/v1/riffs", json={"prompt": "x" * 2**20}).status_code == 413
    chunks = (b"x" * 2**15 for _ in range(10))
    answer = server.post("/api/v1/riffs", data=chunks)
    assert answer.status_code == 413
    big = {"source": b"\0" * (2**21 + 1)}
    answer = server.post("/api/v1/riffs/remix", files=big, data={"settings": "{}"})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/riffs/unknown", 404, "not_found"),
        ("/api/v1/riffs/..%2f..%2fetc/riff.png", 404, "not_found"),
        ("/api/v1/riffs/%00", 404, "not_found"),
        ("/api/v1/riffs/x/riff.exe", 422, "invalid"),
        ("/api/v1/riffs/remix/", 404, "not_found"),
        ("/api/v1/riffs?limit=0", 422, "invalid"),
        ("/api/v1/riffs?before=x", 422, "invalid"),
    ],
)
def test_unknown_things_are_not_found(server: Any, path: str, status: int, code: str) -> None:
    answer = server.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


def test_other_origins_and_names_are_refused(server: Any) -> None:
    wrong = {"Origin": "https://elsewhere.example"}
    assert server.post("/api/v1/riffs", json={}, headers=wrong).status_code == 403
    assert server.get("/api/v1/info", headers={"Host": "rebound.example"}).status_code == 403
    assert server.post("/api/v1/riffs", json={}, headers={"Origin": server.url}).status_code == 422


def test_what_the_server_says_of_itself(server: Any) -> None:
    info = server.get("/api/v1/info").json()
    assert (info["protocol"], info["model"], info["needs_key"]) == (1, "tiny", False)
    assert info["sonogram"]["n_mels"] == 256
    assert server.get("/readyz").status_code == 200
    text = server.get("/metrics").text
    for name in ("queue_length_streams", "sound_made_seconds_total", "underruns_total"):
        assert f"\nsonoriff_{name} " in text
    assert "/openapi.json" not in server.get("/openapi.json").json()["paths"]


RIFF = {
    "start": {"prompt": "a", "seed": 1, "denoising": 0.5, "guidance": 7},
    "end": {"prompt": "b", "seed": 2, "negative_prompt": None},
    "alpha": 0,
    "num_inference_steps": 1,
    "seed_image_id": "own",
}


def test_riffusion_s_endpoint(server: Any) -> None:
    answer = server.post("/run_inference/", json=RIFF)
    assert answer.status_code == 200, answer.text
    values = answer.json()
    assert set(values) == {"image", "audio", "duration_s"}
    head, image = values["image"].split(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(image))).format == "JPEG"
    head, audio = values["audio"].split(",")
    assert head == "data:audio/mpeg;base64"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(audio)))
    assert len(samples) / rate == pytest.approx(values["duration_s"], abs=0.06)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"alpha": None}, "wrong value type for field \"alpha\" - should be \"float\" instead of "
         "value \"None\" of type \"NoneType\""),
        ({"start": {"seed": 1}}, 'missing value for field "start.prompt"'),
        ({"seed_image_id": "../og_beat"}, "Invalid seed image: ../og_beat"),
        ({"mask_image_id": "none"}, "Invalid mask image: none"),
        ({"num_inference_steps": 10**9}, "num_inference_steps must be in [1, 50] here"),
        ({"alpha": 1.5}, "alpha must be in [0, 1], got 1.5"),
    ],
)  # fmt: skip
def test_riffusion_s_errors(server: Any, changes: dict[str, Any], line: str) -> None:
    answer = server.post("/run_inference/", json={**RIFF, **changes})
    assert (answer.status_code, answer.text) == (400, line)
    assert answer.headers["content-type"].startswith("text/plain")


def test_seed_images_of_our_own_stand_in_for_riffusion_s() -> None:
    seeds = SeedImages(None)
    assert {"og_beat", "agile", "marim", "motorway", "vibes"} < set(seeds.ids)
    for name in seeds.ids:
        data = seeds.read(name)
        assert data is not None
        assert picture_from_bytes(data).n_frames == 512
    assert seeds.read("../seeds/mallets") is None


def test_a_riff_that_cannot_be_kept_fails_and_clears_its_place(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the disk is full, or the database has gone."""
    body = {"prompt": "", "duration_s": 1.0, **QUICK}

    def failing(*_given: Any) -> None:
        raise OSError(28, "No space left on device", "/secret/path")

    with monkeypatch.context() as patch:
        patch.setattr(server.service.store, "finish", failing)
        record = followed(server, server.post("/api/v1/riffs", json=body))
    assert record["state"] == "failed"
    assert record["error"] == f"the server failed at this riff ({record['id']} in its log)"
    with monkeypatch.context() as patch:
        patch.setattr(server.service.store, "set_state", failing)
        patch.setattr(server.service.store, "finish", failing)
        assert followed(server, server.post("/api/v1/riffs", json=body))["state"] == "failed"
    assert len(server.service.jobs) == 0
