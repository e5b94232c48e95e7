"""Banned words are found as words, through case, accents, width and spacing, and in linear time."""

import sys

import pytest

from uproar.moderation.packs import available_packs, pack_terms
from uproar.moderation.words import RULES_KEPT, Words, words_for

WORDS = Words(
    ["damn", "god awful", "Schön", "s&m", "三级片", "アナ・ルコ", "กระดอ", "блин", "🖕", "13."],
    ["damn fine", "三级片段"],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("damn", "damn"),
        ("well, DAMN!", "damn"),
        ("dämn", "damn"),
        ("ｄａｍｎ", "damn"),
        ("da\u200bmn", "damn"),
        ("d a m n", "damn"),
        ("d.a.m.n", "damn"),
        ("d-a-m-n you", "damn"),
        ("so   d a m n   b a d", "damn"),
        ("damn🎉", "damn"),
        ("好damn好", "damn"),
        ("schon", "Schön"),
        ("god-awful", "god awful"),
        ("god, awful", "god awful"),
        ("s&m", "s&m"),
        ("S ＆ M", "s&m"),
        ("看三级片吗", "三级片"),
        ("三 级 片", "三级片"),
        ("アナルコだ", "アナ・ルコ"),
        ("xกระดอx", "กระดอ"),
        ("БЛИН", "блин"),
        ("x🖕🏻x", "🖕"),
        ("damn fine, damn it", "damn"),
        ("hello", None),
        ("damnation", None),
        ("goddamn", None),
        ("god is awful", None),
        ("блинчик", None),
        ("S, M, L", None),
        ("13.", None),
        ("damn fine", None),
        ("Damn, fine", None),
        ("三级片段", None),
        ("d am n", None),
        ("", None),
        ("\ud800", None),
    ],
    ids=ascii,
)
def test_find(text, expected):
    assert WORDS.find(text) == expected


def test_a_phrase_that_is_welcome_does_not_join_what_stands_around_it():
    words = Words(["left right"], ["middle"])
    assert words.find("left middle right") is None
    assert words.find("left right") == "left right"


def test_neighbours_that_are_welcome_are_both_rescued():
    assert Words(["bad"], ["bad apple", "bad egg"]).find("bad apple bad egg bad apple") is None


def test_without_terms_nothing_is_found():
    assert Words([]).find("damn") is None
    assert Words(["damn"], ["DAMN"]).find("damn") is None


@pytest.mark.parametrize(
    "town", ["Scunthorpe", "Penistone", "Sussex", "classic", "assassin", "cocktail", "shitake mushrooms"]
)
def test_towns_and_mushrooms_are_no_bad_language(town):
    assert words_for(("en",)).find(town) is None


def test_the_packs_of_all_languages_are_there():
    assert len(available_packs()) == 28
    assert {"en", "ja", "zh", "ru", "fr-CA-u-sd-caqc"} <= set(available_packs())


@pytest.mark.parametrize("pack", available_packs())
def test_every_term_of_a_pack_is_found_and_nothing_is_found_in_a_greeting(pack):
    words = words_for((pack,))
    missed = [term for term in pack_terms(pack) if words.find(term) is None]
    assert missed == (["13."] if pack == "zh" else [])
    assert words.find("Hello, 2 of you!") is None


@pytest.mark.parametrize("pack", ["xx", "", "../en", "en.txt", "EN"])
def test_a_pack_that_does_not_exist_is_refused(pack):
    with pytest.raises(ValueError, match="no language pack"):
        words_for((pack,))


def test_own_words_join_those_of_the_packs_and_allowed_ones_leave_them():
    words = words_for(("en", "de"), ("pineapple",), ("sucks",))
    assert words.find("Pineapple on pizza") == "pineapple"
    assert words.find("arsch") == "arsch"
    assert words.find("this sucks") is None


def test_rules_are_built_once_and_the_cache_is_bounded():
    assert words_for(("en",), ("a",)) is words_for(("en",), ("a",))
    for number in range(RULES_KEPT + 10):
        words_for((), (f"w{number}",))
    assert words_for.cache_info().currsize == RULES_KEPT


HOSTILE = {
    "spelled": "a.",
    "spaced": "f ",
    "term after term": "ass ",
    "nearly a term": "2 girls 1 cu ",
    "beginnings": "asshol",
    "han": "三级",
    "thai": "กะ",
    "marks": "\u0315\u0316",
    "thai marks": "\u0e38\u0e48",
    "long foldings": "ﷺ",
    "mixed": "a好",
    "unpaired": "\ud83d ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("pack", available_packs())
def test_the_work_grows_no_faster_than_a_hostile_text(pack, piece):
    words = words_for((pack,))
    words.find(piece)
    text = piece * (8192 // len(piece))
    assert _calls(words, text) <= 2.1 * _calls(words, text[: len(text) // 2]) + 200


def _calls(words, text):
    """How many calls a search makes, of Python and C functions alike."""
    made = 0

    def count(_frame, event, _arg):
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        words.find(text)
    finally:
        sys.setprofile(None)
    return made
