"""The jobs that wait for a database's one writer thread."""

import asyncio
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

import apsw

T = TypeVar("T")
Job = Callable[[apsw.Connection], T]


class Waiting(NamedTuple):
    """A job, who waits for it, and who is told first; one that stands `alone` runs outside transactions."""

    job: Job[Any]
    future: asyncio.Future[Any]
    kept: Callable[[Any], None] | None = None
    alone: bool = False


class Jobs:
    """First come, first served; `put` and `close` are called by one thread, the rest by the writer's."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Waiting | None] = SimpleQueue()  # None: no more come
        self._next: Waiting | None = None

    def __len__(self) -> int:
        return self._waiting.qsize()

    def put(self, job: Waiting) -> None:
        """One more waits."""
        self._waiting.put(job)

    def close(self) -> None:
        """No more come."""
        self._waiting.put(None)

    def first(self) -> Waiting | None:
        """Wait for the next job; None when no more come."""
        first, self._next = self._next or self._waiting.get(), None
        return first

    def more(self) -> Waiting | None:
        """The next job, if one waits that may join others."""
        try:
            self._next = self._next or self._waiting.get_nowait()
        except Empty:
            return None
        if self._next is None:
            self.close()  # told again to `first`
        if self._next is None or self._next.alone:
            return None
        return self.first()
