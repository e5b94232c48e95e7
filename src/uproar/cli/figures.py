"""What came of a replay, and whether it may be called whole."""

from collections import Counter
from typing import Final

from msgspec import Struct

from uproar.core.refusal import Refusal

ABOUT_THE_TEXT: Final = frozenset(why.reason for why in Refusal if why.code // 100 == 2)
PERCENTILES: Final = (50, 95, 99)


class Figures(Struct):
    """What came of it; `post_to_display_ms` by percentile, over all pairs of a comment and a viewer.

    `stopped` is why it ended before the recording did; empty: it did not.
    """

    posted: int
    acknowledged: int
    refused: dict[str, int]
    unanswered: int
    seconds: float
    posts_per_s: float
    viewers: int
    viewers_complete: int
    unseen: int
    repeated: int
    out_of_order: int
    faults: int
    missing_in_history: int
    post_to_display_ms: dict[int, int]
    stopped: str = ""

    @property
    def whole(self) -> bool:
        """All of it was posted, what was refused was refused for its text, and the rest is everywhere."""
        return bool(self.acknowledged) and not self.stopped and not self.barred and not self.missing

    @property
    def barred(self) -> int:
        """How many posts were refused for anything else than their text."""
        return sum(count for reason, count in self.refused.items() if reason not in ABOUT_THE_TEXT)

    @property
    def missing(self) -> bool:
        """Something that was posted has no answer, or was acknowledged and is not everywhere, once."""
        lost = self.unanswered or self.unseen or self.repeated or self.faults or self.missing_in_history
        return bool(lost) or self.viewers_complete != self.viewers

    @property
    def result(self) -> str:
        """In words."""
        if self.missing:
            return "something is missing"
        if self.barred:
            return f"{self.barred:,} refused for other reasons than their text"
        if not self.acknowledged:
            return "nothing was kept"
        return "so far everything is there" if self.stopped else "everything is there"


def percentiles(counts: Counter[int]) -> dict[int, int]:
    """The nearest-rank percentiles of counted values; none of nothing."""
    found: dict[int, int] = {}
    total, seen = counts.total(), 0
    for value in sorted(counts):
        seen += counts[value]
        for of in PERCENTILES:
            if of not in found and seen * 100 >= of * total:
                found[of] = value
    return found
