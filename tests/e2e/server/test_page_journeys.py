"""What a musician comes for, from the first click to the file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Page, expect

from listening import EAR
from page_tools import button, frames_heard, look, newest, play, riff_of, slide, view
from server_tools import wait_until
from sonoriff.audio import audio_bytes, read_tags

pytestmark = pytest.mark.usefixtures("page_is_built")
MASK = re.compile("^Mask")


def downloaded(page: Page, prompt: str, name: str, tmp_path: Path) -> Path:
    menu = page.locator(".now .menu")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with page.expect_download() as download:
        menu.get_by_role("link", name=name).click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    assert target.name.startswith(prompt.replace(" ", "-"))
    return target


def test_a_loop_is_made_heard_and_taken_away(server: Any, page: Page, tmp_path: Path) -> None:
    """Thirty seconds at 80 bpm, as MP3 and as WAV with its loop points."""
    view(page, "Make")
    page.get_by_label("What is it to be?").fill("slow dub")
    page.get_by_role("radio", name=re.compile("^Loop")).check(force=True)
    slide(page, "Bars", "10")
    slide(page, "Tempo in beats per minute", "80")
    page.get_by_label("Seed", exact=True).fill("11")
    look(page, "make")
    button(page, "Make").click()
    expect(page.locator(".now .words")).to_have_text("slow dub")
    expect(page.locator(".now .facts")).to_contain_text("80 bpm")
    riff = newest(server)
    assert (riff["verb"], riff["settings"]["bars"], riff["settings"]["seed"]) == ("loop", 10, 11)
    page.wait_for_timeout(2000)
    assert frames_heard(page) > 20_000
    mp3 = downloaded(page, "slow dub", "MP3", tmp_path)
    assert read_tags(mp3)["tbpm"] == "80"
    wav = soundfile.SoundFile(downloaded(page, "slow dub", "WAV 44.1 kHz", tmp_path))
    assert wav.frames == 30 * 44100
    said = " ".join(wav.extra_info.split())
    assert f"Start : 0 End : {30 * 44100 - 1}" in said
    assert "Tempo : 80.0" in said
    daw = soundfile.SoundFile(downloaded(page, "slow dub", "WAV for a DAW", tmp_path))
    assert (daw.samplerate, daw.subtype, daw.frames) == (48000, "PCM_24", 30 * 48000)
    button(page, "Gallery").click()
    expect(button(page, "Play slow dub")).to_be_visible()


def test_a_loop_goes_round_and_round(server: Any, page: Page) -> None:
    view(page, "Make")
    page.get_by_label("What is it to be?").fill("short")
    page.get_by_role("radio", name=re.compile("^Loop")).check(force=True)
    slide(page, "Bars", "1")
    slide(page, "Tempo in beats per minute", "200")
    button(page, "Make").click()
    expect(page.locator(".now .words")).to_have_text("short")
    seconds = newest(server)["duration_s"]
    wait_until(lambda: frames_heard(page) > 3 * seconds * 44100)
    expect(button(page, "Pause")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile("0:0[01]"))
    page.locator(".now").get_by_role("button", name="Loop").click()
    expect(button(page, "Play")).to_be_visible()


def test_tempo_key_and_what_to_leave_out_are_as_asked(server: Any, page: Page) -> None:
    """In a riff that is made, and in the stream."""
    view(page, "Make")
    page.get_by_label("What is it to be?").fill("calm piano")
    slide(page, "Tempo in beats per minute", "90")
    page.get_by_label("Key", exact=True).select_option(label="A")
    page.get_by_label("Mode", exact=True).select_option("minor")
    page.get_by_label("Leave out", exact=True).fill("drums")
    slide(page, "Seconds", "2")
    slide(page, "How many", "2")
    button(page, "Make").click()
    expect(page.locator(".now .facts")).to_have_text("90 bpm · A minor")
    wait_until(lambda: newest(server)["settings"]["seed"] == 1)
    wait_until(lambda: newest(server)["state"] == "done")
    asked = newest(server)["settings"]
    wanted = {"bpm": 90, "key": "A minor", "negative_prompt": "drums", "duration_s": 2}
    assert {name: asked[name] for name in wanted} == wanted
    expect(page.locator(".make .item")).to_have_count(2)
    view(page, "Play")
    slide(page, "Tempo in beats per minute", "90")
    page.get_by_label("Key", exact=True).select_option(label="A")
    page.get_by_label("Mode", exact=True).select_option("minor")
    page.get_by_label("Leave out", exact=True).fill("drums")
    page.get_by_label("Leave out", exact=True).press("Enter")
    chords = page.get_by_label("Chords", exact=True)
    chords.fill("Hm7x")
    chords.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="is no chord")).to_be_visible()
    chords.fill("Am:2 F")
    chords.press("Enter")
    slide(page, "Energy", "4")
    button(page, "Back to the stream").click()
    expect(page.locator(".line")).to_have_text("Live")

    def chunks() -> list[Any]:
        streams = [s for s in server.service.streams._streams.values() if s.connection]
        return [chunk for stream in streams for chunk in stream.session._chunks]

    wait_until(lambda: bool(chunks()))
    window = chunks()[-1].window
    assert (window.bpm, window.key, window.negative_prompt) == (90, "A minor", "drums")
    assert (window.scene["energy"], window.scene["chords"]) == (4, "Am:2 F")


def grey(server: Any, riff: dict[str, Any]) -> Any:
    """The levels of a riff's picture, high notes first."""
    png = server.get(riff["files"]["png"]).content
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), np.float32)


