"""The stream's WebSocket, by a client that checks every index."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server_tools import wait_until
from sonoriff.models.small.model import SmallModel
from sonoriff.sonogram.picture import picture_from_bytes
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

RATE = 44100
Make = Callable[..., Any]


def drain(socket: Any) -> None:
    """Read until the connection is closed, which raises."""
    while True:
        socket.recv(timeout=60)


def flood(socket: Any) -> None:
    """Send far too much."""
    for i in range(10_000):
        socket.send(json.dumps({"type": "ping", "t": i}))
    drain(socket)


def closed_with(socket: Any) -> int:
    """Read to the end; the code that the server closed with."""
    with pytest.raises(ConnectionClosed) as caught:
        drain(socket)
    assert caught.value.rcvd is not None
    return int(caught.value.rcvd.code)


def test_sound_is_the_engine_s_own(player: Make, model_folder: Any) -> None:
    one = player(scene={"prompts": [{"text": "a", "weight": 1.0}], "num_inference_steps": 1})
    assert one.ready["next_sample"] == 0
    assert one.ready["scene"]["num_inference_steps"] == 1
    one.play(5 * RATE)
    one.bye()
    assert one.socket.close_code == 1000
    model = SmallModel.from_pretrained(model_folder)
    stream = RiffStream(model)
    scene = Scene(prompts=(WeightedPrompt("a"),), num_inference_steps=1)
    state, parts, pictures = stream.start(SceneSchedule((Cue(scene),))), [], []
    while state.n_samples < 5 * RATE:
        columns, samples, state = stream.next(state)
        parts.append(samples)
        pictures.append(columns)
    sound = np.rint(np.clip(np.concatenate(parts, axis=1).T, -1, 1) * 32767)
    heard = np.frombuffer(one.sound, "<i2").reshape(-1, 2)
    assert np.array_equal(heard, sound[: len(heard)])
    levels = np.frombuffer(one.columns, np.uint8).reshape(-1, 256).T
    wanted = (np.concatenate(pictures, axis=2)[2] + 80.0) / 92.0 * 255.0
    assert np.abs(levels - wanted[:, : levels.shape[1]]).max() <= 0.51


def at_rest(server: Any, one: Any) -> Any:
    """A player's stream, once all that it has in hand is made: its worker is idle then."""
    stream = server.service.streams.find(one.ready["session"])
    wait_until(lambda: stream.session.made_until > 0 and stream._making.done())
    return stream


