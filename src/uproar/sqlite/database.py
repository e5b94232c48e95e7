"""One writer thread, many jobs to a commit, readers beside it."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import apsw

from uproar.core.clock import SystemClock
from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.sqlite.file import open_reader, open_writer, truncate_wal
from uproar.sqlite.jobs import Job, Jobs, Waiting

WAITING_JOBS = 4096  # jobs that wait for the writer, and reads for a reader; one more is `Overloaded`
TRANSACTION_S = 0.02  # for so long at most a transaction takes in jobs before it commits
READERS = 2
CHECKPOINT_PAGES = 1000  # so many new pages in the write-ahead log move into the file

T = TypeVar("T")

_OUTAGES = (apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError, apsw.CantOpenError, apsw.NoMemError)
_NOTHING_KEPT = (apsw.FullError, apsw.BusyError)


class _Done(NamedTuple):
    waiting: Waiting
    value: Any = None
    error: Exception | None = None


class Database:
    """The file, its one writer thread and its read-only connections; made and closed on an event loop.

    A commit waits for the disk (`synchronous=FULL`), once for all jobs that were waiting. When it fails because the
    disk is full, nothing was kept: `Unavailable`, and the next may succeed. After any other failure of a commit its
    pages may or may not reach the disk, and the kernel may call the next fsync good though they did not: the jobs are
    answered `Unconfirmed`, and every later write is refused (`failed` says why) until the file is opened anew.
    Opening moves what the write-ahead log holds into the file, so that nothing rests on pages whose fsync failed.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; `Misconfigured` when it is not a whole database of ours."""
        self.path = path
        self.failed = ""
        self._connection = open_writer(path)
        self._connection.set_wal_hook(self._note_wal)
        self._wal_pages = self._moved_pages = 0
        self._jobs = Jobs()
        self._closing = False
        self._clock = SystemClock()
        self._idle_readers: SimpleQueue[apsw.Connection] = SimpleQueue()
        for _ in range(READERS):
            self._idle_readers.put(open_reader(path))
        self._reads = 0
        self._pool = ThreadPoolExecutor(READERS, "sqlite-reader")
        self._writer = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._writer.start()

    # -- for callers, on the event loop

    async def write(self, job: Job[T], kept: Callable[[T], None] | None = None) -> T:
        """Run the job in the next transaction; its value comes once that is on the disk.

        `kept` gets the value just before, in the order of the jobs, and also when nobody waits any more; it must not
        raise.

        A job that raises fails alone, with its own error. All jobs wait for those before them: keep each under about
        5 ms, and cut long work into several. Raises `Unavailable` when nothing was kept, `Unconfirmed` when perhaps it
        was, `Overloaded` when too many wait. A caller that is cancelled no longer waits; its job runs nevertheless.
        """
        return await self._enqueue(job, kept)

    async def read(self, job: Job[T]) -> T:
        """Run the job on a read-only connection: it sees one state of the file, with every write answered before."""
        self._refuse_when_closed()
        if self._reads >= WAITING_JOBS:
            raise Overloaded(f"{WAITING_JOBS} reads wait for {self.path.name}")
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, job)
        finally:
            self._reads -= 1

    async def checkpoint(self) -> None:
        """Move the write-ahead log into the file and cut it to nothing, so that no erased text is left in it."""
        await self._enqueue(truncate_wal, alone=True)

    async def close(self) -> None:
        """Finish what waits, move the write-ahead log into the file, and let go of it."""
        if not self._closing:
            self._closing = True
            self._jobs.close()
        await asyncio.to_thread(self._close)

    async def _enqueue(self, job: Job[T], kept: Callable[[T], None] | None = None, alone: bool = False) -> T:
        self._refuse_when_closed()
        if self.failed:
            raise Unavailable(self.failed)
        if len(self._jobs) >= WAITING_JOBS:
            raise Overloaded(f"{WAITING_JOBS} writes wait for {self.path.name}")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(Waiting(job, future, kept, alone))
        return await future

    def _refuse_when_closed(self) -> None:
        if self._closing:
            raise Unavailable(f"{self.path.name} is closed")

    # -- on a reader's thread

    def _read(self, job: Job[T]) -> T:
        connection = self._idle_readers.get()
        try:
            return _in_one_state(connection, job)
        except _OUTAGES as error:
            raise Unavailable(f"reading {self.path.name} failed: {error}") from error
        finally:
            self._idle_readers.put(connection)

    # -- on the writer's thread

    def _serve(self) -> None:
        while first := self._jobs.first():
            _tell([self._try(first)] if first.alone else self._transact(first))
            if self._wal_pages - self._moved_pages >= CHECKPOINT_PAGES:
                self._move_pages()

    def _transact(self, first: Waiting) -> Sequence[_Done]:
        """One transaction, one commit, and how each job ended."""
        jobs = [first]
        if self.failed:
            return _all_failed(jobs, Unavailable(self.failed))
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            done = self._run(jobs)
        except Exception as error:  # the disk or the memory failed, and SQLite took the whole transaction back
            self._roll_back()
            return _all_failed(jobs, self._outage(error))
        try:
            if self._connection.in_transaction or any(one.error is None for one in done):
                self._connection.execute("COMMIT")
        except Exception as error:
            self._roll_back()
            return _all_failed(jobs, self._uncommitted(error))
        return done

    def _run(self, jobs: list[Waiting]) -> Sequence[_Done]:
        """Run the job and those that join it, each in its savepoint; one that nobody joins needs none."""
        if not len(self._jobs):
            done = self._try(jobs[0])
            if done.error is not None:
                self._roll_back()
            return [done]
        until = self._clock.now() + TRANSACTION_S
        all_done = [self._try_in_savepoint(jobs[0])]
        while self._clock.now() < until and (job := self._jobs.more()):
            jobs.append(job)
            all_done.append(self._try_in_savepoint(job))
        return all_done

    def _try_in_savepoint(self, waiting: Waiting) -> _Done:
        self._connection.execute("SAVEPOINT job")
        done = self._try(waiting)
        if done.error is not None:
            if not self._connection.in_transaction:
                raise done.error
            self._connection.execute("ROLLBACK TO job")
        self._connection.execute("RELEASE job")
        return done

    def _try(self, waiting: Waiting) -> _Done:
        try:
            return _Done(waiting, waiting.job(self._connection))
        except _OUTAGES as error:
            return _Done(waiting, error=self._outage(error))
        except Exception as error:
            return _Done(waiting, error=error)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(apsw.Error):  # then SQLite has done it
                self._connection.execute("ROLLBACK")

    def _outage(self, error: Exception) -> Unavailable:
        return Unavailable(f"writing {self.path.name} failed: {error}")

    def _uncommitted(self, error: Exception) -> Unavailable:
        outage = self._outage(error)
        if isinstance(error, _NOTHING_KEPT):
            return outage
        self.failed = str(outage)
        return Unconfirmed(self.failed)

    def _note_wal(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._wal_pages:
            self._moved_pages = 0  # it began anew
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _move_pages(self) -> None:
        with suppress(apsw.Error):  # nothing is lost: the next one writes all these pages again
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._moved_pages = self._wal_pages

    # -- on the closing thread

    def _close(self) -> None:
        self._writer.join()
        self._pool.shutdown()
        while not self._idle_readers.empty():
            self._idle_readers.get().close()
        with suppress(apsw.Error):  # the next opening does it
            truncate_wal(self._connection)
        self._connection.close()


def _in_one_state(connection: apsw.Connection, job: Job[T]) -> T:
    connection.execute("BEGIN")
    try:
        return job(connection)
    finally:
        connection.execute("ROLLBACK")


def _all_failed(jobs: Sequence[Waiting], error: Exception) -> Sequence[_Done]:
    return [_Done(waiting, error=error) for waiting in jobs]


def _tell(done: Sequence[_Done]) -> None:
    """Wake those who wait: one call into each loop for all."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Done]] = {}
    for one in done:
        by_loop.setdefault(one.waiting.future.get_loop(), []).append(one)
    for loop, some in by_loop.items():
        with suppress(RuntimeError):  # the loop has ended, and who waited with it
            loop.call_soon_threadsafe(_resolve, some)


def _resolve(done: Sequence[_Done]) -> None:
    for waiting, value, error in done:
        if error is None and waiting.kept is not None:
            waiting.kept(value)
        if waiting.future.done():
            continue  # who waited was cancelled
        if error is None:
            waiting.future.set_result(value)
        else:
            waiting.future.set_exception(error)
