"""Streams: read through a short memory, opened by whoever comes first, changed by those who may."""

import asyncio
from typing import NamedTuple

from msgspec.structs import replace

from uproar.auth import Identity
from uproar.core.aging import Aging
from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.events import Changed
from uproar.core.rate import Rate
from uproar.core.refusal import Refusal, Refused
from uproar.core.single_flight import SingleFlight
from uproar.core.stream import Stream
from uproar.core.text import is_id
from uproar.log import Log
from uproar.store import Store
from uproar.write.change import StreamChange, changed
from uproar.write.outage import logged

REMEMBERED = 10_000
FRESH_S = 1.0
STALE_S = 600.0
"""A stream is read anew after a second; while the store is down the last reading serves for ten minutes."""


class _Reading(NamedTuple):
    """A stream as the store had it (None: there was none) at a time of the clock, in seconds."""

    stream: Stream | None
    at_s: float


class Streams:
    """The streams and their rules; everything raises `Unavailable` when log or store are down.

    Where streams are open each address makes at most `streams_per_min` a minute; this machine (an empty one) is exempt.
    """

    def __init__(self, log: Log, store: Store, clock: Clock, *, open_streams: bool, streams_per_min: int) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self._open_streams = open_streams
        self._made = Rate(streams_per_min)
        self._readings: Aging[str, _Reading] = Aging(REMEMBERED)
        self._reads = SingleFlight()
        self._changing = asyncio.Lock()

    async def known(self, stream: str) -> Stream | None:
        """The stream, as of a second ago at most; own changes at once."""
        now = self._clock.now()
        reading = self._readings.get(stream, now)
        if reading and now < reading.at_s + FRESH_S:
            return reading.stream
        try:
            found = await self._reads.do(stream, lambda: self._store.stream(stream))
        except Unavailable:
            if reading is None:
                raise
            return reading.stream
        newer = self._readings.get(stream, now)
        return newer.stream if newer and newer is not reading else self._note(stream, found)

    async def opened(self, stream: str, address: str) -> Stream | Refused | None:
        """The stream; where whoever comes first may open streams it is made for that address, but not too many."""
        known = await self.known(stream)
        if known or not self._open_streams or not is_id(stream):
            return known
        async with self._changing:
            found = self._note(stream, await self._store.stream(stream))
            return found or await self._made_for(address, stream)

    async def _made_for(self, address: str, stream: str) -> Stream | Refused:
        wait_s = self._made.wait_s(address, self._clock.now()) if address else 0
        if wait_s:
            wait_ms = int(wait_s * 1000) + 1
            return Refused(
                Refusal.TOO_FAST, wait_ms, "Too many new streams were opened from here; please wait a moment."
            )
        return await self._keep(Stream(stream, started_at=self._clock.now_ms()))

    async def put(self, who: Identity, stream: str, change: StreamChange) -> tuple[Stream, bool] | Refused:
        """The stream after the change, and whether it is new."""
        if not is_id(stream):
            return Refused(Refusal.BAD_MESSAGE, detail="This is no stream id.")
        async with self._changing:
            known = await self._store.stream(stream)
            after = _allowed(who, known or Stream(stream, started_at=self._clock.now_ms()), change)
            return after if isinstance(after, Refused) else (await self._keep(after), known is None)

    async def _keep(self, stream: Stream) -> Stream:
        await self._log.append(Changed(stream.id, stream))
        with logged():
            await self._store.put_stream(stream)
        self._note(stream.id, stream)
        return stream

    def _note(self, stream: str, found: Stream | None) -> Stream | None:
        now = self._clock.now()
        self._readings.put(stream, _Reading(found, now), now, now + STALE_S)
        return found


def _allowed(who: Identity, stream: Stream, change: StreamChange) -> Stream | Refused:
    """The stream after the change; one without a creator is taken by whoever may create streams."""
    if not who.may_change(stream.id, stream.creator):
        return Refused(Refusal.NOT_ALLOWED)
    taken = stream if stream.creator or who.is_admin else replace(stream, creator=who.id)
    after = changed(taken, change)
    if isinstance(after, Stream) and after.creator != taken.creator and not who.is_admin:
        return Refused(Refusal.NOT_ALLOWED)
    return after