def test_a_change_is_heard_from_where_the_server_says(player: Make, server: Any) -> None:
    one = player()
    one.play(RATE)
    stream = at_rest(server, one)
    stream.speed = 100.0  # so that no time has to be left for a slow machine
    one.send(type="scene", scene={"prompts": [{"text": "b"}], "morph_bars": 0.0}, id=7)
    answer = one.expect("scheduled")
    assert answer["id"] == 7
    assert answer["scene"]["prompts"] == [{"text": "b", "weight": 1.0}]
    # Soon: not at the end of the window that is heard, but as soon as nothing sent is changed.
    assert answer["from_sample"] < one.next_sample + 1.2 * RATE
    assert answer["from_sample"] < one.windows[-1]["end_sample"]
    one.play(answer["from_sample"] + RATE // 10)
    assert one.windows[-1]["first_sample"] == answer["from_sample"]
    assert one.windows[-1]["scene"] == answer["scene"]
    assert [p["text"] for p in one.windows[-1]["prompts"]] == ["b"]
    one.send(type="scene", scene={"seed": 9}, at=one.next_sample + 20 * RATE)
    later = one.expect("scheduled")
    assert later["from_sample"] >= one.next_sample + 20 * RATE
    assert later["scene"]["prompts"] == answer["scene"]["prompts"]


def replayed(model_folder: Any, cues: list[Cue], n_samples: int) -> bytes:
    """What the engine makes of scenes at samples."""
    stream = RiffStream(SmallModel.from_pretrained(model_folder))
    state, parts = stream.start(SceneSchedule(tuple(cues))), []
    while state.n_samples < n_samples:
        _, samples, state = stream.next(state)
        parts.append(samples)
    sound = np.rint(np.clip(np.concatenate(parts, axis=1).T, -1, 1) * 32767).astype("<i2")
    return sound[:n_samples].tobytes()


def test_what_was_played_can_be_played_again(player: Make, model_folder: Any) -> None:
    """Changes at the samples that the server named give the same stream from the engine."""
    one = player()
    cues = [Cue(Scene.from_dict(one.ready["scene"]))]
    for i, text in enumerate(("b", "c", "d")):
        one.play(one.next_sample + RATE)
        one.send(type="scene", scene={"prompts": [{"text": text}], "seed": i})
        answer = one.expect("scheduled")
        cues.append(Cue(Scene.from_dict(answer["scene"]), answer["from_sample"]))
    one.play(one.next_sample + 8 * RATE)
    assert one.sound == replayed(model_folder, cues, one.next_sample)


def test_a_slow_server_ends_its_window_where_the_change_is(
    player: Make, server: Any, model_folder: Any
) -> None:
    one = player()
    cues = [Cue(Scene.from_dict(one.ready["scene"]))]
    one.play(RATE)
    stream = server.service.streams.find(one.ready["session"])
    (pid,) = server.service.stream_pool.process_ids
    os.kill(pid, signal.SIGSTOP)
    try:
        one.send(type="want", until=4 * RATE)
        wait_until(lambda: stream._painting)
        stream.speed = 0.5
        under_way = stream.session.next_first_sample
        one.send(type="scene", scene={"prompts": [{"text": "b"}], "morph_bars": 0.0})
        answer = one.expect("scheduled")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert answer["from_sample"] > under_way
    cues.append(Cue(Scene.from_dict(answer["scene"]), answer["from_sample"]))
    one.play(one.next_sample + 12 * RATE)
    ends = [window["end_sample"] for window in one.windows]
    assert answer["from_sample"] in ends
    assert one.sound == replayed(model_folder, cues, one.next_sample)


def test_many_changes_at_once_leave_the_last(player: Make) -> None:
    one = player()
    one.play(RATE)
    for i in range(30):
        one.send(type="scene", scene={"prompts": [{"text": f"p{i}"}], "morph_bars": 0.0}, id=i)
    while one.expect("scheduled")["id"] != 29:
        pass
    one.play(4 * RATE)
    assert [p["text"] for p in one.windows[-1]["prompts"]] == ["p29"]


def test_nothing_comes_that_was_not_wanted(player: Make) -> None:
    one = player()
    one.play(1000)
    one.send(type="want", until=500)
    one.send(type="ping", t=1.5)
    pong = one.expect("pong")
    assert pong["t"] == 1.5
    assert one.next_sample == 1000


@pytest.mark.parametrize(
    "message",
    [
        {"type": "want"},
        {"type": "want", "until": -1},
        {"type": "want", "until": 1e99},
        {"type": "want", "until": 2**70},
        {"type": "want", "until": "5"},
        {"type": "nonsense"},
        {"type": ["want"]},
        {"type": "hello", "version": 1},
        {"type": "scene", "scene": {"bpm": 1e9}},
        {"type": "scene", "scene": {"key": "H minor"}},
        {"type": "scene", "scene": {"prompts": []}},
        {"type": "scene", "scene": {"num_inference_steps": 51}},
        {"type": "scene", "scene": {"tempo": 100}},
        {"type": "scene", "scene": {"negative_prompt": "x" * 501}},
        ["want"],
        17,
        None,
    ],
)
def test_a_wrong_message_is_answered_and_the_stream_goes_on(player: Make, message: Any) -> None:
    one = player()
    if isinstance(message, dict):
        message = {**message, "id": "mine"}
    one.socket.send(json.dumps(message))
    answer = one.expect("error")
    assert answer["code"] == "invalid"
    assert answer.get("id") == ("mine" if isinstance(message, dict) else None)
    assert len(answer["message"]) < 500
    one.send(type="ping", t=0)
    one.expect("pong")


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("garbage", 4400),
        (b"\x00\xff", 4400),
        ('{"type": "want", "until": 5}', 4400),
        ('{"type": "hello", "version": 2}', 4400),
        ('{"type": "hello", "version": 1, "scene": {"bpm": "fast"}}', 4400),
        ("[" * 60_000, 4400),
        (None, 4408),
        ("x" * 70_000, 1009),
        (
            json.dumps(
                {"type": "hello", "version": 1, "resume": {"session": "no", "next_sample": 0}}
            ),
            4404,
        ),
    ],
)
def test_who_does_not_speak_the_protocol_is_let_go(server: Any, first: Any, code: int) -> None:
    with server.socket() as socket:
        if first is not None:
            socket.send(first)
        assert closed_with(socket) == code


def test_a_flood_is_stopped_and_others_are_served(server: Any, player: Make) -> None:
    other = player()
    with server.socket() as socket:
        socket.send(json.dumps({"type": "hello", "version": 1}))
        with pytest.raises(ConnectionClosed):
            flood(socket)
    other.play(2 * RATE)