def workers(server: Any) -> list[psutil.Process]:
    model = str(server.service.config.model)
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if "sonoriff.server.workers.worker" in process.cmdline() and model in process.cmdline()[-1]
    ]


def test_a_remix_shows_its_progress_and_can_be_cancelled(
    server: Any, page: Page, tmp_path: Path
) -> None:
    seconds = np.arange(20 * 44100) / 44100
    tone = (0.3 * np.sin(2 * np.pi * 220 * seconds))[None].astype(np.float32)
    (tmp_path / "mine.mp3").write_bytes(audio_bytes(tone, 44100, ".mp3"))
    view(page, "Make")

    def remix() -> None:
        page.get_by_label("Begin with a sound").set_input_files(tmp_path / "mine.mp3")
        dialog = page.get_by_role("dialog", name="Remix")
        dialog.get_by_label("What it is to become").fill("church organ")
        dialog.get_by_role("button", name="Remix").click()

    held = workers(server)
    for process in held:
        process.suspend()
    try:
        remix()
        job = page.locator(".job", has_text="Remixing")
        expect(job).to_contain_text("Waits for its turn")
        look(page, "job")
        expect(job.get_by_role("button", name="Cancel")).to_be_enabled()
        job.get_by_role("button", name="Cancel").click()
        expect(job).to_have_count(0)
    finally:
        for process in held:
            if process.is_running():
                process.resume()
    assert newest(server)["state"] == "cancelled"
    # Nothing is complained of, and another one is made.
    expect(page.locator(".line")).to_have_text("Ready")
    wait_until(lambda: server.service.riff_pool.model_info)
    remix()
    expect(page.locator(".now .words")).to_have_text("church organ")
    assert newest(server)["state"] == "done"
    assert newest(server)["duration_s"] == pytest.approx(20, abs=0.1)


def test_only_the_bass_is_made_anew(server: Any, page: Page) -> None:
    before = riff_of(server, "riff with a bass")
    button(page, "Gallery").click()
    page.get_by_label("Search").fill("riff with a bass")
    button(page, "Paint on riff with a bass").click()
    page.get_by_role("img", name=MASK).wait_for()
    expect(page.locator(".now .words")).to_have_text("riff with a bass")
    button(page, "Bass").click()
    look(page, "paint-bass")
    # Undone and done again, it is still the bass.
    button(page, "Undo").click()
    expect(button(page, "Make anew")).to_be_disabled()
    button(page, "Redo").click()
    page.get_by_label("What the painted part is to become").fill("slap bass")
    button(page, "Make anew").click()
    expect(page.locator(".now .words")).to_have_text("slap bass")
    after = newest(server)
    assert after["verb"] == "inpaint"
    pictures = [grey(server, riff) for riff in (before, after)]
    changed = (np.abs(pictures[0] - pictures[1]) > 8).mean(axis=1)[::-1]  # by row, from below
    mel = 2595 * np.log10(1 + np.array([20.0, 60.0, 250.0, 16000.0]) / 700)
    low, high = (257 * (mel[1:3] - mel[0]) / (mel[3] - mel[0])).astype(int)
    assert changed[low + 2 : high - 2].mean() > 0.5
    assert changed[high + 8 :].mean() < 0.1


