"""A connection goes from one server to another: no byte is lost or read twice, and its other side notices nothing."""

import asyncio
import os
import socket

import uvloop

from tests.tools import TurnedClock
from uproar.auth import Keys
from uproar.core.stream import Stream
from uproar.gateway.arriving.protocol import Door
from uproar.gateway.caps import Addresses, Bucket, Caps, networks
from uproar.gateway.gate import Gate
from uproar.gateway.handing.protocol import Passing, Taken
from uproar.gateway.roster import Seat
from uproar.gateway.watching.protocol import Inside
from uproar.observe.counters import Metrics
from uproar.wire.websocket import Op, masked_frame

HEAD = (
    b"GET /v1/streams/s/live HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Forwarded-For: 8.8.8.8\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Hub:
    """Takes viewers, and remembers what they say."""

    def __init__(self):
        self.heard_of, self.joined, self.jobs = [], [], set()

    def do(self, job):
        task = asyncio.ensure_future(job)
        self.jobs.add(task)
        task.add_done_callback(self.jobs.discard)

    def has_place(self, stream):
        return True

    def join(self, viewer, stream, position, history, who):
        self.joined.append(viewer)

    def heard(self, viewer, data):
        self.heard_of.append(data)

    def gone(self, viewer):
        """It left."""


class Both:
    """The side that has the port, and the side that serves, in one loop; `takes`: whether anybody serves."""

    def __init__(self, takes=True):
        self.takes, self.hub, self.seats, self.gone = takes, Hub(), [], []
        self.is_draining = False
        self.addresses, self.opening = Addresses(1), asyncio.Event()
        self.opening.set()
        clock, metrics = TurnedClock(), Metrics()
        gate = Gate(frozenset(), Bucket(100), Caps(self.addresses, networks(["127.0.0.0/8"]), list))
        both = self

        async def open_stream(stream, address):
            await self.opening.wait()
            return Stream(stream)

        class Arrives(Passing):
            __slots__ = ()
            door = Door(gate, lambda stream: False, open_stream, both.hub.do, clock, metrics)
            onward = both

        class Watches(Taken):
            __slots__ = ()
            home = both
            inside = Inside(both.hub, Keys(b"s" * 32), clock, metrics)

        self.arrives, self.watches = Arrives, Watches

    async def pass_on(self, seat, pack):
        await asyncio.sleep(0)  # others have their turn
        parcel = pack() if self.takes else None
        if parcel is None:
            self.addresses.leave(seat.address)
            return False
        self.seats.append(seat)
        end = socket.socket(fileno=os.dup(parcel.descriptor))
        viewer = self.watches(set(), len(self.seats), parcel.data)
        loop = asyncio.get_running_loop()
        self.hub.do(loop.connect_accepted_socket(lambda: viewer, end))
        return True

    def left(self, number):
        self.gone.append(number)

    async def client(self):
        """A viewer's socket to the side that has the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self.arrives(set()), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        server.close()
        return reader, writer


def story(tell, takes=True):
    async def main():
        async with asyncio.timeout(20):
            await tell(Both(takes))

    uvloop.run(main())


def said(number):
    return masked_frame(Op.TEXT, b"%d" % number, b"mask")


async def heard(both, count):
    while len(both.hub.heard_of) < count:
        await asyncio.sleep(0)
    return [int(one) for one in both.hub.heard_of]


def test_every_byte_comes_in_order_however_it_was_cut():
    async def tell(both):
        both.opening.clear()
        reader, writer = await both.client()
        data = HEAD + b"".join(map(said, range(100)))
        for at in range(0, len(data), 37):  # before the decision, while it is made, and after it
            writer.write(data[at : at + 37])
            await asyncio.sleep(0)
            if at > len(data) // 2:
                both.opening.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert await heard(both, 100) == list(range(100))
        writer.close()

    story(tell)


def test_the_other_side_notices_nothing_when_the_first_one_lets_go():
    async def tell(both):
        reader, writer = await both.client()
        writer.write(HEAD)
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.001)
        both.hub.joined[0].transport.write(b"still here")
        assert await reader.readexactly(10) == b"still here"
        writer.write(said(1))
        assert await heard(both, 1) == [1]
        writer.close()

    story(tell)


def test_its_seat_goes_on_with_it_and_is_given_back_at_its_end():
    async def tell(both):
        reader, writer = await both.client()
        writer.write(HEAD)
        await reader.readuntil(b"\r\n\r\n")
        assert both.seats == [Seat("8.8.8.8", "s")]
        assert not both.addresses.enter("8.8.8.8")
        writer.close()
        while not both.gone:
            await asyncio.sleep(0)
        assert both.gone == [1]

    story(tell)


def test_when_nobody_serves_it_is_told_when_to_come_back_and_has_no_seat():
    async def tell(both):
        reader, writer = await both.client()
        writer.write(HEAD)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert both.addresses.enter("8.8.8.8")
        writer.close()

    story(tell, takes=False)


def test_whoever_left_while_it_was_looked_at_is_not_passed_on():
    async def tell(both):
        both.opening.clear()
        _, writer = await both.client()
        writer.write(HEAD)
        while both.addresses.enter("8.8.8.8"):
            both.addresses.leave("8.8.8.8")
            await asyncio.sleep(0)
        writer.transport.abort()
        while not both.addresses.enter("8.8.8.8"):
            await asyncio.sleep(0)
        both.opening.set()
        while both.hub.jobs:
            await asyncio.sleep(0)
        assert both.seats == []

    story(tell)


def test_whoever_comes_where_all_are_sent_away_is_told_when_to_come_back():
    async def tell(both):
        both.is_draining = True
        reader, writer = await both.client()
        writer.write(HEAD)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        writer.close()
        while not both.gone:
            await asyncio.sleep(0)
        assert (both.gone, both.hub.joined) == ([1], [])

    story(tell)
