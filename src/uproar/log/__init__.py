"""The log: every event of every stream, in each stream's order, read by groups at their own pace.

A new kind of log is one file here, one line in `assembly/parts.py`, and a green run of `tests/contract/test_log.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from uproar.core.events import Event


class Record(NamedTuple):
    """An event and its place in the log; offsets only grow."""

    offset: int
    event: Event


class Reader(Protocol):
    """One group's place in the log. It is read by one task."""

    async def read(self, limit: int, wait_s: float, at_least: int = 1) -> Sequence[Record]:
        """The next records, at most `limit`: once `at_least` are there, or what is there after `wait_s`, perhaps none.

        A kind may give fewer sooner. Raises `Unavailable`.
        """

    async def commit(self, offset: int) -> None:
        """Done up to `offset`: the group's next reader starts above it."""

    async def bury(self, record: Record, why: str) -> None:
        """Put a record that cannot be applied among the dead letters, so that the rest goes on."""


class Log(Protocol):
    """Where events are kept, in order."""

    async def append(self, event: Event) -> int:
        """Keep the event for good and return its offset: once returned it is never lost.

        A `Posted` with a key (stream, user, key) that was kept in the last ten minutes is not kept twice: the kinds
        that know keys return the first offset.
        Raises `Unavailable` when nothing was kept, `Unconfirmed` when perhaps it was, `Overloaded` (an `Unavailable`)
        when a group is so far behind that it could lose records.
        """

    def reader(self, group: str) -> Reader:
        """Reads for the group, from above what the group last committed (a new group: from the beginning)."""

    async def lag(self, group: str) -> int:
        """How many records the group has yet to commit."""

    async def trim(self, now_ms: int) -> int:
        """Let records go that are older than the retention and committed by every group; returns how many went."""

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
