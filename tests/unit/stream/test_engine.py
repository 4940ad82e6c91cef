"""The stream is one signal, can be replayed, and heeds its schedule."""

from dataclasses import replace

import numpy as np
import pytest

from sonoriff.errors import Cancelled, ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.latent_codec import values_from_picture
from sonoriff.pipeline.prediction import OnMember
from sonoriff.sonogram import Sonogram, decode
from sonoriff.sonogram.params import HIFI
from sonoriff.stream.engine import RiffState, RiffStream, Window
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

QUICK = {"num_inference_steps": 2}
FLOW = Scene(prompts=(WeightedPrompt("a"),), **QUICK)  # type: ignore[arg-type]
RIFF = Scene(mode="riff", prompts=(WeightedPrompt("a"),), bpm=110.0, **QUICK)  # type: ignore[arg-type]
Parts = tuple[np.ndarray, np.ndarray, list[Window], RiffState]


def played(stream: RiffStream, state: RiffState, n: int) -> Parts:
    columns, samples, windows = [], [], []
    for _ in range(n):
        c, s, state = stream.next(state)
        columns.append(c)
        samples.append(s)
        assert state.window is not None
        windows.append(state.window)
    return np.concatenate(columns, axis=2), np.concatenate(samples, axis=1), windows, state


def schedule(*scenes: tuple[Scene, int]) -> SceneSchedule:
    return SceneSchedule(tuple(Cue(scene, at) for scene, at in scenes))


@pytest.mark.parametrize("scene", [FLOW, RIFF])
def test_sound_is_what_one_decoder_makes_of_the_whole_picture(
    small_model: SmallModel, scene: Scene
) -> None:
    stream = RiffStream(small_model)
    columns, samples, windows, state = played(stream, stream.start(schedule((scene, 0))), 4)
    rest = stream.finish(state)
    whole = np.concatenate([columns, rest[0]], axis=2)
    sound = np.concatenate([samples, rest[1]], axis=1)
    assert whole.shape[2] * 512 == sound.shape[1] == windows[-1].end_sample
    assert np.array_equal(sound, decode(Sonogram(whole, small_model.params)))
    ends = [0, *[window.end_sample for window in windows]]
    assert [window.first_sample for window in windows] == ends[:-1]


def test_picture_has_no_seams(small_model: SmallModel) -> None:
    """It is what the decoder makes of all latents at once."""
    stream = RiffStream(small_model)
    state, latents, columns = stream.start(schedule((FLOW, 0))), [], []
    for _ in range(4):
        before = state.n_cells
        c, _, state = stream.next(state)
        assert state.latents is not None
        columns.append(c)
        latents.append(state.latents[..., -(state.n_cells - before) :])
    assert [part.shape[-1] for part in latents] == [32, 40, 40, 40]
    columns.append(stream.finish(state)[0])
    whole = small_model.decode(np.concatenate(latents, axis=-1))
    given = np.concatenate(columns, axis=2)
    assert given.shape == whole.shape[1:]
    np.testing.assert_allclose(given, values_from_picture(whole, HIFI, 0.0), atol=2e-3)


