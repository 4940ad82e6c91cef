"""Controls of an endless riff, by OSC over a real socket and by MIDI messages."""

from __future__ import annotations

import threading
from typing import Any

import mido
import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.udp_client import SimpleUDPClient

from sonoriff.errors import ParameterError
from sonoriff.stream.controls import KNOBS, MidiMap, Steering, handle_osc
from sonoriff.stream.scene import Scene, WeightedPrompt


@pytest.fixture
def steering() -> Steering:
    return Steering(Scene(prompts=(WeightedPrompt("jazz"),)))


def test_osc_messages_change_the_scene(steering: Steering) -> None:
    said: list[str] = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(handle_osc(steering, said.append))
    with BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        thread = threading.Thread(target=lambda: [server.handle_request() for _ in range(13)])
        thread.start()
        messages: list[tuple[str, Any]] = [
            ("/sonoriff/prompt", "church organ"),
            ("/sonoriff/bpm", 97.5),
            ("/sonoriff/bpm", "fast"),
            ("/sonoriff/key", "D minor"),
            ("/sonoriff/blend", ["bells", 0.25, "beats", 0.75]),
            ("/sonoriff/blend", 0.5),
            ("/sonoriff/volume", 2.0),
            ("/sonoriff/energy", 4.2),
            ("/sonoriff/chords", "Am F"),
            ("/sonoriff/chords", "Hm7x"),
            ("/sonoriff/energy", 9),
            ("/sonoriff/nothing", 1),
            ("/other/prompt", "not for us"),
        ]
        with SimpleUDPClient("127.0.0.1", server.server_address[1]) as client:
            for address, value in messages:
                client.send_message(address, value)
        thread.join()
    scene = steering.scene
    assert (scene.bpm, scene.key, steering.volume) == (97.5, "D minor", 1.0)
    assert scene.prompts == (WeightedPrompt("bells", 0.5), WeightedPrompt("beats", 0.5))
    assert (scene.energy, scene.chords) == (4, "Am F")
    assert len(said) == 4
    assert said[0] == "/sonoriff/bpm: bpm takes one number"
    assert "there is no control 'nothing'" in said[-1]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("prompt", (1,)),
        ("blend", ("a", 1.0, "b")),
        ("blend", (0.5,)),  # of one prompt
        ("bpm", (float("nan"),)),
        ("bpm", (5000.0,)),
        ("key", ("H minor",)),
        ("seed", (-1,)),
        ("mode", ("waltz",)),
        ("strength", (True,)),
        ("walk", ()),
    ],
)
def test_what_is_wrong_changes_nothing(
    steering: Steering, name: str, values: tuple[Any, ...]
) -> None:
    before = steering.scene
    with pytest.raises(ParameterError):
        steering.set(name, *values)
    assert steering.scene == before


def test_knobs_and_pads_of_a_controller() -> None:
    knobs = {f"0/{20 + i}": name for i, name in enumerate(KNOBS)}
    bound = MidiMap(knobs, {"9/36": "dub"})
    for i, (name, (low, high)) in enumerate(KNOBS.items()):
        for value, wanted in ((0, low), (127, high)):
            message = mido.Message("control_change", channel=0, control=20 + i, value=value)
            assert bound.control_of(message) == (name, pytest.approx(wanted))
    assert bound.control_of(mido.Message("note_on", channel=9, note=36)) == ("prompt", "dub")
    for other in (
        mido.Message("note_on", channel=9, note=36, velocity=0),
        mido.Message("note_on", channel=0, note=36),
        mido.Message("control_change", channel=1, control=20),
        mido.Message("clock"),
        mido.Message("sysex", data=(1, 2, 3)),
    ):
        assert bound.control_of(other) is None
    with pytest.raises(ParameterError, match="a knob moves bpm"):
        MidiMap({"0/21": "world"}, {})
