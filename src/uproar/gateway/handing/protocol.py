"""A viewer's connection on its way: from the process that has the port, with every byte that came, to one that serves.

Only one of the two reads at any time: whoever passes it on has stopped before it packs what came, and then closes its
own copy without a word, which the other side of the connection does not see.
"""

from typing import Any, ClassVar, Protocol

from uproar.gateway.answers import HURRIED
from uproar.gateway.arriving.protocol import Arriving
from uproar.gateway.roster import Seat
from uproar.gateway.socket.protocol import Connections, descriptor_of
from uproar.gateway.watching.protocol import Watching
from uproar.gateway.wish import Wish, wish_of
from uproar.link.parcels import Pack, Parcel
from uproar.wire.handshake import Request


class Onward(Protocol):
    """The way to the processes that serve viewers."""

    async def pass_on(self, seat: Seat, pack: Pack) -> bool:
        """Take the seat over, and pass the connection on for good; False, and the seat is free, if nobody does."""


class Passing(Arriving):
    """Arrives, and goes on to a process that serves viewers."""

    __slots__ = ()
    onward: ClassVar[Onward]

    async def welcome(self, request: Request, wish: Wish) -> None:
        """On it goes, with its seat, unless an answer before this request is still on its way out."""
        if self._closing or self._address is None:
            return None
        if self.transport.get_write_buffer_size():
            return self.refuse(HURRIED)
        self.transport.pause_reading()  # type: ignore[attr-defined]
        seat, self._address = Seat(self._address, wish.stream), None
        if await self.onward.pass_on(seat, self._pack):
            return self.transport.abort()  # type: ignore[attr-defined,no-any-return]
        return self.refuse(HURRIED)

    def _pack(self) -> Parcel | None:
        if self._closing or self.transport.is_closing() or not isinstance(self._reader, bytes):
            return None
        return Parcel(self._reader, descriptor_of(self.transport))


class Home(Protocol):
    """Where passed viewers came from."""

    @property
    def is_draining(self) -> bool:
        """Whether nobody may come in any more."""

    def left(self, number: int) -> None:
        """The viewer of this number is gone."""


class Taken(Watching):
    """A viewer that was passed here under this number. `data` is its head, and what came behind."""

    __slots__ = ("_data", "_number")
    home: ClassVar[Home]

    def __init__(self, connections: Connections, number: int, data: bytes) -> None:
        super().__init__(connections)
        self._number = number
        self._data = data

    def connection_made(self, transport: Any) -> None:
        """What came before is read first."""
        super().connection_made(transport)
        data, self._data = self._data, b""
        self.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Its seat is free."""
        super().connection_lost(exc)
        self.home.left(self._number)

    def asked(self, request: Request) -> None:
        """It was looked at before: into the room, unless that is being emptied."""
        if self.home.is_draining:
            return self.refuse(HURRIED)
        wish = wish_of(request)
        assert isinstance(wish, Wish)
        return self.watch(request, wish)
