"""One gateway process, as the process that has the port sees it."""

import asyncio
from contextlib import suppress
from subprocess import TimeoutExpired
from typing import NamedTuple

from uproar.assembly.children import Child
from uproar.assembly.parts import Parts
from uproar.auth import Keys, write_jwks
from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.gateway.hearing.service import Writes
from uproar.gateway.linked.service import serve_writes
from uproar.link import Link, Parcels
from uproar.observe.adding import Added, Numbers
from uproar.presence.linked import Served as ServedPresence
from uproar.settings import Settings
from uproar.timeline.linked import Served as ServedTimeline

START_S = 20.0  # for a gateway to come up
SILENT_S = 10.0  # one that answers nothing for so long is stuck
LOOK_S = 1.0  # so long numbers are waited for
REAP_S = 1.0  # for one whose link broke to end by itself


class Behind(NamedTuple):
    """What gateways are told, and what they ask for."""

    settings: Settings
    keys: Keys
    parts: Parts
    writes: Writes
    numbers: Added
    clock: Clock


class Line:
    """Its link, its way for viewers, and whether it came up, takes no more viewers (`leaving`), and ended (`lost`)."""

    def __init__(self, child: Child, behind: Behind) -> None:
        self.process = child.process
        self.parcels = Parcels(child.parcels)
        self.lost = asyncio.Event()
        self.leaving = asyncio.Event()
        self.link = Link(self._break, self._hear)
        self.is_up = False
        self._asking: asyncio.Task[None] | None = None
        self._heard_at = behind.clock.now()
        self._socket = child.link
        self._behind = behind
        self._timeline = ServedTimeline(self.link, behind.parts.timeline)
        self._presence = ServedPresence(self.link, behind.parts.presence)
        serve_writes(self.link, behind.writes, behind.parts.log.append)
        self.link.on("numbers", tuple[Numbers], self._note)

    async def begin(self) -> None:
        """Serve it, and tell it what it is to know."""
        behind = self._behind
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self.link, sock=self._socket)
        except BaseException:
            self._socket.close()  # nobody else has it
            raise
        self.link.note("begin", behind.settings, behind.keys.secret, write_jwks(behind.keys.public))

    async def look(self) -> None:
        """Take its numbers as they are now; those of before stay until it answers, which it is asked for once."""
        if self.is_up:
            self._asking = self._asking or asyncio.ensure_future(self._ask())
            await asyncio.wait({self._asking}, timeout=LOOK_S)

    async def _ask(self) -> None:
        try:
            with suppress(Unavailable):
                self._note(await self.link.ask("numbers", Numbers))
        finally:
            self._asking = None

    def _note(self, numbers: Numbers) -> None:
        if not self.lost.is_set():
            self._behind.numbers.tell(self, numbers)

    def _hear(self) -> None:
        self._heard_at = self._behind.clock.now()

    def _break(self) -> None:
        self.lost.set()
        self.leaving.set()

    @property
    def is_stuck(self) -> bool:
        """Whether nothing was heard of it for too long, or it does not come up: a slow one says something."""
        return self._behind.clock.now() - self._heard_at > (SILENT_S if self.is_up else START_S)

    async def end(self) -> int:
        """It is no more: nobody listens there, its counters are kept. Its exit status."""
        self.leaving.set()
        self.link.close()
        self.parcels.close()
        self._timeline.close()
        self._behind.numbers.end(self)
        await self._presence.close()
        return await asyncio.to_thread(self._reap)

    def _reap(self) -> int:
        try:
            return self.process.wait(REAP_S)
        except TimeoutExpired:
            self.process.kill()
            return self.process.wait()
