"""A connection of a viewer in memory: a transport that gets stuck, and a screen that is told what comes through."""

import asyncio

import msgspec

from tests.sim.screen import Screen
from uproar.gateway.hub import Hub
from uproar.gateway.viewer import Viewer
from uproar.wire.deflate import Inflater, inflate_alone
from uproar.wire.websocket import Fail, Limits, Op, Reader

BIG = Limits(1 << 20, 64, 1 << 22)


class Socket:
    """A transport in memory: while it is stuck, what is written waits."""

    def __init__(self, viewer: "Fan") -> None:
        self._viewer = viewer
        self._waiting = bytearray()
        self.stuck = False
        self.closed = False

    def write(self, data: bytes) -> None:
        """Told at once, or kept."""
        if self.closed:
            return
        if not self.stuck:
            self._viewer.receive(data)
            return
        first = not self._waiting
        self._waiting += data
        if first:
            self._viewer.hub.paused(self._viewer)

    def is_closing(self) -> bool:
        """Nothing comes through any more."""
        return self.closed

    def get_write_buffer_size(self) -> int:
        """What waits."""
        return len(self._waiting)

    def drain(self) -> None:
        """The other side reads again."""
        self.stuck = False
        waiting, self._waiting = bytes(self._waiting), bytearray()
        if waiting and not self.closed:
            self._viewer.receive(waiting)
            self._viewer.hub.resumed(self._viewer)


class Fan(Viewer):
    """One connection of a screen."""

    __slots__ = ("answers", "bye", "hub", "number", "reader", "screen", "socket")

    def __init__(self, hub: Hub, screen: Screen, deflated: bool, number: int) -> None:
        super().__init__()
        self.number = number
        self.hub = hub
        self.screen = screen
        self.deflated = deflated
        self.context = deflated and number % 3 > 0
        self.socket = self.transport = Socket(self)
        inflate = Inflater().read if self.context else inflate_alone
        self.reader = Reader(BIG, deflate=deflated, from_client=False, inflate=inflate)
        self.answers: dict[str, asyncio.Future] = {}
        self.bye: dict = {}

    def __hash__(self) -> int:
        """By number: sets of viewers have one order in every run of a seed."""
        return self.number

    def receive(self, data: bytes) -> None:
        """Bytes arrived."""
        for message in self.reader.feed(data):
            if isinstance(message, Fail):
                self.screen.record.breaks("I4", f"{self.screen.name} cannot read: {message}")
            elif message.op is Op.PING:
                self.pinged = False
            elif message.op is Op.TEXT:
                self._told(msgspec.json.decode(message.data))

    def _told(self, message: dict) -> None:
        waiting = self.answers.get(message.get("ref", ""))
        if waiting and not waiting.done():
            waiting.set_result(message)
        if message["type"] == "bye":
            self.bye = message
        self.screen.told(message)

    def end(self, code: int, reason: str) -> None:
        """The server closes; whoever reads knows why."""
        if not (self.bye or self.socket.stuck or self.socket.closed):
            self.screen.record.breaks("drain", f"{self.screen.name} was closed with {code} and not told")
        self.lose()

    def lose(self) -> None:
        """The connection is no more."""
        if not self.socket.closed:
            self.socket.closed = True
            self.hub.gone(self)