def test_a_state_can_be_used_again(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    _, _, _, state = played(stream, stream.start(schedule((RIFF, 0))), 2)
    first, second = stream.next(state), stream.next(state)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_a_stream_can_be_replayed(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    state = stream.start(schedule((FLOW, 0)))
    c1, s1, _, state = played(stream, state, 2)
    at = stream.next_sample(state)
    state = state.with_schedule(state.schedule.with_scene(RIFF, at))
    c2, s2, windows, state = played(stream, state, 2)
    assert windows[0].scene == RIFF
    assert windows[0].first_sample == at
    fresh = RiffStream(small_model)
    columns, samples, _, _ = played(fresh, fresh.start(schedule((FLOW, 0), (RIFF, at))), 4)
    assert np.array_equal(columns, np.concatenate([c1, c2], axis=2))
    assert np.array_equal(samples, np.concatenate([s1, s2], axis=1))


def test_changes_wait_for_their_sample(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    other = Scene(prompts=(WeightedPrompt("b"),), morph_bars=3.0, **QUICK)  # type: ignore[arg-type]
    _, _, windows, _ = played(stream, stream.start(schedule((FLOW, 0), (other, 140_000))), 4)
    assert [w.scene == other for w in windows] == [False, False, True, True]
    assert [[p.text for p in w.prompts] for w in windows[:3]] == [["a"], ["a"], ["a", "b"]]
    assert [p.text for p in windows[3].prompts] == ["b"]


def test_windows_depend_on_what_came_before(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    outcomes = []
    for seed in (0, 1):
        first = Scene(seed=seed, **QUICK)  # type: ignore[arg-type]
        second = Scene(seed=9, **QUICK)  # type: ignore[arg-type]
        state = stream.start(schedule((first, 0), (second, 1)))
        columns, _, windows, _ = played(stream, state, 2)
        assert windows[1].seed == 9
        outcomes.append(columns[..., 256:])
    assert not np.array_equal(outcomes[0], outcomes[1])


def test_weak_variations_are_the_riff_again(small_model: SmallModel) -> None:
    """The guide lies on the beat: at a strength of nearly nothing the riff repeats itself."""
    stream = RiffStream(small_model)
    riff = Scene(mode="riff", bpm=120.0, bars=1, strength=0.01, **QUICK)  # type: ignore[arg-type]
    columns, _, windows, state = played(stream, stream.start(schedule((riff, 0))), 5)
    assert state.riff is not None
    assert state.riff.picture is not None
    assert windows[2].bar == pytest.approx(2.0, abs=0.03)
    guide = state.riff.guide(172 * 2, 172 * 3)
    assert guide is not None
    from sonoriff.pipeline.latent_codec import latents_from_picture

    coded = small_model.decode(latents_from_picture(small_model, guide))[0, 0, :, :172]
    heard = (columns[2, :, 344:516] + 80.0) / 46.0 - 1.0
    assert np.abs(heard - coded)[..., 20:150].mean() < 0.5 * np.abs(heard - heard.mean()).mean()


def test_stopping_leaves_the_state_as_it_was(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    state = stream.start(schedule((FLOW, 0)))

    def stop(step: int, _steps: int) -> None:
        if step == 1:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        stream.next(state, on_progress=stop)
    assert state.n_cells == 0
    assert np.array_equal(stream.next(state)[1], stream.next(state)[1])


def test_an_empty_stream_has_nothing_left(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    columns, samples = stream.finish(stream.start(SceneSchedule()))
    assert columns.shape == (3, 256, 0)
    assert samples.shape == (2, 0)


@pytest.mark.parametrize("at", [131_072 + 4096 * 9, 131_072 + 1, 131_072 + 4096 * 39])
def test_a_cut_window_is_the_window_that_ends_at_the_cue(small_model: SmallModel, at: int) -> None:
    stream = RiffStream(small_model)
    other = Scene(prompts=(WeightedPrompt("b"),), **QUICK)  # type: ignore[arg-type]
    _, _, _, before = played(stream, stream.start(schedule((FLOW, 0))), 1)
    _, samples, after = stream.next(before)
    columns, sound, cut = stream.cut(before, after, -(-at // stream.cell_samples))
    known = before.with_schedule(schedule((FLOW, 0), (other, at)))
    wanted = stream.next(known)
    assert np.array_equal(columns, wanted[0])
    assert np.array_equal(sound, wanted[1])
    assert np.array_equal(sound, samples[:, : sound.shape[1]])
    assert cut.window == wanted[2].window
    assert cut.window is not None
    assert cut.window.end_sample - cut.n_samples <= stream.lag_samples
    assert cut.n_columns - cut.n_samples // 512 <= stream.column_lead
    later = cut.with_schedule(known.schedule)
    assert np.array_equal(stream.next(later)[1], stream.next(wanted[2])[1])


def test_a_riff_cannot_be_cut(small_model: SmallModel) -> None:
    stream = RiffStream(small_model)
    before = stream.start(schedule((RIFF, 0)))
    _, _, after = stream.next(before)
    with pytest.raises(ParameterError, match="flow"):
        stream.cut(before, after, 3)


BLEND = Scene(
    prompts=(WeightedPrompt("b"), WeightedPrompt("c", 0.5)),
    seed=5,
    guidance_scale=2.0,
    **QUICK,  # type: ignore[arg-type]
)
LONGER = Scene(prompts=(WeightedPrompt("d"),), num_inference_steps=3)


def alike(a: np.ndarray, b: np.ndarray, share: float = 1e-5) -> bool:
    """But for rounding."""
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= share * np.linalg.norm(b))


def test_a_scene_without_guidance_is_played_with_the_model_s_own(small_model: SmallModel) -> None:
    """Models that were taught somebody's music like less of it."""
    taught = replace(small_model, defaults=replace(small_model.defaults, guidance_scale=2.0))

    def columns(model: SmallModel, guidance: float | None) -> np.ndarray:
        stream = RiffStream(model)
        scene = replace(FLOW, guidance_scale=guidance)
        return played(stream, stream.start(schedule((scene, 0))), 1)[0]

    own = columns(taught, None)
    assert np.array_equal(own, columns(small_model, 2.0))
    assert not np.array_equal(own, columns(small_model, None))


def test_windows_tell_a_key_that_has_a_weight(small_model: SmallModel) -> None:
    organ = replace(FLOW, prompts=(WeightedPrompt("organ in (D minor:1.3), (90:1.2) bpm"),))
    stream = RiffStream(small_model)
    _, _, windows, state = played(stream, stream.start(schedule((organ, 0))), 2)
    assert [(window.key, window.bpm) for window in windows] == [("D minor", 90.0)] * 2
    assert state.course is not None
    assert state.course.key is None, "it is the prompt's, not what was heard"


def test_streams_made_together_are_those_made_alone(small_model: SmallModel) -> None:
    """Of other steps, other canvases and other phases too: they are only not in one batch."""
    stream = RiffStream(small_model)
    states = [stream.start(schedule((scene, 0))) for scene in (FLOW, BLEND, LONGER, RIFF)]
    states[0] = played(stream, states[0], 1)[-1]
    for _ in range(3):
        made = dict(stream.next_together(states))
        for place, state in enumerate(states):
            columns, samples, after = stream.next(state)
            assert alike(made[place][0], columns)
            # The phase is integrated over all columns, and with it their rounding.
            assert alike(made[place][1], samples, 1e-2)
            assert made[place][2].window == after.window
        states = [made[place][2] for place in range(len(states))]


def test_streams_that_fit_share_batches(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = RiffStream(small_model)
    starts = [stream.start(schedule((scene, 0))) for scene in (FLOW, BLEND, LONGER)]
    states = [stream.next(state)[2] for state in starts]
    sizes, predict = [], small_model.predict

    def counting(x: np.ndarray, *rest: object) -> np.ndarray:
        sizes.append(len(x))
        return predict(x, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(small_model, "predict", counting)
    assert [place for place, _ in stream.next_together(states)] == [0, 1, 2]
    # A prompt, and two, each with guidance after the first step; other numbers of steps go alone.
    assert sizes == [3, 5, 1, 2, 2]


def test_one_that_is_stopped_does_not_stop_the_others(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = RiffStream(small_model)
    states = [stream.start(schedule((scene, 0))) for scene in (FLOW, BLEND)]
    alone = stream.next(states[1])
    sizes, predict = [], small_model.predict

    def counting(x: np.ndarray, *rest: object) -> np.ndarray:
        sizes.append(len(x))
        return predict(x, *rest)  # type: ignore[arg-type]

    def stop(places: set[int]) -> OnMember:
        def on_progress(place: int, step: int, _steps: int) -> None:
            if place in places and step == 1:
                raise Cancelled("enough")

        return on_progress

    monkeypatch.setattr(small_model, "predict", counting)
    ((place, made),) = stream.next_together(states, on_progress=stop({0}))
    assert place == 1
    assert alike(made[1], alone[1], 1e-2)
    assert sizes == [3, 3]
    with pytest.raises(Cancelled):
        list(stream.next_together(states, on_progress=stop({0, 1})))
    other = stream.start(schedule((LONGER, 0)))
    ((place, _),) = stream.next_together([other, states[0]], on_progress=stop({0}))
    assert place == 1
