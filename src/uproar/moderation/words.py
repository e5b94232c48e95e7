"""Banned words: whether a text holds one, whatever its case, accents, width and spacing, in time linear in the text."""

from collections.abc import Iterable
from functools import lru_cache

from ahocorasick_rs import AhoCorasick, MatchKind

from uproar.moderation.folding import folded, folded_terms
from uproar.moderation.packs import pack_terms

RULES_KEPT = 64
"""Word rules kept built: those that streams used most recently. One more is built anew, which takes milliseconds."""

_RESCUED = " "


class Words:
    """Terms to find, and phrases that are welcome although they hold such a term.

    A term of a script with spaces is found as a whole word, any other also inside of a longer stretch.
    """

    def __init__(self, terms: Iterable[str], allow_words: Iterable[str] = ()) -> None:
        allowed = {pattern for phrase in allow_words for pattern in folded_terms(phrase)}
        self._terms = {pattern: term for term in terms for pattern in folded_terms(term) if pattern not in allowed}
        self._patterns = list(self._terms)
        self._find = _automaton(self._patterns)
        self._rescue = _automaton(allowed)

    def find(self, text: str) -> str | None:
        """The first banned term in the text, as its list writes it; None when there is none."""
        if not self._patterns:
            return None
        hits = self._find.find_matches_as_indexes(self._without_allowed(folded(text)))
        return self._terms[self._patterns[hits[0][0]]] if hits else None

    def _without_allowed(self, row: str) -> str:
        kept, at = [], 0
        for _, start, end in self._rescue.find_matches_as_indexes(row):
            kept.append(row[at:start])
            at = end
        return _RESCUED.join([*kept, row[at:]])


@lru_cache(RULES_KEPT)
def words_for(packs: tuple[str, ...], words: tuple[str, ...] = (), allow_words: tuple[str, ...] = ()) -> Words:
    """The built form of a stream's word rules; ValueError when a pack does not exist."""
    return Words((term for terms in (*map(pack_terms, packs), words) for term in terms), allow_words)


def _automaton(patterns: Iterable[str]) -> AhoCorasick:
    return AhoCorasick(patterns, matchkind=MatchKind.LeftmostLongest)
