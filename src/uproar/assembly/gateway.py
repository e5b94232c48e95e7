"""A process that serves viewers beside the one that has the port, and ends when that does."""

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from contextlib import suppress

import uvloop
from prometheus_client import ProcessCollector

from uproar.assembly.beating import Beat
from uproar.assembly.files import raise_limit
from uproar.assembly.supervising import supervise
from uproar.assembly.viewing import hub_of, limits_of, write_of
from uproar.auth import Keys, read_jwks
from uproar.core.clock import SystemClock
from uproar.gateway.handing.protocol import Taken
from uproar.gateway.linked.service import LinkedWrites
from uproar.gateway.socket.protocol import Connections
from uproar.gateway.watching.protocol import Inside
from uproar.link import Link, Parcels
from uproar.link.parcels import LOST, Parcel
from uproar.observe.adding import Numbers, numbers_of
from uproar.observe.counters import Metrics
from uproar.presence.linked import LinkedPresence
from uproar.settings import Settings
from uproar.timeline.linked import LinkedTimeline

PR_SET_PDEATHSIG = 1  # prctl(2): a process whose parent ends gets this signal
GRACE_S = 10.0  # for viewers to read their bye; more than they are given


class Gateway:
    """Viewers that come as open files, and a hub that asks the other process for all it needs."""

    def __init__(self, settings: Settings, keys: Keys, link: Link) -> None:
        self.clock = SystemClock()
        self.is_draining = False
        self.metrics = Metrics()
        ProcessCollector(registry=self.metrics.registry)
        writes = LinkedWrites(link, self.clock)
        timeline, presence, write = LinkedTimeline(link), LinkedPresence(link), write_of(settings)
        self.hub = hub_of(settings, keys, self.clock, self.metrics, timeline, presence, writes, writes.append, write)
        self.connections: Connections = set()
        self._link = link

        class Viewer(Taken):
            """A viewer of this process."""

            __slots__ = ()
            home = self
            inside = Inside(self.hub, keys, self.clock, self.metrics)
            limits = limits_of(settings)

        self._viewer = Viewer

    def take(self, ticket: int, parcel: Parcel) -> None:
        """A viewer comes; its seat is its ticket's."""
        if parcel.descriptor == LOST:
            self.left(ticket)
        else:
            self.hub.do(self._connect(ticket, parcel))

    def left(self, ticket: int) -> None:
        """Its seat is free."""
        self._link.note("left", ticket)

    async def _connect(self, ticket: int, parcel: Parcel) -> None:
        end = socket.socket(fileno=parcel.descriptor)
        end.setblocking(False)
        viewer = self._viewer(self.connections, ticket, parcel.data)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: viewer, end)
        except OSError:  # it was cut off on its way
            end.close()
            self.left(ticket)

    async def numbers(self) -> Numbers:
        """As they are now."""
        return numbers_of(self.metrics)

    async def drain(self, empty: asyncio.Event) -> None:
        """Bye to all, and the last numbers once they are gone; `empty` when no more are on their way either."""
        self.is_draining = True
        self._link.note("down")
        await self.hub.drain()
        for connection in tuple(self.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(empty.wait(), GRACE_S)
        self._link.note("numbers", numbers_of(self.metrics))


async def run(link_end: socket.socket, parcels_end: socket.socket) -> None:
    """Serve viewers until SIGTERM, or until the other process says so or is gone."""
    loop = asyncio.get_running_loop()
    stopping, empty, lost = asyncio.Event(), asyncio.Event(), asyncio.Event()
    told: asyncio.Future[tuple[Settings, bytes, bytes] | None] = loop.create_future()

    def stop() -> None:
        stopping.set()
        if not told.done():
            told.set_result(None)

    def cut() -> None:
        lost.set()
        empty.set()
        stop()

    link, parcels = Link(cut), Parcels(parcels_end)
    link.on("begin", tuple[Settings, bytes, bytes], lambda *words: told.set_result(words))
    link.on("drain", tuple[()], stopping.set)
    link.on("empty", tuple[()], empty.set)
    loop.add_signal_handler(signal.SIGTERM, stop)
    await loop.create_unix_connection(lambda: link, sock=link_end)
    words = await told
    if words is None:
        return
    settings, secret, jwks = words
    gateway = Gateway(settings, Keys(secret, read_jwks(jwks) if jwks else ()), link)
    roles = {"hub": gateway.hub.live, "beat": Beat(gateway.clock, gateway.metrics).go_on}
    helpers = [asyncio.ensure_future(supervise(name, role, stopping)) for name, role in roles.items()]
    link.answers("numbers", tuple[()], gateway.numbers)
    parcels.receive(gateway.take)
    gc.collect()
    gc.freeze()
    link.note("up")
    await stopping.wait()
    await gateway.drain(empty)
    for helper in helpers:
        helper.cancel()
    link.close()
    await lost.wait()


def serve(link: int, parcels: int) -> None:
    """Serve viewers on these two inherited sockets."""
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_limit()
    uvloop.run(run(socket.socket(fileno=link), socket.socket(fileno=parcels)))


def _end_with_parent() -> None:
    """The end of the link says it too, but is not read while this process hangs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
