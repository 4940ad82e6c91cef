"""The prompt language, and what the small model makes of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoriff.errors import ParameterError
from sonoriff.models.prompts import Phrase, Span, parse_prompt
from sonoriff.models.protocol import MusicAttributes, Term, summed
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.prompting import chunks
from sonoriff.models.small.text import MAX_TOKENS, load_tokenizer


def spans(text: str) -> list[tuple[str, float]]:
    (phrase,) = parse_prompt(text).phrases
    return [(s.text, s.weight) for s in phrase.spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", [("plain words", 1.0)]),
        ("a (piano:1.3) ballad", [("a ", 1.0), ("piano", 1.3), (" ballad", 1.0)]),
        ("(piano)", [("piano", 1.1)]),
        ("((piano))", [("piano", pytest.approx(1.21))]),
        ("[piano]", [("piano", pytest.approx(1 / 1.1))]),
        ("([piano])", [("piano", pytest.approx(1.0))]),
        ("(a (b:2):0.5)", [("a ", 0.5), ("b", 1.0)]),
        (r"\(piano\) \[x\] \\", [("(piano) [x] \\", 1.0)]),
        ("(open", [("(open", 1.0)]),
        ("close) [x", [("close) [x", 1.0)]),
        ("(bpm: fast)", [("bpm: fast", 1.1)]),
        ("a + b", [("a + b", 1.0)]),
        ("(a:2) [b]", [("a", 2.0), (" ", 1.0), ("b", pytest.approx(1 / 1.1))]),
        ("a (b:0) c (d:2)", [("a  c ", 1.0), ("d", 2.0)]),
        ("(a ((b:0):2):3)", [("a ", 3.0)]),
        (" (a:2)( :3) ", [("a", 2.0), (" ", 1.0)]),
        ("(a:0)", []),
        ("", []),
    ],
)
def test_weights_are_read(text: str, expected: list[tuple[str, float]]) -> None:
    assert spans(text) == expected


def test_blends_are_read_and_their_shares_sum_to_one() -> None:
    phrases = parse_prompt("reggae:0.7 + (dark) techno:0.7").phrases
    assert [(p.text, p.share) for p in phrases] == [("reggae", 0.5), ("dark techno", 0.5)]
    assert [p.share for p in parse_prompt("a:3 + b").phrases] == [0.75, 0.25]
    assert len(parse_prompt("(a + b:2)").phrases) == 1, "a plus inside brackets is a character"
    assert [p.text for p in parse_prompt("a:1 + b:0").phrases] == ["a"]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("jazz :( drums:0.5 + techno:0.5", ["jazz :( drums", "techno"]),
        ("jazz [ drums:0.5 + techno) :0.5", ["jazz [ drums", "techno)"]),
        ("(a [b:2) c:1 + d:1", ["a [b c", "d"]),
        (r"(a\) + b:0.5", ["(a)", "b"]),
        ("a\\ + b:0.5", ["a\\", "b"]),
        ("a:1 + + b:1", ["a", "+ b"]),
    ],
)
def test_a_lone_bracket_or_backslash_is_a_character(text: str, phrases: list[str]) -> None:
    assert [p.text for p in parse_prompt(text).phrases] == phrases


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(piano:1.2) (drums:1.3)", "piano drums"),
        ("in (D:1.2) (minor:0.5), (132:2) [bpm]", "in D minor, 132 bpm"),
        ("a (loud:0) ballad, (120 bpm:0), slow", "a ballad, slow"),
    ],
)
def test_words_of_a_prompt_without_its_weights(text: str, words: str) -> None:
    assert parse_prompt(text).text == words


@pytest.mark.parametrize(
    "text", ["(x:11)", "((x:9):1.2)", "a:0 + b:0", "(x:-1)", "a:1 + b:99", "a:-1 + b:2"]
)
def test_senseless_numbers_are_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_prompt(text)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("tempo: 120 + drums", ["tempo: 120 + drums"]),
        ("a:2 + tempo: 120", ["a", "tempo: 120"]),
        ("part: 2 + drums", ["part", "drums"]),
    ],
)
def test_a_large_number_apart_from_its_colon_is_text(text: str, phrases: list[str]) -> None:
    assert [phrase.text for phrase in parse_prompt(text).phrases] == phrases


def test_a_share_that_is_too_large_is_told_as_it_was_read() -> None:
    with pytest.raises(ParameterError) as caught:
        parse_prompt("reggae:70 + techno:30")
    assert str(caught.value) == (
        "'reggae:70' was read as a part of a blend with the share 70: a share must be in [0, 10], "
        "like 'reggae:0.7 + techno:0.3'; if the number is text, write it without the colon"
    )


@given(st.text(alphabet="ab ()[]\\:+,.019", max_size=40))
def test_any_text_is_a_prompt_or_a_clear_error(text: str) -> None:
    try:
        prompt = parse_prompt(text)
    except ParameterError:
        return
    assert sum(p.share for p in prompt.phrases) == pytest.approx(1.0)


def test_words_without_those_of_a_weight() -> None:
    phrase = Phrase((Span("a "), Span("piano", 1.3), Span(", drums, "), Span("bass", 1.3)))
    assert phrase.text == "a piano, drums, bass"
    assert phrase.weights == (1.3,)
    assert phrase.without(1.3) == "a, drums"


def test_a_sum_of_conditions_joins_equal_rows() -> None:
    x, y = Term(1.0, object()), Term(1.0, object())
    blend = summed([(x,), (y,), (x,)], [0.25, 0.5, 0.25])
    assert [(t.weight, t.embedding) for t in blend] == [(0.5, x.embedding), (0.5, y.embedding)]
    assert summed([(x,), (y,)], [1.0, 0.0]) == (x,)


def test_weights_of_the_small_model_sum_to_one_and_one_is_plain(small_model: SmallModel) -> None:
    model = small_model
    plain = model.encode_prompt(parse_prompt("a piano ballad"), MusicAttributes())
    assert [t.weight for t in plain] == [1.0]
    terms = model.encode_prompt(
        parse_prompt("a (piano:1.5) [slow] ballad"), MusicAttributes(bpm=90.0)
    )
    assert sum(t.weight for t in terms) == pytest.approx(1.0)
    assert [round(t.weight, 3) for t in terms] == [1.409, -0.5, 0.091]
    assert all(t.embedding.bpm.item() == 90.0 for t in terms)


def test_weight_zero_leaves_the_words_out(small_model: SmallModel) -> None:
    model = small_model
    without = model.encode_prompt(parse_prompt("a (loud:0) ballad"), MusicAttributes())
    plain = model.encode_prompt(parse_prompt("a ballad"), MusicAttributes())
    assert [t.weight for t in without] == [1.0]
    assert np.array_equal(without[0].embedding.text, plain[0].embedding.text)


def test_weight_zero_leaves_the_words_out_beside_other_weights(small_model: SmallModel) -> None:
    without, plain = (
        small_model.encode_prompt(parse_prompt(text), MusicAttributes())
        for text in ("a (loud:0) ballad (drums:0.5)", "a ballad (drums:0.5)")
    )
    assert [t.weight for t in without] == [t.weight for t in plain] == [0.5, 0.5]
    for ours, theirs in zip(without, plain, strict=True):
        assert np.array_equal(ours.embedding.text, theirs.embedding.text)


def test_an_empty_prompt_is_unconditional(small_model: SmallModel) -> None:
    (term,) = small_model.encode_prompt(parse_prompt("  "), MusicAttributes())
    assert not term.embedding.present.any()
    assert term.embedding.bpm.item() == 0.0


def test_a_long_prompt_is_read_to_its_end(small_model: SmallModel) -> None:
    """Its last words change the conditioning, in whole chunks, each within the encoder's length."""
    model, tokenizer = small_model, load_tokenizer()
    long = ", ".join(f"part {i} with drums and a slow deep bass" for i in range(30))
    pieces = chunks(long, tokenizer, MAX_TOKENS)
    assert " ".join(pieces).split() == long.split(), "no word is lost"
    assert all(len(tokenizer.encode(p).ids) <= MAX_TOKENS for p in pieces)
    (first,) = model.encode_prompt(parse_prompt(long), MusicAttributes())
    (second,) = model.encode_prompt(parse_prompt(f"{long}, with flute"), MusicAttributes())
    assert int(first.embedding.present.sum()) > 4 * MAX_TOKENS
    assert first.embedding.text.shape != second.embedding.text.shape


