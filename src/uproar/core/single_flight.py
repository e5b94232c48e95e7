"""Single flight: readings that are alike and asked for at once become one, and none began before it was asked for."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

_T = TypeVar("_T")


class SingleFlight:
    """At most two flights a key: the one under way, and the next, for whoever comes meanwhile.

    Who came after a flight began is not on it: what it reads may be older than something they know already. After a
    flight the next one rests for `rest_s`, so that a crowd shares few.
    """

    def __init__(self, rest_s: float = 0.0) -> None:
        self._rest_s = rest_s
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}

    async def do(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """The result of a `make()` for the key that begins after this call; whoever leaves ends it for nobody."""
        flight: asyncio.Task[_T] | None = self._next.get(key)
        if flight is None:
            flight = self._next[key] = asyncio.ensure_future(self._fly(key, make))
            flight.add_done_callback(_heard)
        return await asyncio.shield(flight)

    async def _fly(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        while key in self._under_way:
            await asyncio.wait([self._under_way[key]])
        self._under_way[key] = self._next.pop(key)
        try:
            return await make()
        finally:
            if self._rest_s:
                self._under_way[key] = asyncio.ensure_future(self._rest(key))
            else:
                del self._under_way[key]

    async def _rest(self, key: Hashable) -> None:
        try:
            await asyncio.sleep(self._rest_s)
        finally:
            del self._under_way[key]


def _heard(flight: asyncio.Task[Any]) -> None:
    """A failure is its askers' to tell, also when none waits any more."""
    if not flight.cancelled():
        flight.exception()
