"""A gateway process that stops: whoever is there reads a bye, whoever comes meanwhile is sent elsewhere."""

import asyncio
import socket
from types import SimpleNamespace

from tests.links import linked
from tests.tools import TurnedClock, run
from tests.unit.gateway.test_handing import HEAD
from uproar.assembly.gateway import Gateway
from uproar.auth import Keys
from uproar.core.stream import Stream
from uproar.gateway.linked.service import serve_writes
from uproar.link.parcels import Parcel
from uproar.observe.adding import Numbers
from uproar.presence.linked import Served as ServedPresence
from uproar.presence.memory import MemoryPresence
from uproar.settings import Settings
from uproar.timeline.linked import Served as ServedTimeline
from uproar.timeline.memory import MemoryTimeline


async def no_likes(ids):
    return {}


async def find(stream):
    return Stream(stream)


class Port:
    """What the process that has the port answers, and what it hears."""

    def __init__(self, there):
        clock, self.heard, self.tickets = TurnedClock(), [], 0
        ServedTimeline(there, MemoryTimeline(clock, no_likes))
        ServedPresence(there, MemoryPresence(clock))
        serve_writes(there, SimpleNamespace(post=find, like=find, report=find, stream=find), find)
        there.on("down", tuple[()], lambda: self.heard.append("down"))
        there.on("left", tuple[int], self.heard.append)
        there.on("numbers", tuple[Numbers], lambda _: self.heard.append("numbers"))

    async def passes_on(self, gateway):
        """A viewer's end of the connection that the gateway is given."""
        ours, theirs = socket.socketpair()
        self.tickets += 1
        gateway.take(self.tickets, Parcel(HEAD, theirs.detach()))
        return await asyncio.open_unix_connection(sock=ours)

    async def hears(self, what):
        while what not in self.heard:
            await asyncio.sleep(0)


def test_a_gateway_that_stops_empties_itself_and_lets_nobody_in():
    async def story():
        async with linked() as (here, there):
            port, gateway = Port(there), Gateway(Settings(sender="python"), Keys(b"s" * 32), here)
            reader, writer = await port.passes_on(gateway)
            assert b'"joined"' in await reader.readuntil(b'"joined"')
            empty = asyncio.Event()
            stopping = asyncio.ensure_future(gateway.drain(empty))
            await port.hears("down")
            late, its_writer = await port.passes_on(gateway)
            assert (await late.read()).startswith(b"HTTP/1.1 503 ")
            assert b'"shutdown"' in await reader.read()
            for one in (writer, its_writer):
                one.close()
            await port.hears(1)
            await port.hears(2)
            assert not stopping.done()  # more may be on their way until it is told otherwise
            empty.set()
            await stopping
            await port.hears("numbers")
            assert (port.heard[0], port.heard[-1], sorted(port.heard[1:-1])) == ("down", "numbers", [1, 2])

    run(story())
