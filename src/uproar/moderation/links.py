"""Whether a text holds a link, as most programs would make one of it or a reader would type it, in linear time."""

from itertools import pairwise, takewhile

from uproar.moderation.folding import Kind, fold, kind_of

_RARELY_WORDS = """
com net org info biz edu gov mil io co ai app dev xyz tv cc ly gl fm ws icu onion mobi cloud
uk ie fr ch nl lu pl cz sk hu ro bg gr rs hr ru ua kz fi dk lt lv ee pt br mx ar cl au nz za ng ke eg
cn jp kr tw hk sg vn th ph pk ae ir tr рф укр
"""
_ALSO_WORDS = """
so is it in to me my us at be am as by do no de es la se si eu ca id il li st sh gg vip pro top fun win live link
club shop store site online blog page chat stream game games news today world life click
"""

_ENDINGS = frozenset(_RARELY_WORDS.split())
"""Endings that are hardly ever a word after a full stop: the busiest ones of the Internet, not all of them."""

_WORDLY_ENDINGS = frozenset(_ALSO_WORDS.split())
"""Endings that are words too: `ok.so` lacks a space, `t.me/name` is a link."""

_FULL_STOPS = str.maketrans("。", ".")
_IN_A_HOST = "-_./"


def has_link(text: str) -> bool:
    """Whether the text holds a URL, something that begins with `www.`, or a bare domain of a well-known ending."""
    plain = fold(text).translate(_FULL_STOPS)
    return _has_scheme(plain) or any(map(_names_a_host, _candidates(plain)))


def _has_scheme(plain: str) -> bool:
    return any(left[-1:].isalpha() and right[:1].strip() for left, right in pairwise(plain.split("://")))


def _candidates(plain: str) -> list[str]:
    """The stretches that could hold a host and its path; all else ends them."""
    return "".join(c if c in _IN_A_HOST or kind_of(c) is not Kind.BETWEEN else " " for c in plain).split()


def _names_a_host(candidate: str) -> bool:
    host, *path = candidate.split("/")
    return _is_host(host, has_path=any(path)) or any(_is_host(part, has_path=False) for part in path)


def _is_host(name: str, *, has_path: bool) -> bool:
    return any(before and _ends_a_host(before, after, has_path) for before, after in pairwise(name.split(".")))


def _ends_a_host(before: str, label: str, has_path: bool) -> bool:
    ending = _unglued(label)
    if ending in _ENDINGS or ending.startswith("xn--") or (has_path and ending in _WORDLY_ENDINGS):
        return True
    return before == "www" and bool(label)


def _unglued(label: str) -> str:
    """The label without what a script without spaces wrote right behind it."""
    return "".join(takewhile(lambda c: kind_of(c) is not Kind.UNSPACED, label))
