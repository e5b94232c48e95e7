"""Folding undoes case, accents, width and spacing, and keeps the bounds of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.moderation.folding import fold, folded, folded_terms

anything = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Straße", "strasse"),
        ("ÇA VA", "ca va"),
        ("ｆｕｌｌ", "full"),
        ("łøđ", "lod"),
        ("İıI", "iii"),
        ("Ёлка й", "елка и"),
        ("ﾊﾞｶ", "バカ"),
        ("が", "が"),
        ("각", "각"),
        ("เด็ก", "เด็ก"),
        ("हिन्दी", "हिन्दी"),
        ("مُحَمَّد", "محمد"),
        ("in\u200bvi\u00adsible", "invisible"),
        ("𝖇𝖔𝖑𝖉", "bold"),
    ],
    ids=ascii,
)
def test_a_fold(text, expected):
    assert fold(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann, come!", " ann  come "),
        ("d a m n", " d  a  m  n \n damn "),
        ("d.a.m.n it", " d  a  m  n  it \n damn "),
        ("d a m n   y o u", " d  a  m  n  y  o  u \n damn \n ny \n you "),
        ("a d.o.g", " a  d  o  g \n ad \n dog "),
        ("看 看 看", " 看  看  看 \n 看看看 "),
        ("sm女王", " sm  女王 "),
        ("", ""),
        ("...", ""),
    ],
)
def test_a_row_of_words(text, expected):
    assert folded(text) == expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("Damn", {" damn "}),
        ("god  damn", {" god  damn "}),
        ("女王", {"女王"}),
        ("sm女王", {" sm  女王"}),
        ("グループ・セックス", {"グループ  セックス", "グループセックス"}),
        ("13.", set()),
        ("...", set()),
        ("", set()),
        ("🖕", {"🖕"}),
    ],
)
def test_what_to_look_for(term, expected):
    assert folded_terms(term) == expected


@given(anything)
def test_a_folded_text_is_bounded_by_its_characters(text):
    assert len(folded(text)) <= 6 * len(fold(text))


@given(anything)
def test_a_folded_text_can_be_encoded(text):
    assert folded(text).encode() is not None
