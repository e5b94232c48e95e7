"""The log in this process's memory: what tests and trials run on; it ends with the process."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from uproar.core.clock import Clock
from uproar.core.errors import Overloaded, Unavailable
from uproar.core.events import Event
from uproar.log import Record
from uproar.log.embedded import (
    DEAD_LETTERS,
    HOUR_MS,
    KEY_MS,
    SINCE_RECORDS,
    Arrivals,
    Backlog,
    DeadLetter,
    Keyed,
    Place,
    keyed,
)

RECORDS = 1_000_000  # over this nothing more is taken until `trim` has made room

_encode = msgspec.msgpack.Encoder().encode


class _Kept(NamedTuple):
    record: Record
    at_ms: int


class _Known(NamedTuple):
    keyed: Keyed
    offset: int
    at_ms: int


class MemoryLog:
    """Keeps everything in queues and dicts; see the port for what it promises."""

    def __init__(self, clock: Clock, retention_h: float = 24) -> None:
        self.arrivals = Arrivals()
        self.held_keys = False
        self._clock = clock
        self._retention_ms = round(retention_h * HOUR_MS)
        self._backlog = Backlog(clock, self._retention_ms, self._oldest_ms)
        self._kept: deque[_Kept] = deque()
        self._last = 0
        self._upto: dict[str, int] = {}
        self._known: OrderedDict[tuple[str, str, str], _Known] = OrderedDict()
        self._dead: OrderedDict[tuple[str, int], DeadLetter] = OrderedDict()

    async def append(self, event: Event) -> int:
        """Keep the event and return its offset."""
        await self._backlog.refuse_when_far()
        use = keyed(event)
        known = self._find(use.stream, use.user, use.key) if use else None
        if use and known:
            return _same(known, use).offset
        if len(self._kept) >= RECORDS:
            raise Overloaded("the log in memory is full")
        return self._keep(event, use)

    def reader(self, group: str) -> Place:
        """Reads for the group, from above what it last committed."""
        return Place(self, group, self._upto.setdefault(group, 0))

    async def lag(self, group: str) -> int:
        """How many records the group has yet to commit."""
        return self._last - max(self._upto.get(group, 0), self._last - len(self._kept))

    async def behind_ms(self) -> int:
        """How old the oldest record is that some group has yet to commit."""
        return await self._backlog.behind_ms()

    async def trim(self, now_ms: int) -> int:
        """Let go of what is old and committed by every group."""
        before = len(self._kept)
        while self._kept and self._goes(self._kept[0], now_ms):
            self._kept.popleft()
        while self._dead and next(iter(self._dead.values())).at_ms < now_ms - self._retention_ms:
            self._dead.popitem(last=False)
        return before - len(self._kept)

    async def first(self, stream: str, user: str, key: str) -> tuple[int, int] | None:
        """(comment id, digest of its text) that the key was first used for in the last ten minutes."""
        known = self._find(stream, user, key)
        return (known.keyed.comment_id, known.keyed.digest) if known else None

    async def since(self, at_ms: int) -> Sequence[Event]:
        """What was kept from `at_ms` on, oldest first; the newest 100,000 records are looked at."""
        newest = islice(reversed(self._kept), SINCE_RECORDS)
        events = [kept.record.event for kept in newest if kept.at_ms >= at_ms]
        return events[::-1]

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """All that was buried and is still kept, oldest first."""
        return list(self._dead.values())

    async def close(self) -> None:
        """Nothing is under way here."""

    # -- for its readers

    async def above(self, offset: int, limit: int) -> Sequence[Record]:
        """Kept records above the offset."""
        start = max(offset - self._last + len(self._kept), 0)
        return [self._kept[at].record for at in range(start, min(start + limit, len(self._kept)))]

    async def commit(self, group: str, offset: int) -> None:
        """The group is done up to the offset."""
        self._upto[group] = max(self._upto.get(group, 0), offset)

    async def bury(self, group: str, record: Record, why: str) -> None:
        """Put the record among the dead letters."""
        letter = DeadLetter(group, record.offset, _encode(record.event), why, self._clock.now_ms())
        self._dead.setdefault((group, record.offset), letter)
        if len(self._dead) > DEAD_LETTERS:
            self._dead.popitem(last=False)

    # -- inside

    def _keep(self, event: Event, use: Keyed | None) -> int:
        self._last += 1
        self._kept.append(_Kept(Record(self._last, event), self._clock.now_ms()))
        if use:
            self._fix(use)
        self.arrivals.note(self._last)
        return self._last

    def _fix(self, use: Keyed) -> None:
        now_ms = self._clock.now_ms()
        place = (use.stream, use.user, use.key)
        self._known[place] = _Known(use, self._last, now_ms)
        self._known.move_to_end(place)
        while next(iter(self._known.values())).at_ms <= now_ms - KEY_MS:
            self._known.popitem(last=False)

    def _find(self, stream: str, user: str, key: str) -> _Known | None:
        known = self._known.get((stream, user, key))
        return known if known and known.at_ms > self._clock.now_ms() - KEY_MS else None

    def _goes(self, kept: _Kept, now_ms: int) -> bool:
        committed = min(self._upto.values(), default=self._last)
        return kept.record.offset <= committed and kept.at_ms < now_ms - self._retention_ms

    async def _oldest_ms(self) -> int | None:
        """When the oldest record came that some group has yet to commit."""
        committed = min(self._upto.values(), default=self._last)
        at = max(committed - self._last + len(self._kept), 0)
        return self._kept[at].at_ms if at < len(self._kept) else None


def _same(known: _Known, use: Keyed) -> _Known:
    if known.keyed.comment_id != use.comment_id:
        raise Unavailable("the key was first used for another comment")
    return known
