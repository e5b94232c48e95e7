"""How wide a stream's window is and how much of it is shown, by the stream's size."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

RATE_SPAN_S = 10.0
CALM_SPAN_S = 30.0
EVERYTHING = 1_000_000


class Row(NamedTuple):
    """One size of stream: its window, the most comments that a frame holds, and when and how far it is sampled.

    Up to `all_per_s` comments a second all are shown; above, the best `best` of a window.
    """

    window_s: float
    frame_comments: int
    all_per_s: float
    best: int


class Plan(NamedTuple):
    """The rows from small to large, and the bounds between them: a stream is in the higher row of viewers and rate."""

    rows: Sequence[Row]
    viewers: Sequence[int]
    comments_per_s: Sequence[float]

    def row_of(self, viewers: int, rate: float) -> int:
        """The index of the row for a number of viewers and comments a second."""
        by_viewers = sum(viewers >= bound for bound in self.viewers)
        by_rate = sum(rate > bound for bound in self.comments_per_s)
        return max(by_viewers, by_rate)


class Pace:
    """One stream's size over time: it goes up at once, and down when it was smaller for `CALM_SPAN_S` on end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counts: deque[tuple[float, int]] = deque()
        self._index = 0
        self._smaller_since: float | None = None
        self.viewers = 0
        self.show_all = False

    def note(self, comments: int, now: float) -> None:
        """So many comments came in this window."""
        self._counts.append((now, comments))
        self._settle(now)

    def rate(self, now: float) -> float:
        """Comments a second, the mean of the last ten seconds."""
        while self._counts and self._counts[0][0] <= now - RATE_SPAN_S:
            self._counts.popleft()
        return sum(count for _, count in self._counts) / RATE_SPAN_S

    @property
    def row(self) -> Row:
        """The plan's row for the stream as it is."""
        return self._plan.rows[self._index]

    def limit(self, now: float) -> int:
        """How many events make a window leave early: a full frame where all is shown."""
        return EVERYTHING if self._sampled(self.rate(now)) else self.row.frame_comments

    def best(self, comments: int, now: float) -> int | None:
        """How many of a window's `comments` may be shown; None: all of them."""
        if comments <= self.row.best or not self._sampled(self.rate(now)):
            return None
        return self.row.best

    def _sampled(self, rate: float) -> bool:
        return not self.show_all and rate > self.row.all_per_s

    def _settle(self, now: float) -> None:
        index = self._plan.row_of(self.viewers, self.rate(now))
        if index >= self._index:
            self._index, self._smaller_since = index, None
        elif self._smaller_since is None:
            self._smaller_since = now
        elif now - self._smaller_since >= CALM_SPAN_S:
            self._index, self._smaller_since = index, None
