"""A connection that watches a stream: it is a viewer of this process's hub."""

from typing import ClassVar, NamedTuple

from uproar.auth import Identity, Keys, bearer, identify
from uproar.core.clock import Clock
from uproar.gateway.answers import FULL, Denial
from uproar.gateway.hub import Hub
from uproar.gateway.socket.protocol import Socket, descriptor_of
from uproar.gateway.wish import Wish
from uproar.observe.counters import Metrics
from uproar.wire.closes import Close
from uproar.wire.handshake import Request
from uproar.wire.websocket import Message, Op


class Inside(NamedTuple):
    """What viewers of this process meet."""

    hub: Hub
    keys: Keys
    clock: Clock
    metrics: Metrics


class Watching(Socket):
    """One viewer of one stream."""

    __slots__ = ()
    inside: ClassVar[Inside]

    def watch(self, request: Request, wish: Wish) -> None:
        """Into the stream's room, if it has a place. Nothing waits here, so that no one else takes it."""
        inside = self.inside
        if not inside.hub.has_place(wish.stream):
            return self.refuse(FULL)
        token = bearer(request.headers.get("authorization"))
        who = identify(token, inside.keys, inside.clock.now_ms() / 1000) if token else None
        if self.transport.is_closing():
            return None
        self.accept(request)
        self.descriptor = descriptor_of(self.transport)
        inside.hub.join(self, wish.stream, wish.position, wish.history, who if isinstance(who, Identity) else None)
        return None

    def refuse(self, denial: Denial) -> None:
        """It is not let in; counted."""
        self.inside.metrics.handshakes_refused.labels(str(denial.status)).inc()
        self.deny(denial)

    def said(self, message: Message) -> None:
        """Text goes to the hub; binary is not the protocol, and reads as such."""
        self.inside.hub.heard(self, message.data if message.op is Op.TEXT else b"")

    def left(self) -> None:
        """Out of the room."""
        self.inside.hub.gone(self)

    def pause_writing(self) -> None:
        """It lags."""
        self.inside.hub.paused(self)

    def resume_writing(self) -> None:
        """It can be served again."""
        self.inside.hub.resumed(self)

    def bye(self) -> None:
        """The server stops before the hub drained it: the same words, without a spread."""
        if not self._closing:
            self.inside.hub.close(self, Close.SHUTDOWN)
