"""The one loop of all workers: read, batch, apply, retry, bury, commit, and drain at stop."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from random import Random
from traceback import format_exception
from typing import Any, Protocol, TypeVar

import structlog

from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.events import Event
from uproar.log import Log, Reader, Record
from uproar.log.batcher import Batch, Batcher

READ_LIMIT = 1000
OPEN_RECORDS = 10_000  # read and not applied: with so many nothing more is read
SIDE_BY_SIDE = 16  # batches of different keys applied at once
IDLE_S = 1.0  # so long one read waits at most
PAUSE_S = 0.005  # while nothing more may be read
GATHER_S = 0.025  # while records wait for their time, others wait so long at most to be read
COMMIT_S = 0.25  # what is applied is committed so long after at most; a crash repeats that much
BACK_OFF_S = 0.1
BACK_OFF_MOST_S = 5.0
POISON_RUN = 100  # so many records in a row that cannot be applied are no poison: the worker has a bug

T = TypeVar("T")

_logger = structlog.get_logger(__name__)


class Worker(Protocol):
    """What is a worker's own: which events belong together, how long they may wait, what to do with them."""

    @property
    def group(self) -> str:
        """The name that its place in the log is kept under."""

    def key(self, event: Event) -> str | None:
        """Events of one key are applied together and in order; None: nothing is to be done."""

    def span_s(self, key: str) -> float:
        """How many seconds the first event of a batch may wait for others."""

    def limit(self, key: str) -> int:
        """How many events (1 at least) make a batch leave early."""

    async def apply(self, key: str, records: Sequence[Record]) -> None:
        """Do it; a repeat changes nothing. `Unavailable` is tried again, anything else is the records' fault."""


OnBuried = Callable[[str], None]


async def consume(
    log: Log, worker: Worker, clock: Clock, stop: asyncio.Event, dice: Random, on_buried: OnBuried = lambda group: None
) -> None:
    """Apply the log's events until `stop` is set; then apply what is read, commit, return.

    A batch is applied before its offset is committed, so an end at any moment repeats some records and loses none.
    While an outside is `Unavailable` the batch is tried again after a growing, random pause; at stop it is left for the
    next start. A batch that raises anything else is halved until the record is found that cannot be applied: it is
    buried, `on_buried(group)` is called, the rest goes on. `POISON_RUN` such records in a row are a bug: it is raised.
    """
    flow = _Flow(log.reader(worker.group), worker, clock, stop, dice, on_buried)
    async with asyncio.TaskGroup() as tasks:
        flow.tasks = tasks
        carrying = [tasks.create_task(flow.read_on()), tasks.create_task(flow.commit_on())]
        await stop.wait()
        for task in carrying:
            task.cancel()
        flow.start_ripe()
    await flow.commit()


async def _to_its_end(job: Coroutine[Any, Any, None]) -> None:
    """Do it, and if cancelled wait for it all the same.

    A commit that lands after its worker ended could jump over what the next worker is repeating.
    """
    task = asyncio.ensure_future(job)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Unavailable):
            await task
        raise


