"""Time that jumps: an event loop in which waiting is a subtraction, and a clock that reads it."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

BEGAN_MS = 1_790_000_000_000


class _Jumping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout=None):
        ready = super().select(0) if len(self.get_map()) > 1 else []  # the loop's own waking pipe alone is never ready
        if not ready and timeout is None:
            raise RuntimeError("everyone waits, and nothing is due")
        if not ready:
            self.time += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its time goes on when everyone waits, and then at once. What fails without a listener is kept in `failures`."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self.failures: list[str] = []
        self.set_exception_handler(lambda _, context: self.failures.append(repr(context)))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._jumping.time


class SteppingClock:
    """The loop's time, and a wall clock beside it that a day may turn."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self.off_ms = 0

    def now(self) -> float:
        """Seconds that only go up."""
        return self._loop.time()

    def now_ms(self) -> int:
        """Milliseconds since 1970 (UTC); they step."""
        return BEGAN_MS + self.off_ms + int(self._loop.time() * 1000)


def run(loop: VirtualTimeLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end, and end whatever is still under way; what a task does about its end may take another round."""
    try:
        return loop.run_until_complete(coroutine)
    finally:
        while left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left, timeout=1.0))
        loop.close()