def test_a_lost_connection_is_resumed_to_the_sample(player: Make) -> None:
    whole = player()
    whole.play(4 * RATE)
    one = player()
    one.play(3 * RATE)
    one.socket.socket.close()  # without a word
    place = 2 * RATE + 123
    again = player(resume={"session": one.ready["session"], "next_sample": place})
    assert again.ready["next_sample"] == place
    again.play(4 * RATE)
    assert again.sound == whole.sound[4 * place :]
    assert again.columns == whole.columns[256 * (place // 512) :][: len(again.columns)]
    assert again.windows == [w for w in whole.windows if w["end_sample"] > place]


def test_the_newer_connection_takes_over(player: Make, server: Any) -> None:
    one = player()
    one.play(RATE)
    again = player(resume={"session": one.ready["session"], "next_sample": RATE})
    assert closed_with(one.socket) == 4409
    again.play(2 * RATE)
    again.bye()
    with server.socket() as socket:
        resume = {"session": one.ready["session"], "next_sample": RATE}
        socket.send(json.dumps({"type": "hello", "version": 1, "resume": resume}))
        assert closed_with(socket) == 4404


def test_a_worker_that_is_killed_is_replaced_and_the_sound_goes_on(
    player: Make, server: Any
) -> None:
    whole = player()
    whole.play(9 * RATE)
    one = player()
    one.play(RATE)
    one.send(type="want", until=9 * RATE)
    before = server.service.stream_pool.restarts
    (pid,) = server.service.stream_pool.process_ids
    os.kill(pid, signal.SIGKILL)
    while one.next_sample < 9 * RATE:
        one.step()
    assert one.sound == whole.sound
    assert server.service.stream_pool.restarts > before


@pytest.mark.parametrize("killed", [False, True])
def test_windows_that_fall_together_are_made_together(
    server: Any, player: Make, model_folder: Any, killed: bool
) -> None:
    """Each listener hears what it would hear alone, also where the worker dies of it."""
    scenes = [
        {"prompts": [{"text": text}], "seed": i, "num_inference_steps": 1, "guidance_scale": 1.5}
        for i, text in enumerate("abc")
    ]
    pool = server.service.stream_pool
    players = [player(scene=scene) for scene in scenes]
    # A worker that still is at something, of a test before, would be stopped at that.
    players[0].play(1000)
    at_rest(server, players[0])
    (pid,), before, number = pool.process_ids, pool.n_together, pool._number
    os.kill(pid, signal.SIGSTOP)
    try:
        players[0].send(type="want", until=6 * RATE)
        wait_until(lambda: pool._number > number and pool.waiting == 0)
        for one in players[1:]:
            one.send(type="want", until=6 * RATE)
        wait_until(lambda: pool.waiting == 2)
    finally:
        os.kill(pid, signal.SIGCONT)
    if killed:
        wait_until(lambda: pool.waiting == 0)
        os.kill(pid, signal.SIGKILL)
    for one in players:
        one.play(6 * RATE)
    assert pool.n_together >= before + 2
    stream = RiffStream(SmallModel.from_pretrained(model_folder))
    for one in players:
        state = stream.start(SceneSchedule((Cue(Scene.from_dict(one.ready["scene"])),)))
        parts = []
        while state.n_samples < one.next_sample:
            _, samples, state = stream.next(state)
            parts.append(samples)
        wanted = np.clip(np.concatenate(parts, axis=1)[:, : one.next_sample].T, -1, 1)
        heard = np.frombuffer(one.sound, "<i2") / 32767
        assert np.corrcoef(heard, wanted.ravel())[0, 1] > 0.99


def test_a_server_says_how_far_its_model_is_loaded(starting: Any) -> None:
    answer, info = starting.get("/readyz"), starting.get("/api/v1/info").json()
    assert answer.status_code == 503
    assert re.search(r"loaded, \d+ %", answer.json()["error"]["message"])
    assert info["ready"] is False
    assert 0.0 <= info["loading"] < 1.0
    with starting.socket() as socket:
        socket.send(json.dumps({"type": "hello", "version": 1}))
        error = json.loads(socket.recv(timeout=60))
        assert error["code"] == "loading"
        assert closed_with(socket) == 4503
    while starting.get("/readyz").status_code != 200:
        time.sleep(0.1)
    assert starting.get("/api/v1/info").json()["loading"] == 1.0


def test_a_slow_reader_holds_up_nobody(player: Make) -> None:
    slow = player(max_queue=4)
    slow.send(type="want", until=25 * RATE)
    other = player()
    other.play(3 * RATE)
    while slow.next_sample < 5 * RATE:
        slow.step()
        time.sleep(0.001)


def test_two_hundred_come_and_go(server: Any) -> None:
    for i in range(200):
        socket = server.socket().__enter__()
        socket.send(json.dumps({"type": "hello", "version": 1, "scene": {"seed": i}}))
        if i % 2:
            socket.send(json.dumps({"type": "want", "until": 100}))
        if i % 3:
            assert json.loads(socket.recv(timeout=60))["type"] in ("ready", "error")
        if i % 5 == 0:
            socket.socket.close()
        else:
            socket.close()
    assert server.get("/healthz").status_code == 200


def test_no_more_streams_than_allowed(server: Any, player: Make) -> None:
    players = [player() for _ in range(5)]
    with server.socket() as socket:
        socket.send(json.dumps({"type": "hello", "version": 1}))
        assert closed_with(socket) == 4429
    players[0].bye()
    player()


def test_streams_that_are_resumed_are_counted(server: Any, player: Make) -> None:
    lost = player()
    lost.play(1000)
    lost.socket.socket.close()
    wait_until(lambda: server.service.streams.find(lost.ready["session"]).connection is None)
    players = [player() for _ in range(5)]
    resume = {"session": lost.ready["session"], "next_sample": 1000}
    with server.socket() as socket:
        socket.send(json.dumps({"type": "hello", "version": 1, "resume": resume}))
        assert closed_with(socket) == 4429
    players[0].bye()
    player(resume=resume).play(2000)


def test_scenes_for_later_do_not_pile_up(player: Make) -> None:
    """4,512 of them held the worker for 46 s, each time that a window was asked for."""
    one = player()
    one.play(1000)
    for i in range(15):
        one.send(type="scene", scene={"seed": i}, at=(i + 2) * 100 * RATE)
        one.expect("scheduled")
    one.send(type="scene", scene={"seed": 15}, at=10_000 * RATE, id="late")
    error = one.expect("error")
    assert (error["code"], error["id"]) == ("invalid", "late")
    one.send(type="scene", scene={"seed": 16})
    one.expect("scheduled")
    one.play(2 * RATE)


def test_a_server_that_stops_opens_no_streams(
    server: Any, player: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = player()
    one.play(1000)
    one.socket.socket.close()
    monkeypatch.setattr(server.service.streams, "closed", True)
    resume = {"session": one.ready["session"], "next_sample": 0}
    for more in ({}, {"resume": resume}):
        with server.socket() as socket:
            socket.send(json.dumps({"type": "hello", "version": 1, **more}))
            assert json.loads(socket.recv(timeout=60))["code"] == "busy"
            assert closed_with(socket) == 4503


def test_pages_of_another_origin_are_refused(server: Any) -> None:
    with pytest.raises(InvalidStatus) as caught:
        server.socket(origin="https://elsewhere.example").__enter__()
    assert caught.value.response.status_code == 403
    with server.socket(origin=server.url):
        pass


def test_a_part_of_a_stream_is_kept(server: Any, player: Make) -> None:
    one = player(scene={"num_inference_steps": 1, "prompts": [{"text": "kept, really"}]})
    one.play(2 * RATE)
    where = f"/api/v1/streams/{one.ready['session']}/riffs"
    answer = server.post(where, json={"first_sample": 1000, "end_sample": RATE})
    assert answer.status_code == 201
    record = answer.json()
    assert record["state"] == "done"
    assert record["prompt"] == "kept, really"
    wav = server.get(record["files"]["wav"]).content
    heard, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert heard.tobytes() == one.sound[4 * 512 : 4 * (RATE // 512 * 512)]
    picture = picture_from_bytes(server.get(record["files"]["png"]).content)
    left, right, mid = picture.values
    assert (len(mid), mid.shape[1]) == (256, RATE // 512 - 1)
    shown = np.frombuffer(one.columns, np.uint8).reshape(-1, 256)[1 : RATE // 512].T
    params = picture.params
    step = (params.db_max - params.db_min) / 255.0
    assert np.array_equal(np.rint((mid - params.db_min) / step), shown)
    assert not np.array_equal(left, right)
    assert server.service.model_info.channels == 2
    late = server.post(where, json={"first_sample": 0, "end_sample": 60 * RATE})
    assert late.status_code == 422
    assert server.post(where.replace("streams/", "streams/x"), json={}).status_code == 422
