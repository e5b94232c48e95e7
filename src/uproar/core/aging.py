"""A table whose entries end, each at its own time, and the one put longest ago when the table is full.

They are swept in the order in which they were put: one that is kept for much longer than the others holds up those
behind it, which are told no more, but take up room until it goes. Tables are for entries of about one span.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

SWEPT = 2
"""Ended entries that one `put` takes out: more than it puts in, so that a table in use empties itself."""


class Aging(Generic[K, V]):
    """At most `limit` entries. Times are numbers of the caller's own clock, all of one unit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, now: float) -> V | None:
        """What was put under the key, unless it has ended."""
        entry = self._entries.get(key)
        return entry[0] if entry and entry[1] > now else None

    def put(self, key: K, value: V, now: float, until: float) -> None:
        """Keep the value until `until` (exclusive), as the newest entry."""
        entries = self._entries
        entries[key] = (value, until)
        entries.move_to_end(key)
        if len(entries) > self._limit:
            entries.popitem(last=False)
        self.sweep(now, SWEPT)

    def pop(self, key: K) -> None:
        """Forget the key."""
        self._entries.pop(key, None)

    def sweep(self, now: float, most: int | None = None) -> None:
        """Take out what has ended, oldest first, up to the first that has not, `most` entries at once (None: all)."""
        left = len(self._entries) if most is None else most
        while left and self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest][1] > now:
                return
            del self._entries[oldest]
            left -= 1

    def items(self, now: float) -> Iterator[tuple[K, V]]:
        """What has not ended, oldest first, as of this call."""
        for key, (value, until) in list(self._entries.items()):
            if until > now:
                yield key, value
