"""Texts and terms folded to the same form, so that case, accents, width and spacing hide nothing from a word list.

A folded text is a row of words, each between two spaces of its own. Scripts that write spaces have whole words; those
that do not (Han, Kana, Thai and their like, and symbols such as emoji) have stretches to look inside of.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from anyascii import anyascii

from uproar.core.text import normalize

KNOWN_CHARACTERS = 8192
"""Characters whose folding is remembered: a busy chat uses fewer, and who sends rare ones waits for nobody else."""

_ACCENTS = frozenset(
    chr(code)
    for start, stop in [
        (0x0300, 0x0370),  # of Latin, Greek, Cyrillic
        (0x0591, 0x05C8),  # points of Hebrew
        (0x0640, 0x0641),  # tatweel, which only stretches a word
        (0x064B, 0x0660),  # vowels of Arabic
        (0x0670, 0x0671),
        (0x1AB0, 0x1B00),
        (0x1DC0, 0x1E00),
        (0x20D0, 0x2100),
        (0xFE00, 0xFE10),  # variation selectors
        (0xFE20, 0xFE30),
    ]
    for code in range(start, stop)
)
"""Marks that change how a letter sounds, not which it is. Vowels of Indic scripts and Thai are letters of their own."""

_UNSPACED_STARTS = [0x0E00, 0x1000, 0x1780, 0x2E80, 0x31F0, 0x3400, 0xF900, 0x20000]
_UNSPACED_STOPS = [0x1000, 0x10A0, 0x1800, 0x3100, 0x3200, 0xA000, 0xFB00, 0x40000]
"""Thai to Tibetan, Myanmar, Khmer, Han and Kana."""


class Kind(Enum):
    """What a character is to a word."""

    BETWEEN = 0
    SPACED = 1
    UNSPACED = 2


class Word(NamedTuple):
    """A word, or a stretch of an unspaced script, and what stood between it and the word before."""

    letters: str
    kind: Kind
    gap: str


def folded(text: str) -> str:
    """The text as a row of words, and behind it what is spelled out in it: `d a m n` or `d.a.m.n` as ` damn `."""
    words = list(_words(fold(text)))
    row = "".join(f" {word.letters} " for word in words)
    return row + "".join(f"\n {spelled} " for spelled in _spelled_out(words))


def folded_terms(term: str) -> set[str]:
    """What to look for in folded texts to find the term; empty when it is nothing but digits and punctuation."""
    words = list(_words(fold(term)))
    if all(word.letters.isdigit() for word in words):
        return set()
    return {_pattern(words), _pattern(_closed_up(words))}


def _pattern(words: list[Word]) -> str:
    """A row of words that is open where an unspaced script may go on."""
    row = "".join(f" {word.letters} " for word in words)
    start = 1 if words[0].kind is Kind.UNSPACED else 0
    stop = -1 if words[-1].kind is Kind.UNSPACED else None
    return row[start:stop]


def _closed_up(words: list[Word]) -> list[Word]:
    """Unspaced neighbours as one stretch: lists write a middle dot between them, and people do not."""
    closed = words[:1]
    for before, word in pairwise(words):
        if before.kind is word.kind is Kind.UNSPACED:
            closed[-1] = closed[-1]._replace(letters=closed[-1].letters + word.letters)
        else:
            closed.append(word)
    return closed


def _spelled_out(words: list[Word]) -> Iterator[str]:
    """Runs of single letters of one kind with the same between them: another gap ends a word."""
    run: list[Word] = []
    for before, word in pairwise(words):
        if len(before.letters) > 1 or len(word.letters) > 1 or before.kind is not word.kind:
            yield from _joined(run)
            run = []
        elif run and run[-1].gap == word.gap:
            run.append(word)
        else:
            yield from _joined(run)
            run = [before._replace(gap=word.gap), word]
    yield from _joined(run)


def _joined(run: list[Word]) -> Iterator[str]:
    if run:
        yield "".join(word.letters for word in run)


def _words(text: str) -> Iterator[Word]:
    start = gap_start = gap_end = 0
    kind = Kind.BETWEEN
    for at, character in enumerate(text):
        here = kind_of(character)
        if here is kind:
            continue
        if kind is Kind.BETWEEN:
            gap_end = at
        else:
            yield Word(text[start:at], kind, text[gap_start:gap_end])
            gap_start = gap_end = at
        start, kind = at, here
    if kind is not Kind.BETWEEN:
        yield Word(text[start:], kind, text[gap_start:gap_end])


def fold(text: str) -> str:
    """The text, still with its gaps, in lower case and normal width, without accents and invisible characters."""
    return normalize("".join(map(_fold_character, text)))


@lru_cache(KNOWN_CHARACTERS)
def _fold_character(character: str) -> str:
    """Lower case, normal width, no accent; nothing for what is invisible."""
    if unicodedata.category(character) == "Cf":
        return ""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", character).casefold())
    plain = unicodedata.normalize("NFC", "".join(mark for mark in plain if mark not in _ACCENTS))
    return anyascii(plain).lower() if unicodedata.name(plain[:1] or " ", "").startswith("LATIN ") else plain


@lru_cache(KNOWN_CHARACTERS)
def kind_of(character: str) -> Kind:
    """What this folded character is to a word."""
    category = unicodedata.category(character)
    if category == "So" or character == "&":
        return Kind.UNSPACED
    if category[0] not in "LMN":
        return Kind.BETWEEN
    span = bisect_right(_UNSPACED_STARTS, ord(character)) - 1
    return Kind.UNSPACED if span >= 0 and ord(character) < _UNSPACED_STOPS[span] else Kind.SPACED
