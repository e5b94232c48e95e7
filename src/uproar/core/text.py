"""The text and the names that people write: their normal form, their limits, and what is never stored."""

import unicodedata

from uproar.core.emoji import CONTINUES, JOINER, emoji_end
from uproar.core.refusal import Refusal

TEXT_CHARS = 500
NAME_CHARS = 40
ID_CHARS = 64
PREVIEW_CHARS = 80
LINE_BREAKS = 5
MARKS_ON_A_BASE = 4

_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""Unicode's White_Space. `str.strip()` would also take U+001C-001F, which are to be refused."""

_FORBIDDEN = (
    frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) - {"\n"}  # Cc
    | frozenset(map(chr, range(0xD800, 0xE000)))  # lone surrogates
    | frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))  # embeddings, overrides and isolates
)
_ID_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-")

_MOST_DECOMPOSED = 4  # code points that one composed character can stand for, as U+1F82 does
_STREAM_SAFE_MARKS = 30  # Unicode Standard Annex 15: no language needs more on one base


def normalize(text: str) -> str:
    """NFC without white space at the ends. Linear in any text.

    Composing takes time square in the marks on one base, so a text that is refused however it is composed (over
    4 * TEXT_CHARS long, or with over 30 marks on one base) is only trimmed.
    """
    text = text.strip(_SPACE)
    if text.isascii() or len(text) > _MOST_DECOMPOSED * TEXT_CHARS or _marks_exceed(text, _STREAM_SAFE_MARKS):
        return text
    return unicodedata.normalize("NFC", text).strip(_SPACE)


def text_fault(text: str, max_chars: int = TEXT_CHARS) -> Refusal | None:
    """What is wrong with a normalized text; None when it is fine. `max_chars` counts code points, 500 at most."""
    if not text:
        return Refusal.EMPTY
    if len(text) > min(max_chars, TEXT_CHARS):
        return Refusal.TOO_LONG
    if not _FORBIDDEN.isdisjoint(text) or text.count("\n") > LINE_BREAKS or _marks_exceed(text, MARKS_ON_A_BASE):
        return Refusal.UNPRINTABLE
    return None


def name_fault(name: str) -> Refusal | None:
    """What is wrong with a normalized display name; None when it is fine."""
    return text_fault(name, NAME_CHARS)


def is_id(text: str) -> bool:
    """Whether this can be the id of a stream or a user: 1-64 of `A-Z a-z 0-9 . _ ~ -`."""
    return 1 <= len(text) <= ID_CHARS and _ID_ALPHABET.issuperset(text)


def preview(text: str) -> str:
    """The first 80 characters, or a few fewer where the cut would go through a letter with marks or a joined emoji."""
    end = min(PREVIEW_CHARS, len(text))
    while end and _splits(text, end):
        end -= 1
    return text[: end or PREVIEW_CHARS]


def emoji_only(text: str) -> bool:
    """Whether the text is emoji and white space alone, with at least one emoji."""
    at, found = 0, False
    while at < len(text):
        end = at + 1 if text[at] in _SPACE else emoji_end(text, at)
        if end == at:
            return False
        found = found or text[at] not in _SPACE
        at = end
    return found


def _splits(text: str, at: int) -> bool:
    return at < len(text) and (_is_mark(text[at]) or text[at] in CONTINUES or text[at - 1] == JOINER)


def _marks_exceed(text: str, limit: int) -> bool:
    if text.isascii():
        return False
    run = 0
    for character in text:
        run = run + 1 if _is_mark(character) else 0
        if run > limit:
            return True
    return False


def _is_mark(character: str) -> bool:
    """Mn and Me, and the few others that composing reorders like them."""
    return unicodedata.category(character) in ("Mn", "Me") or unicodedata.combining(character) > 0
