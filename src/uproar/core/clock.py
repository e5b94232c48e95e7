"""The only place that asks what time it is."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests hand in one that they turn."""

    def now(self) -> float:
        """Seconds that only go up, for spans and patience."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 (UTC), as the world sees them; may step."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Seconds that only go up."""
        return time.monotonic()

    def now_ms(self) -> int:
        """Milliseconds since 1970 (UTC)."""
        return time.time_ns() // 1_000_000
