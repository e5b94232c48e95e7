"""What is refused without asking anybody, and what is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.auth import Identity
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Rules, Stream
from uproar.core.text import normalize
from uproar.ledger import Ask, Limit
from uproar.write.checks import EVERYWHERE, Draft, digest, judge, limit_here, question, speaker

NOW_MS = 1_790_000_000_000
ANN = Identity("ann", "Ann", NOW_MS // 1000 + 60)


@pytest.mark.parametrize(
    ("who", "at_ms", "expected"),
    [
        (None, NOW_MS, Refused(Refusal.NOT_SIGNED_IN)),
        (ANN, NOW_MS, ANN),
        (ANN, NOW_MS + 59_999, ANN),
        (ANN, NOW_MS + 60_000, Refused(Refusal.BAD_TOKEN)),
    ],
)
def test_who_speaks(who, at_ms, expected):
    assert speaker(who, at_ms) == expected


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("hello", {}, None),
        ("", {}, Refusal.EMPTY),
        ("x" * 500, {}, None),
        ("x" * 501, {}, Refusal.TOO_LONG),
        ("x" * 11, {"max_chars": 10}, Refusal.TOO_LONG),
        ("a\x00b", {}, Refusal.UNPRINTABLE),
        ("oh darn it", {}, None),
        ("oh darn it", {"words": ("darn",)}, Refusal.LANGUAGE),
        ("oh DARN it", {"words": ("darn",)}, Refusal.LANGUAGE),
        ("darn good", {"words": ("darn",), "allow_words": ("darn good",)}, None),
        ("see https://example.com", {}, None),
        ("see https://example.com", {"links": "refuse"}, Refusal.LINK),
        ("hello", {"links": "refuse"}, None),
        ("🔥 🔥", {"emoji_only": True}, None),
        ("🔥 hello", {"emoji_only": True}, Refusal.EMOJI_ONLY),
        ("darn https://example.com", {"words": ("darn",), "links": "refuse"}, Refusal.LANGUAGE),
        ("https://example.com", {"links": "refuse", "emoji_only": True}, Refusal.LINK),
        ("x" * 501 + " darn", {"words": ("darn",)}, Refusal.TOO_LONG),
    ],
)
def test_judge(text, rules, expected):
    assert judge(Draft(ANN, Stream("s", rules=Rules(**rules)), text)) is expected


def test_an_ended_stream_is_refused_before_its_texts():
    assert judge(Draft(ANN, Stream("s", state="ended"), "")) is Refusal.STREAM_ENDED


@given(st.text())
def test_any_text_is_judged_and_told_from_others(text):
    judge(Draft(ANN, Stream("s", rules=Rules(links="refuse", words=("darn",))), normalize(text)))
    assert digest(text) == digest(text) != digest(text + "x")


def test_an_unprintable_text_has_a_digest_too():
    assert digest("\ud800") != digest("\ud801")


@pytest.mark.parametrize(
    ("reputation", "posts"), [(0, 2), (0.5, 2), (0.51, 5), (0.7, 5), (0.9, 5), (0.91, 10), (1, 10)]
)
def test_a_reputation_is_worth_so_many_posts(reputation, posts):
    assert limit_here(reputation) == Limit(posts, 30_000)


def test_the_question_to_the_ledger():
    rules = Rules(slow_ms=7, min_account_age_s=8, duplicates="all")
    who = Identity("ann", "Ann", ANN.exp, roles=("importer",), since=NOW_MS // 1000 - 100)
    asked = question(Draft(who, Stream("s", rules=rules), "hi"), 9, "k", 1.0, NOW_MS)
    assert asked == Ask("s", "ann", 9, digest("hi"), "k", Limit(10, 30_000), EVERYWHERE, 7, 100, 8, "all", True)


def test_an_account_whose_age_no_token_tells_has_none():
    assert question(Draft(ANN, Stream("s"), "hi"), 9, "", 0.7, NOW_MS).account_age_s is None
