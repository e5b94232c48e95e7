"""A stream's past by the time since it started: spans, parts of ten seconds, and when a part is over."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

PART_MS = 10_000
SPAN_MS = 600_000
"""One answer covers at most so much of the stream."""

COMMENTS = 5_000
"""One answer holds at most so many comments; it tells where to go on."""

SETTLED_MS = 2_000  # what was posted at a part's end is in the store by then


class Span(NamedTuple):
    """From `from_ms` to below `to_ms`."""

    from_ms: int
    to_ms: int

    def since(self, started_at: int) -> "Span":
        """The same span of a stream's time as milliseconds since 1970."""
        return Span(self.from_ms + started_at, self.to_ms + started_at)

    def seconds(self) -> "Span":
        """Both ends rounded down to whole seconds, so that neighbours share no second and miss none."""
        return Span(_second(self.from_ms), _second(self.to_ms))


def span(from_ms: int, to_ms: int) -> Span:
    """What is asked for, within bounds."""
    start = max(0, from_ms)
    return Span(start, max(start, min(to_ms, start + SPAN_MS)))


def part(number: int) -> Span:
    """The `number`-th ten seconds, from 0."""
    return Span(number * PART_MS, (number + 1) * PART_MS)


def cut(asked: Span, times_ms: Sequence[int]) -> Span:
    """As much of the span as one answer holds, by its comments' ascending times since the stream started."""
    if len(times_ms) <= COMMENTS:
        return asked
    return Span(asked.from_ms, max(asked.from_ms + 1, times_ms[COMMENTS]))


def is_over(asked: Span, started_at: int, now_ms: int) -> bool:
    """Whether nothing more comes into the span, so that caches may keep it."""
    return now_ms >= asked.to_ms + started_at + SETTLED_MS


def by_second(counts: Mapping[int, Mapping[str, int]], started_at: int) -> dict[str, dict[str, int]]:
    """Reaction counts by the millisecond since the stream started at which their second begins."""
    return {str(max(0, second_ms - started_at)): dict(kinds) for second_ms, kinds in counts.items()}


def _second(ms: int) -> int:
    return ms // 1000 * 1000
