"""All batching: which records go together, when they are ripe, and up to where everything is applied."""

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from uproar.core.events import Event
from uproar.log import Record


class Batch(NamedTuple):
    """Records of one key, in the log's order."""

    key: str
    records: Sequence[Record]


class _Lane:
    """One key's records: those being applied, and those that wait for them and for their time."""

    def __init__(self) -> None:
        self.applying: Sequence[Record] = ()
        self.waiting: deque[tuple[Record, float]] = deque()

    @property
    def oldest(self) -> int:
        return (self.applying or [self.waiting[0][0]])[0].offset


class Batcher:
    """A batch is ripe when its first record has waited its span, or when it is full.

    One key's batches are applied one after another, different keys' side by side, at most `side_by_side` at once.
    `key` says what belongs together (None: nothing is to be done), `span_s` how long a key's records may wait, `limit`
    how many (1 at least) make
    a batch full. All times are seconds on one clock.
    """

    def __init__(
        self,
        key: Callable[[Event], str | None],
        span_s: Callable[[str], float],
        limit: Callable[[str], int],
        side_by_side: int,
    ) -> None:
        self._key = key
        self._span_s = span_s
        self._limit = limit
        self._free = side_by_side
        self._lanes: dict[str, _Lane] = {}
        self._ripening: list[tuple[float, str]] = []
        self._last = 0
        self.open = 0

    def add(self, record: Record, now: float) -> int:
        """Take in the log's next record; how many more would fill its batch. `open` counts those not applied yet."""
        self._last = record.offset
        key = self._key(record.event)
        if key is None:
            return 0
        self.open += 1
        lane = self._lanes.setdefault(key, _Lane())
        lane.waiting.append((record, now + self._span_s(key)))
        if len(lane.waiting) == 1:
            heappush(self._ripening, (lane.waiting[0][1], key))
        missing = max(0, self._limit(key) - len(lane.waiting))
        if not missing:
            heappush(self._ripening, (now, key))
        return missing

    def ripe(self, now: float) -> Sequence[Batch]:
        """Batches to apply now, longest ripe first; say `done` for each."""
        batches = []
        while self._free and self._ripening and self._ripening[0][0] <= now:
            _, key = heappop(self._ripening)
            lane = self._lanes.get(key)
            if lane is None or lane.applying:
                continue
            if self._is_ripe(key, lane, now):
                batches.append(self._take(key, lane))
            else:  # it was full, and no longer is: the limit has grown
                heappush(self._ripening, (lane.waiting[0][1], key))
        return batches

    def done(self, batch: Batch, now: float) -> None:
        """The batch is applied; what waited for it ripens."""
        lane = self._lanes[batch.key]
        lane.applying = ()
        self._free += 1
        self.open -= len(batch.records)
        if lane.waiting:
            full = len(lane.waiting) >= self._limit(batch.key)
            heappush(self._ripening, (now if full else lane.waiting[0][1], batch.key))
        else:
            del self._lanes[batch.key]

    @property
    def due(self) -> float | None:
        """When to ask `ripe` next, if nothing is added or done before; None while nothing waits."""
        return self._ripening[0][0] if self._ripening else None

    @property
    def applied(self) -> int:
        """The offset up to which all records are applied."""
        return min((lane.oldest for lane in self._lanes.values()), default=self._last + 1) - 1

    def _is_ripe(self, key: str, lane: _Lane, now: float) -> bool:
        return lane.waiting[0][1] <= now or len(lane.waiting) >= self._limit(key)

    def _take(self, key: str, lane: _Lane) -> Batch:
        count = min(self._limit(key), len(lane.waiting))
        lane.applying = [lane.waiting.popleft()[0] for _ in range(count)]
        self._free -= 1
        return Batch(key, lane.applying)
