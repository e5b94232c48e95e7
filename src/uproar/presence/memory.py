"""Presence in memory: one process's gateways."""

from collections.abc import Mapping
from typing import NamedTuple

from uproar.core.clock import Clock

SILENCE_S = 8.0
"""A gateway silent for longer is dead: four of its tellings are missing, and ten seconds are promised."""


class _Told(NamedTuple):
    viewers: Mapping[str, int]
    at_s: float


class MemoryPresence:
    """Holds what each gateway told last; see the port for what it promises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, _Told] = {}

    async def tell(self, gateway: str, viewers: Mapping[str, int]) -> None:
        """The gateway's viewers by stream, all of them."""
        now = self._clock.now()
        self._told[gateway] = _Told(dict(viewers), now)
        self._told = {name: told for name, told in self._told.items() if _lives(told, now)}

    async def viewers(self, stream: str) -> int:
        """How many watch the stream, over all gateways."""
        now = self._clock.now()
        return sum(told.viewers.get(stream, 0) for told in self._told.values() if _lives(told, now))

    async def leave(self, gateway: str) -> None:
        """The gateway's viewers are gone at once."""
        self._told.pop(gateway, None)


def _lives(told: _Told, now: float) -> bool:
    return now - told.at_s <= SILENCE_S
