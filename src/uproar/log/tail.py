"""The newest records of a log, kept in memory for readers that keep up."""

from collections import deque
from collections.abc import Sequence

from uproar.log import Record

TAIL_RECORDS = 20_000
TAIL_BYTES = 8 << 20


class Tail:
    """At most so many records and encoded bytes, whichever is reached first; offsets follow one another without holes.

    `last` is the offset of the log's newest record, 0 before any.
    """

    def __init__(self, last: int, records: int = TAIL_RECORDS, size: int = TAIL_BYTES) -> None:
        self.last = last
        self._most_records = records
        self._most_bytes = size
        self._records: deque[Record] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0

    def add(self, record: Record, size: int) -> None:
        """The log's next record, of `size` bytes when encoded."""
        self.last = record.offset
        self._records.append(record)
        self._sizes.append(size)
        self._bytes += size
        while len(self._records) > self._most_records or self._bytes > self._most_bytes:
            self._drop_oldest()

    def above(self, offset: int, limit: int) -> Sequence[Record] | None:
        """The records above the offset, at most `limit`; None when they begin before the tail does."""
        if offset >= self.last:
            return ()
        start = offset - self.last + len(self._records)
        if start < 0:
            return None
        return [self._records[at] for at in range(start, min(start + limit, len(self._records)))]

    def drop_below(self, offset: int) -> None:
        """Forget the records below the offset: the log has let them go."""
        while self._records and self._records[0].offset < offset:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._records.popleft()
        self._bytes -= self._sizes.popleft()
