"""A viewer from its arrival to its end, all in the process that has the port."""

from uproar.gateway.arriving.protocol import Arriving
from uproar.gateway.watching.protocol import Watching
from uproar.gateway.wish import Wish
from uproar.wire.handshake import Request


class LiveSocket(Watching, Arriving):
    """Arrives, and watches where it arrived."""

    __slots__ = ()

    async def welcome(self, request: Request, wish: Wish) -> None:
        """Into the room."""
        self.watch(request, wish)
