"""What the logs inside this process have in common: keys, readers that wake when something comes, groups far behind."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import structlog
from xxhash import xxh64_intdigest

from uproar.core.clock import Clock
from uproar.core.errors import Overloaded
from uproar.core.events import Event, Posted
from uproar.log import Record

HOUR_MS = 3_600_000
KEY_MS = 600_000  # a key is known for ten minutes
DEAD_LETTERS = 10_000  # the newest are kept
SINCE_RECORDS = 100_000  # so many at most are read back at a start
LOOK_S = 5.0  # so long a look at how far groups are behind is good for
WARN_AT = 0.5  # of the retention: a group so far behind is warned of
REFUSE_AT = 0.75  # of the retention: with a group so far behind nothing more is taken

_logger = structlog.get_logger(__name__)


class DeadLetter(NamedTuple):
    """A record that a group could not apply; `event` is its msgpack, `at_ms` when it was buried."""

    group: str
    offset: int
    event: bytes
    why: str
    at_ms: int


class Keyed(NamedTuple):
    """What a key was given for: a comment's id and the digest of its text (unsigned 64 bits)."""

    stream: str
    user: str
    key: str
    comment_id: int
    digest: int


def keyed(event: Event) -> Keyed | None:
    """What the event uses a key for; None without one."""
    if not isinstance(event, Posted) or not event.key:
        return None
    comment = event.comment
    digest = xxh64_intdigest(comment.text.encode(errors="surrogatepass"))
    return Keyed(event.stream, comment.user.id, event.key, comment.id, digest)


class Arrivals:
    """Wakes readers when the log has got as far as they wait for; `last` is the newest record's offset."""

    def __init__(self, last: int = 0) -> None:
        self._last = last
        self._waiting: dict[asyncio.Future[None], int] = {}

    def note(self, offset: int) -> None:
        """The log has got so far."""
        self._last = offset
        for waiting, wanted in self._waiting.items():
            if wanted <= offset:
                _wake(waiting)

    async def reach(self, offset: int, wait_s: float) -> None:
        """Wait until the log has got so far, for `wait_s` at most."""
        if self._last >= offset or wait_s <= 0:
            return
        loop = asyncio.get_running_loop()
        waiting = loop.create_future()
        self._waiting[waiting] = offset
        timer = loop.call_later(wait_s, _wake, waiting)
        try:
            await waiting
        finally:
            timer.cancel()
            del self._waiting[waiting]


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class Source(Protocol):
    """What a reader here asks of its log."""

    arrivals: Arrivals

    async def above(self, offset: int, limit: int) -> Sequence[Record]:
        """Kept records above the offset, oldest first, at most `limit`."""

    async def commit(self, group: str, offset: int) -> None:
        """The group is done up to the offset."""

    async def bury(self, group: str, record: Record, why: str) -> None:
        """Put the record among the dead letters, once a group and record."""


class Place:
    """One group's place in a log of this process; see `Reader` for what it promises."""

    def __init__(self, source: Source, group: str, upto: int) -> None:
        self._source = source
        self._group = group
        self._upto = upto

    async def read(self, limit: int, wait_s: float, at_least: int = 1) -> Sequence[Record]:
        """The next records: as soon as `at_least` are there, or those that are there after `wait_s`."""
        await self._source.arrivals.reach(self._upto + at_least, wait_s)
        records = await self._source.above(self._upto, limit)
        if records:
            self._upto = records[-1].offset
        return records

    async def commit(self, offset: int) -> None:
        """Done up to `offset`."""
        await self._source.commit(self._group, offset)

    async def bury(self, record: Record, why: str) -> None:
        """Put a record that cannot be applied among the dead letters."""
        await self._source.bury(self._group, record, why)


class Backlog:
    """Looks now and then at how old the oldest record is that a group has yet to commit, and refuses before it is lost.

    `oldest_ms` tells when that record came (ms since 1970), None where there is none.
    """

    def __init__(self, clock: Clock, retention_ms: int, oldest_ms: Callable[[], Awaitable[int | None]]) -> None:
        self._clock = clock
        self._retention_ms = retention_ms
        self._ask = oldest_ms
        self._oldest_ms: int | None = None
        self._look_at = float("-inf")
        self._turn = asyncio.Lock()

    async def behind_ms(self) -> int:
        """The age of that record, 0 where there is none."""
        self._oldest_ms = await self._ask()
        return self._age_ms()

    async def refuse_when_far(self) -> None:
        """Raise `Overloaded` while a group is behind by three quarters of the retention; warn from a half on.

        Whoever comes while one looks waits behind it, so that appends keep their order.
        """
        async with self._turn:
            if self._clock.now() >= self._look_at:
                self._look_at = self._clock.now() + LOOK_S
                if await self.behind_ms() > WARN_AT * self._retention_ms:
                    _logger.warning("a group is far behind", behind_ms=self._age_ms(), retention_ms=self._retention_ms)
        if self._age_ms() > REFUSE_AT * self._retention_ms:
            raise Overloaded("a group is so far behind the log that records could be lost")

    def _age_ms(self) -> int:
        return 0 if self._oldest_ms is None else max(self._clock.now_ms() - self._oldest_ms, 0)
