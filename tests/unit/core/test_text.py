"""Text is stored in one form, and what the protocol forbids is never stored."""

import json
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.core.refusal import Refusal
from uproar.core.text import emoji_only, is_id, name_fault, normalize, preview, text_fault

SHARED = Path(__file__).parents[4] / "shared"
anything = st.text(st.characters(exclude_categories=()))


def naughty_strings():
    if not SHARED.exists():
        return []
    return json.loads((SHARED / "data/corpora/naughty-strings.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", "hello"),
        ("  hello \n", "hello"),
        ("\u3000\u2028hello\u00a0\u1680", "hello"),
        ("a  b", "a  b"),
        ("e\u0301", "é"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u200bhello\ufeff", "\u200bhello\ufeff"),
        ("\x1fhello", "\x1fhello"),
        ("\ud800e\u0301", "\ud800é"),
        ("\u0958", "\u0915\u093c"),
        ("   ", ""),
    ],
    ids=ascii,
)
def test_the_normal_form(text, expected):
    assert normalize(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", None),
        ("", Refusal.EMPTY),
        ("x" * 500, None),
        ("x" * 501, Refusal.TOO_LONG),
        ("😂" * 500, None),
        ("\n".join("abcdef"), None),
        ("\n".join("abcdefg"), Refusal.UNPRINTABLE),
        ("a\tb", Refusal.UNPRINTABLE),
        ("a\rb", Refusal.UNPRINTABLE),
        ("a\x00b", Refusal.UNPRINTABLE),
        ("a\x85b", Refusal.UNPRINTABLE),
        ("a\x7fb", Refusal.UNPRINTABLE),
        ("a\ud83d", Refusal.UNPRINTABLE),
        ("a\u202eb", Refusal.UNPRINTABLE),
        ("a\u202ab", Refusal.UNPRINTABLE),
        ("a\u2066b", Refusal.UNPRINTABLE),
        ("a\u2069b", Refusal.UNPRINTABLE),
        ("a\u2029\u202f\u2065\u206ab", None),
        ("a\u200e\u200d\u200bb", None),
        ("x" + "\u0316" * 4, None),
        ("x" + "\u0316" * 5, Refusal.UNPRINTABLE),
        ("x" + "\u20dd" * 5, Refusal.UNPRINTABLE),
        (("x" + "\u0316" * 4) * 3, None),
        ("\u0316" * 5, Refusal.UNPRINTABLE),
        ("👩🏽‍❤️‍💋‍👨🏻", None),
        ("นี้ก็ที่", None),
    ],
    ids=ascii,
)
def test_what_a_text_may_hold(text, expected):
    assert text_fault(text) is expected


@pytest.mark.parametrize(("chars", "expected"), [(3, None), (4, Refusal.TOO_LONG)])
def test_a_stream_may_want_shorter_texts(chars, expected):
    assert text_fault("x" * chars, max_chars=3) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ann", None), ("x" * 40, None), ("x" * 41, Refusal.TOO_LONG), ("", Refusal.EMPTY), ("A\tB", Refusal.UNPRINTABLE)],
    ids=ascii,
)
def test_what_a_name_may_hold(name, expected):
    assert name_fault(name) is expected


def test_length_is_judged_after_composing():
    assert text_fault(normalize("e\u0301" * 500)) is None
    assert text_fault(normalize("\u0958" * 251)) is Refusal.TOO_LONG
    assert text_fault(normalize("\u03b1\u0313\u0300\u0345" * 500)) is None


@given(anything)
def test_normalizing_twice_changes_nothing_more(text):
    assert normalize(normalize(text)) == normalize(text)


@given(anything)
def test_what_is_accepted_is_in_nfc_and_can_be_sent(text):
    normal = normalize(text)
    if text_fault(normal) is None:
        assert unicodedata.is_normalized("NFC", normal)
        assert normal.encode()


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not here")
def test_naughty_strings_are_judged_and_keep_their_normal_form():
    strings = naughty_strings()
    assert len(strings) == 515
    for text in strings:
        assert normalize(normalize(text)) == normalize(text)
        assert text_fault(normalize(text)) in (None, Refusal.EMPTY, Refusal.TOO_LONG, Refusal.UNPRINTABLE)


def composed_chars(text, monkeypatch):
    """How many characters normalizing hands to the composing that is square in marks."""
    handed = []
    with monkeypatch.context() as patch:
        patch.setattr(unicodedata, "normalize", lambda form, text: handed.append(len(text)) or text)
        normalize(text)
    return sum(handed)


@pytest.mark.parametrize("piece", ["\u0315\u0316", "a\u0315\u0316\u0327", " ", "\u00e9", "\u0344"], ids=ascii)
def test_a_text_of_64_kib_is_never_composed(piece, monkeypatch):
    assert composed_chars(piece * (65_536 // len(piece)), monkeypatch) == 0


@pytest.mark.parametrize(("marks", "expected"), [(4, 5), (30, 31), (31, 0), (1999, 0)])
def test_a_pile_of_marks_is_refused_without_sorting_it(marks, expected, monkeypatch):
    pile = "x" + "\u0315" * marks
    assert composed_chars(pile, monkeypatch) == expected
    assert (text_fault(normalize(pile)) is None) == (marks <= 4)


@pytest.mark.parametrize("text", ["a", "Zz09._~-", "x" * 64])
def test_an_id_of_a_stream_or_user(text):
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "a/b", "é", "a\n", "a:b", "٣"])
def test_no_id_of_a_stream_or_user(text):
    assert not is_id(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80),
        ("x" * 79 + "e\u0316", "x" * 79),
        ("x" * 79 + "👍🏽", "x" * 79),
        ("x" * 78 + "👩‍👧 and", "x" * 78),
        ("\u0316" * 200, "\u0316" * 80),
    ],
    ids=ascii,
)
def test_a_preview(text, expected):
    assert preview(text) == expected


@given(anything)
def test_a_preview_is_a_beginning_of_at_most_80(text):
    assert text.startswith(preview(text))
    assert len(preview(text)) <= 80
    assert bool(preview(text)) == bool(text)


@pytest.mark.parametrize("text", ["😂", "😂😂 ❤️\n👍🏽", "🇩🇪🇫🇷", "3️⃣", "👨‍👩‍👧", "❤"])
def test_emoji_only(text):
    assert emoji_only(text)


@pytest.mark.parametrize("text", ["", "  ", "a", "😂a", "3", "3 😂", "🇩", "😂\u200d", "好", ":)"])
def test_not_emoji_only(text):
    assert not emoji_only(text)


@pytest.mark.parametrize("judge", [emoji_only, preview, lambda text: text_fault(normalize(text))])
@pytest.mark.parametrize("piece", ["😂", "👩‍", "🇩", "\u0315\u0316", "3️", "🏴\U000e0067"], ids=ascii)
def test_the_work_grows_no_faster_than_the_text(judge, piece):
    assert _calls(judge, piece * 8192) <= 2.1 * _calls(judge, piece * 4096) + 100


def _calls(function, text):
    """How many calls a run makes, of Python and C functions alike."""
    made = 0

    def count(_frame, event, _arg):
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return made
