"""How late a process's loop is, noted again and again."""

import asyncio

from uproar.core.clock import Clock
from uproar.observe.counters import Metrics

BEAT_S = 0.5
DEAD_S = 5.0  # a loop that did not beat for so long is not alive


class Beat:
    """Beats until cancelled."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._at = clock.now()

    @property
    def is_alive(self) -> bool:
        """Whether it beat lately."""
        return self._clock.now() - self._at < DEAD_S

    async def go_on(self) -> None:
        """Note how late the loop is, again and again."""
        while True:
            self._at = self._clock.now()
            await asyncio.sleep(BEAT_S)
            self._metrics.loop_lag_seconds.observe(max(0.0, self._clock.now() - self._at - BEAT_S))