class _Flow:
    """One worker's records on their way from the reader through batches to the commit."""

    tasks: asyncio.TaskGroup

    def __init__(
        self, reader: Reader, worker: Worker, clock: Clock, stop: asyncio.Event, dice: Random, on_buried: OnBuried
    ) -> None:
        self._reader = reader
        self._worker = worker
        self._clock = clock
        self._stop = stop
        self._dice = dice
        self._on_buried = on_buried
        self._batcher = Batcher(worker.key, worker.span_s, worker.limit, SIDE_BY_SIDE)
        self._moved = asyncio.Event()
        self._missing = 1  # records that fill a batch, as far as was seen at the last read
        self._committed = 0
        self._buried_in_a_row = 0

    async def read_on(self) -> None:
        """Read and start what is ripe, until stop."""
        with suppress(Unavailable):  # comes out of `_surely` at stop only
            while True:
                self._take_in(await self._surely(self._read))
                await asyncio.sleep(0)

    async def commit_on(self) -> None:
        """Commit now and then, without an end."""
        while True:
            await self._moved.wait()
            await asyncio.sleep(COMMIT_S)
            self._moved.clear()
            await self.commit()

    async def commit(self) -> None:
        """Commit what is applied; where that cannot be kept now, a later commit or a repeat makes up for it."""
        applied = self._batcher.applied
        if applied > self._committed:
            try:
                await _to_its_end(self._reader.commit(applied))
                self._committed = applied
            except Unavailable as error:
                self._moved.set()
                _logger.warning("not committed", group=self._worker.group, error=str(error))

    def start_ripe(self) -> None:
        """Start to apply every batch whose time has come; at stop all are ripe."""
        for batch in self._batcher.ripe(self._now()):
            self.tasks.create_task(self._apply(batch))

    def _take_in(self, records: Sequence[Record]) -> None:
        now = self._clock.now()
        missing = [self._batcher.add(record, now) for record in records]
        if records:
            self._missing = min(filter(None, missing), default=1)
            self._moved.set()
        self.start_ripe()

    async def _read(self) -> Sequence[Record]:
        """Whoever waits for nothing reads the next record at once; else a batch that is full, or soon enough."""
        if self._batcher.open >= OPEN_RECORDS:
            await asyncio.sleep(PAUSE_S)
            return ()
        due = self._batcher.due
        if due is None:
            return await self._reader.read(READ_LIMIT, IDLE_S)
        wait_s = min(max(PAUSE_S, due - self._clock.now()), GATHER_S)
        return await self._reader.read(READ_LIMIT, wait_s, self._missing)

    async def _apply(self, batch: Batch) -> None:
        try:
            await self._apply_rest(batch.key, batch.records)
        except Unavailable as error:
            _logger.warning("left for the next start", group=self._worker.group, error=str(error))
            return
        self._batcher.done(batch, self._now())
        self._moved.set()
        self.start_ripe()

    async def _apply_rest(self, key: str, records: Sequence[Record]) -> None:
        error = await self._try(key, records)
        if error is None:
            self._buried_in_a_row = 0
        elif len(records) == 1:
            await self._bury(records[0], error)
        else:
            half = len(records) // 2
            await self._apply_rest(key, records[:half])
            await self._apply_rest(key, records[half:])

    async def _try(self, key: str, records: Sequence[Record]) -> Exception | None:
        try:
            await self._surely(lambda: self._worker.apply(key, records))
        except Unavailable:
            raise
        except Exception as error:
            return error
        return None

    async def _bury(self, record: Record, error: Exception) -> None:
        self._buried_in_a_row += 1
        if self._buried_in_a_row >= POISON_RUN:
            raise error
        await self._surely(lambda: self._reader.bury(record, repr(error)))
        self._on_buried(self._worker.group)
        traceback = "".join(format_exception(error))
        _logger.error("a record is buried", group=self._worker.group, offset=record.offset, traceback=traceback)

    async def _surely(self, deed: Callable[[], Awaitable[T]]) -> T:
        """Do it, again and again while it is `Unavailable`, until stop."""
        most_s = BACK_OFF_S
        while True:
            try:
                return await deed()
            except Unavailable as error:
                if self._stop.is_set():
                    raise
                _logger.warning("tried again", group=self._worker.group, error=str(error))
            await self._pause(self._dice.random() * most_s)
            most_s = min(most_s * 2, BACK_OFF_MOST_S)

    async def _pause(self, span_s: float) -> None:
        """Wait, but not beyond stop."""
        try:
            async with asyncio.timeout(span_s):
                await self._stop.wait()
        except TimeoutError:
            return

    def _now(self) -> float:
        return math.inf if self._stop.is_set() else self._clock.now()