def test_one_endless_word_is_cut_not_dropped() -> None:
    tokenizer = load_tokenizer()
    pieces = chunks("x" * 1000, tokenizer, MAX_TOKENS)
    assert "".join(pieces) == "x" * 1000
    assert all(len(tokenizer.encode(p).ids) <= MAX_TOKENS for p in pieces)


def test_rows_of_unequal_length_stack_without_effect_on_each_other(small_model: SmallModel) -> None:
    model = small_model
    short, long = (
        model.encode_prompt(parse_prompt(text), MusicAttributes())[0].embedding
        for text in ("jazz", "slow jazz with a long saxophone solo")
    )
    x = np.random.default_rng(0).standard_normal((2, 6, 8, 16), np.float32)
    both = model.predict(x, 0.5, model.collate([short, long], [None, None], x.shape[-1]))
    alone = model.predict(x[:1], 0.5, model.collate([short], [None], x.shape[-1]))
    np.testing.assert_allclose(both[:1], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(" * 50_000 + "a", "(" * 50_000 + "a"),
        ("a" + ")" * 50_000, "a" + ")" * 50_000),
        ("[(" * 5_000 + "a" + ")]" * 5_000, "a"),
        ("a" + " " * 50_000 + "b", "a b"),
        ("a" + " :" * 25_000, "a" + " :" * 25_000),
    ],
)
def test_a_prompt_is_read_in_one_pass_however_it_is_nested(text: str, words: str) -> None:
    """One that was read again for each of its brackets would take hours here, or no stack."""
    assert parse_prompt(text).text == words


def test_a_weight_that_grows_with_every_bracket_is_one_short_line() -> None:
    with pytest.raises(ParameterError, match="a weight must be in") as caught:
        parse_prompt("(" * 1_500 + "piano" + ")" * 1_500)
    assert len(str(caught.value)) < 300