def test_boxes_snap_to_bars(server: Any, page: Page) -> None:
    asked = {"prompt": "four bars", "bpm": 120, "bars": 4, "num_inference_steps": 1}
    record = server.post("/api/v1/riffs/loop", json=asked).json()
    wait_until(lambda: server.get(f"/api/v1/riffs/{record['id']}").json()["state"] == "done")
    button(page, "Gallery").click()
    button(page, "Paint on four bars").first.click()
    canvas = page.get_by_role("img", name=MASK)
    expect(page.locator(".now .words")).to_have_text("four bars")
    page.get_by_label("Box", exact=True).check(force=True)
    page.get_by_label("Snap to bars").check()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    page.mouse.up()
    look(page, "paint-box")
    columns = """() => {
      const canvas = document.querySelector('.mask')
      const { width, height } = canvas
      const row = canvas.getContext('2d').getImageData(0, height / 2, width, 1).data
      const painted = [...Array(width).keys()].filter((x) => row[4 * x + 3] > 128)
      return [painted[0] / width, (painted.at(-1) + 1) / width]
    }"""
    # From the beginning of the second bar to its end.
    assert page.evaluate(columns) == pytest.approx([0.25, 0.5], abs=0.005)


def test_a_riff_is_found_renamed_shared_and_opened(server: Any, page: Page) -> None:
    riff_of(server, "yesterday, a harp")
    for prompt in ("other one", "other two"):
        riff_of(server, prompt)
    button(page, "Gallery").click()
    page.get_by_label("Search").fill("yesterday")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card .facts")).to_contain_text("0:02")
    expect(page.locator(".card .facts")).to_contain_text("seed 0")
    button(page, "Rename yesterday, a harp").click()
    page.get_by_label("Title").fill("Evening in Zürich")
    page.keyboard.press("Enter")
    expect(button(page, "Play Evening in Zürich")).to_be_visible()
    page.get_by_label("Search").fill("evening")
    expect(button(page, "Play Evening in Zürich")).to_be_visible()
    page.get_by_label("Search").fill("")
    page.get_by_label("Order").select_option("name")
    expect(page.locator(".card .text").first).not_to_have_text("other two")
    look(page, "gallery")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    button(page, "Copy a link to Evening in Zürich").click()
    page.get_by_text("The link is copied.").wait_for(state="attached")
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert page.context.browser is not None
    other = page.context.browser.new_page(bypass_csp=True)
    other.add_init_script(EAR)
    other.goto(link)
    button(other, "Play: Evening in Zürich").click()
    expect(other.locator(".now .words")).to_have_text("Evening in Zürich")
    other.wait_for_timeout(1500)
    assert frames_heard(other) > 20_000


def test_more_like_a_riff_is_its_wish_with_another_seed(server: Any, page: Page) -> None:
    riff_of(server, "a gamelan")
    button(page, "Gallery").click()
    button(page, "More like a gamelan").first.click()
    wait_until(lambda: newest(server)["settings"]["seed"] != 0)
    wait_until(lambda: newest(server)["state"] == "done")
    again = newest(server)
    assert (again["prompt"], again["settings"]["duration_s"]) == ("a gamelan", 2)
    expect(page.locator(".now .words")).to_have_text("a gamelan")


def test_bells_turn_into_beats_and_are_recorded(server: Any, page: Page, tmp_path: Path) -> None:
    play(page)
    button(page, "Blend with another sound").click()
    page.get_by_label("Sound 1", exact=True).fill("church bells")
    page.get_by_label("Sound 1", exact=True).press("Enter")
    page.get_by_label("Sound 2", exact=True).fill("electronic beats")
    page.get_by_label("Sound 2", exact=True).press("Enter")
    button(page, "Record").click()
    expect(page.locator(".now .words")).to_contain_text("electronic beats")
    page.get_by_label("Share of sound 2").fill("80")
    (stream,) = (s for s in server.service.streams._streams.values() if s.connection)

    def asked() -> dict[str, float]:
        return {prompt.text: prompt.weight for prompt in stream.session.scene.prompts}

    wait_until(lambda: asked() == {"church bells": 0.2, "electronic beats": 0.8})
    page.wait_for_timeout(2000)
    button(page, "Stop recording").click()
    with page.expect_download() as download:
        page.get_by_role("dialog", name="Recorded").get_by_role("button", name="WAV").click()
    download.value.save_as(tmp_path / "take.wav")
    take, rate = soundfile.read(tmp_path / "take.wav")
    assert len(take) / rate > 2.0
    # Two channels that are the same are written as one.
    assert take.ndim == 1 or not np.array_equal(take[:, 0], take[:, 1])
