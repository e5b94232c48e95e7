"""Plain HTTP within bounds: heads, bodies, seats by address, and upgrades handed on.

uvicorn makes a `BoundedHttp` per connection; a WebSocket upgrade hands its transport to a `Socket`.
"""

import asyncio
import sys
from typing import ClassVar, NamedTuple

from httptools import HttpParserUpgrade

from uproar.gateway.answers import CROWDED, LARGE_BODY, LARGE_HEAD, UNREADABLE, Denial, denied
from uproar.gateway.caps import Caps, Seat, address_of, forwards
from uproar.gateway.http.answering.protocol import AnsweringHttp
from uproar.gateway.socket.protocol import Socket, last_words, peer_of

ABORT = "uproar.abort"
"""The ASGI extension whose `now` ends a request's connection at once, whatever waits to be sent."""


class Bounds(NamedTuple):
    """What a request may take."""

    head_bytes: int = 8 << 10
    body_bytes: int = 64 << 10
    request_s: float = 10.0


class BoundedHttp(AnsweringHttp):
    """HTTP within bounds: a head or body too large or too slow ends the connection.

    In a head or a body the clock runs; between requests, and while an answer is made, it rests. A connection has a
    `seat` among those of its peer from its beginning to its end. Those of proxies (and of this machine) carry requests
    of many, and have one while a request is under way, among those of the address that its head tells.
    """

    bounds: ClassVar[Bounds] = Bounds()
    caps: ClassVar[Caps]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count."""
        super().connection_made(transport)
        self._head_bytes = self._body_bytes = 0
        self._in_head = True
        self._refused = False
        self._seat = Seat(self.caps.addresses)
        self._deadline: asyncio.TimerHandle | None = None
        self._peer = peer_of(transport)
        self._forwards = forwards(self._peer, self.caps.trusted)
        self._wait()
        if not self._forwards:
            self._take_seat(self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._rest()
        self._seat.leave()
        super().connection_lost(exc)

    # -- seats

    def _take_seat(self, address: str) -> bool:
        """Move to one among the address's; False when it has none left, which is the answer then."""
        if self._seat.take(address):
            return True
        self.caps.refused()
        self._refuse(CROWDED)
        return False

    def _asker(self) -> str:
        forwarded = [value.decode("latin-1") for name, value in self.headers if name == b"x-forwarded-for"]
        return address_of(self._peer, ",".join(forwarded) if forwarded else None, self.caps.trusted)

    def on_response_complete(self) -> None:
        """A proxy's connection is nobody's between requests."""
        if self._forwards and not self.pipeline:
            self._seat.leave()
        super().on_response_complete()

    # -- requests

    def data_received(self, data: bytes) -> None:
        """Count what is the head's; no head is read past its bound (and what one read brings)."""
        if self._refused:
            return
        if self._in_head:
            self._head_bytes += len(data)
        if self._deadline is None:
            self._wait()
        self._data = data
        super().data_received(data)
        self._data = b""
        if self._in_head and self._head_bytes > self.bounds.head_bytes:
            self._refuse(LARGE_HEAD)

    def on_message_begin(self) -> None:
        """Another request: it may begin in the same read in which the one before ended."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"now": self.transport.abort}}
        if self._deadline is None and not self._refused:
            self._wait()

    def on_headers_complete(self) -> None:
        """The head is whole: the body is next."""
        self._in_head = False
        self._body_bytes = 0
        if self._refused:
            return
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.bounds.head_bytes:
            self._refuse(LARGE_HEAD)
        elif length.isdigit() and int(length) > self.bounds.body_bytes:
            self._refuse(LARGE_BODY)
        elif self._should_upgrade() or self._take_seat(self._asker()):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count the body, chunked ones too."""
        self._body_bytes += len(body)
        if self._refused or self.cycle is None:
            return
        if self._body_bytes > self.bounds.body_bytes:
            self._refuse(LARGE_BODY)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: an answer may take its time."""
        self._in_head = True
        self._head_bytes = 0
        if self._refused:
            return
        self._rest()
        if self.cycle is not None:
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the transport over, with what came behind the head; our own parser is a cycle, and goes at once."""
        if self._refused:
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return self.transport.close()
        self._rest()
        self.forget_unread()
        self._seat.leave()  # the socket takes its own
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]
        protocol: Socket = self.config.ws_protocol_class(self.server_state.connections)  # type: ignore
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(self._head() + _behind_head(self._data))
        return None

    def _head(self) -> bytes:
        version = self.scope["http_version"].encode()
        lines = [b" ".join((self.scope["method"].encode(), self.url, b"HTTP/" + version))]
        return b"\r\n".join([*lines, *(name + b": " + value for name, value in self.headers), b"", b""])

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.bounds.request_s, self._too_slow)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self.flow.read_paused:  # it waits for us, not we for it
            return self._wait()
        self._deadline = None
        return self.transport.close()

    def _refuse(self, denial: Denial) -> None:
        """Answer, unless another answer is under way; then hear the rest out, lest a reset takes the answer away."""
        self._refused = True
        self._rest()
        if self.pipeline:
            return self.transport.close()
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # an earlier request's answer; it is the last
            return None
        answer = denied(denial) if self._may_answer() else b""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        return last_words(self.transport, answer)

    def _may_answer(self) -> bool:
        """Whether the next answer on this connection is the refused request's, and not begun."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP; but one refusal is enough."""
        if not self._refused:
            self._refuse(UNREADABLE)


def _behind_head(data: bytes) -> bytes:
    """What the read that completed an upgrade's head holds behind it: httptools tells where, in what it raised."""
    raised = sys.exception()
    return data[raised.args[0] :] if isinstance(raised, HttpParserUpgrade) else b""
