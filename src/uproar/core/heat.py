"""How much is going on in a stream, in one word."""

from enum import StrEnum


class Heat(StrEnum):
    """From a quiet stream to the largest that anything here is built for."""

    CALM = "calm"
    BUSY = "busy"
    HOT = "hot"
    STORM = "storm"


_VIEWERS = (10_000, 100_000, 500_000)
_COMMENTS_PER_S = (500, 2_000, 10_000)


def heat(viewers: int, comments_per_s: float) -> Heat:
    """The higher one by viewers (from each bound on) and by rate (above each bound)."""
    by_viewers = sum(viewers >= bound for bound in _VIEWERS)
    by_rate = sum(comments_per_s > bound for bound in _COMMENTS_PER_S)
    return list(Heat)[max(by_viewers, by_rate)]
