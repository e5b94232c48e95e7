"""What many tests need: a loop to run in and a clock to turn."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 60


class TurnedClock:
    """A `Clock` that stands until a test turns it."""

    def __init__(self, now: float = 0.0, ms: int = 1_790_000_000_000) -> None:
        self._now = now
        self._ms = ms

    def now(self) -> float:
        """Seconds that only go up."""
        return self._now

    def now_ms(self) -> int:
        """Milliseconds since 1970 (UTC)."""
        return self._ms

    def turn(self, seconds: float) -> None:
        """Let both clocks go on."""
        self._now += seconds
        self._ms += round(seconds * 1000)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of its own; what hangs fails."""

    async def main() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await coroutine

    return asyncio.run(main())
