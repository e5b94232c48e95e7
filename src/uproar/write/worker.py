"""What the write role does unasked: it keeps its writer number, and does its chores again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.ids import IdMaker
from uproar.store import Lease, Store

LEASE_MS = 60_000
RENEW_MS = 20_000
"""A lease of a minute is renewed every twenty seconds, so that a store may be away for half a minute."""
PAUSE_S = 1.0

Chore = Callable[[], Awaitable[None]]


class LeasedIds:
    """Comment ids under a number that the store leases to `holder`; none before the first `renew`."""

    def __init__(self, store: Store, clock: Clock, holder: str) -> None:
        self._store = store
        self._clock = clock
        self._holder = holder
        self._lease: Lease | None = None
        self._maker: IdMaker | None = None

    def next(self, now_ms: int) -> int:
        """An id above all before it; raises `Unavailable` while no lease holds."""
        if self._maker is None:
            raise Unavailable("no writer number is leased yet")
        return self._maker.next(now_ms)

    async def renew(self) -> None:
        """Lease a number, or make the lease longer when it is time; raises `Unavailable`."""
        now_ms = self._clock.now_ms()
        if self._lease and now_ms < self._lease.until_ms - LEASE_MS + RENEW_MS:
            return
        lease = await self._store.lease(self._holder, now_ms, LEASE_MS)
        if self._maker and self._lease and lease[:2] == self._lease[:2]:
            self._maker.extend(lease.until_ms)
        else:
            self._maker = IdMaker(lease.writer, lease_from_ms=lease.from_ms, lease_until_ms=lease.until_ms)
        self._lease = lease


async def upkeep(chores: Sequence[Chore], pause_s: float = PAUSE_S) -> None:
    """Do all chores, pause, and again, until cancelled; what an outage keeps from being done is done next time."""
    while True:
        for chore in chores:
            with suppress(Unavailable):
                await chore()
        await asyncio.sleep(pause_s)
