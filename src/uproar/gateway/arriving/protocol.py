"""The decision to upgrade: from a request's head to a seat and a stream, or to the refusal that is the answer."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, NamedTuple

from uproar.core.clock import Clock
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.gateway.answers import Denial
from uproar.gateway.gate import Gate
from uproar.gateway.socket.protocol import Connections, Socket, peer_of
from uproar.gateway.wish import Wish, wish_of
from uproar.observe.counters import Metrics
from uproar.wire.handshake import Request


class Door(NamedTuple):
    """The port's gate, and what it asks: whether a stream is watched already, else for the stream."""

    gate: Gate
    is_watched: Callable[[str], bool]
    open_stream: Callable[[str, str], Coroutine[Any, Any, Stream | Refused | None]]
    do: Callable[[Coroutine[Any, Any, None]], object]
    clock: Clock
    metrics: Metrics


class Arriving(Socket):
    """Somebody who asks to watch a stream. Subclasses say where `welcome` leads."""

    __slots__ = ("_address",)
    door: ClassVar[Door]

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._address: str | None = None  # of the seat that it has

    def connection_made(self, transport: Any) -> None:
        """Beyond the accept rate: 503 before anything is read or checked."""
        super().connection_made(transport)
        hurried = self.door.gate.hurry(self.door.clock.now())
        if hurried:
            self.refuse(hurried)

    def asked(self, request: Request) -> None:
        """Origin, caps and query first; only then is the stream looked up."""
        address = self.door.gate.seat(request, peer_of(self.transport))  # type: ignore[arg-type]
        if isinstance(address, Denial):
            return self.refuse(address)
        self._address = address
        wish = wish_of(request)
        if isinstance(wish, Denial):
            return self.refuse(wish)
        self.door.do(self._admit(request, wish, address))
        return None

    async def _admit(self, request: Request, wish: Wish, address: str) -> None:
        if not self.door.is_watched(wish.stream):
            found = await self.door.open_stream(wish.stream, address)
            if not isinstance(found, Stream):
                why = found or Refused(Refusal.NO_SUCH_STREAM)
                return self.refuse(Denial(why.refusal.status, why))
        return await self.welcome(request, wish)

    async def welcome(self, request: Request, wish: Wish) -> None:
        """It may come in."""
        raise NotImplementedError

    def refuse(self, denial: Denial) -> None:
        """It is not let in; counted."""
        self.door.metrics.handshakes_refused.labels(str(denial.status)).inc()
        self.deny(denial)

    def connection_lost(self, exc: Exception | None) -> None:
        """Out of the caps."""
        super().connection_lost(exc)
        if self._address is not None:
            self.door.gate.leave(self._address)
            self._address = None
