"""The only file that knows the socket: HTTP heads within bounds, the WebSocket upgrade, frames in and out.

uvicorn makes a `BoundedHttp` per connection; a WebSocket upgrade hands its transport to a `LiveSocket`, which then is
the viewer: one slotted object, and no other Python object, per connection at rest.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, NamedTuple

import structlog
from httptools import HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from uproar.auth import Identity, Keys, bearer, identify
from uproar.core.clock import Clock
from uproar.core.position import Position, parse
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.core.text import is_id
from uproar.gateway.caps import Addresses, Bucket, Network, address_of, forwards
from uproar.gateway.hub import Hub
from uproar.gateway.room import NO_SOCKET, NOWHERE, Transport, Viewer
from uproar.observe.counters import Metrics
from uproar.wire.closes import Close
from uproar.wire.codec import encode
from uproar.wire.handshake import Fault, Request, negotiate, parse_head, switching, upgrade_fault
from uproar.wire.websocket import (
    Fail,
    Limits,
    Message,
    Op,
    Reader,
    close_code,
    close_frame,
    frame,
)

EARLY_BYTES = 64 << 10  # what a client may send before its upgrade is answered
LINGER_S = 5.0  # for the other side to read our last words, and to end too
PONGS_BYTES = 4 << 10  # of pongs and answers that a client does not read; beyond, its pings go unanswered
STATUS = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Content Too Large",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
CROWDED = Refused(Refusal.OVERLOADED, 10_000, "There are too many connections from your address.")
UNREAD = {
    400: Refused(Refusal.BAD_MESSAGE, detail="This is no request that we can read."),
    413: Refused(Refusal.BAD_MESSAGE, detail="The body is too large."),
    429: CROWDED,
    431: Refused(Refusal.BAD_MESSAGE, detail="The head is too large."),
}
HISTORY = 50
ABORT = "uproar.abort"
"""The ASGI extension whose `now` ends a request's connection at once, whatever waits to be sent."""

log = structlog.get_logger()


class Bounds(NamedTuple):
    """What a request may take, and how long an answer of which nothing is read waits."""

    head_bytes: int = 8 << 10
    body_bytes: int = 64 << 10
    request_s: float = 10.0
    lag_close_s: float = 30.0


class Caps(NamedTuple):
    """How many connections each address may have, and whose word is taken for an address."""

    addresses: Addresses
    trusted: tuple[Network, ...]
    refused: Callable[[], object]


def short_answer(status: int, extra: str = "", body: bytes = b"", kind: str = "application/problem+json") -> bytes:
    """A whole HTTP answer that ends its connection."""
    head = f"HTTP/1.1 {status} {STATUS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n{extra}\r\n".encode("latin-1") + body


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's HTTP, within bounds: a head or body too large or too slow ends the connection.

    In a head or a body the clock runs; between requests, and while an answer is made, it rests. A connection has a
    `seat` among those of its peer from its beginning to its end. Those of proxies (and of this machine) carry requests
    of many, and have one while a request is under way, among those of the address that its head tells.
    """

    bounds: ClassVar[Bounds] = Bounds()
    caps: ClassVar[Caps]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count; a waiting byte pauses whoever writes."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self._head_bytes = self._body_bytes = 0
        self._in_head = True
        self._refused = False
        self._seat = ""
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._peer = peer_of(transport)
        self._forwards = forwards(self._peer, self.caps.trusted)
        self._wait()
        if not self._forwards:
            self._take_seat(self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._rest()
        self._read()
        self._leave_seat()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: who does not read is not waited for, nor anyone for longer than `LINGER_S`."""
        super().shutdown()
        if self._unread is None:
            self.loop.call_later(LINGER_S, self.transport.abort)
        else:
            self.transport.abort()

    # -- answers that nobody reads

    def pause_writing(self) -> None:
        """The socket is full."""
        super().pause_writing()
        self._watch_unread(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """All was read."""
        self._read()
        super().resume_writing()

    def _watch_unread(self, left: int) -> None:
        self._unread = self.loop.call_later(self.bounds.lag_close_s, self._look_at_unread, left)

    def _look_at_unread(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < before:
            return self._watch_unread(left)
        return self.transport.abort()

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    # -- seats

    def _take_seat(self, address: str) -> bool:
        """Move to one among the address's; False when it has none left, which is the answer then."""
        if address == self._seat:
            return True
        self._leave_seat()
        if self.caps.addresses.enter(address):
            self._seat = address
            return True
        self.caps.refused()
        self._refuse(429)
        return False

    def _leave_seat(self) -> None:
        self.caps.addresses.leave(self._seat)
        self._seat = ""

    def _asker(self) -> str:
        forwarded = [value.decode("latin-1") for name, value in self.headers if name == b"x-forwarded-for"]
        return address_of(self._peer, ",".join(forwarded) if forwarded else None, self.caps.trusted)

    def on_response_complete(self) -> None:
        """A proxy's connection is nobody's between requests."""
        if self._forwards and not self.pipeline:
            self._leave_seat()
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
            self._refuse(431)

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
            self._refuse(431)
        elif length.isdigit() and int(length) > self.bounds.body_bytes:
            self._refuse(413)
        elif self._should_upgrade() or self._take_seat(self._asker()):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count the body, chunked ones too."""
        self._body_bytes += len(body)
        if self._refused or self.cycle is None:
            return
        if self._body_bytes > self.bounds.body_bytes:
            self._refuse(413)
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
        self._read()
        self._leave_seat()  # the socket takes its own
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]
        protocol: Socket = self.config.ws_protocol_class(self.config, self.server_state, self.app_state)  # type: ignore
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

    def _refuse(self, status: int) -> None:
        """Answer, unless another answer is under way; then hear the rest out, lest a reset takes the answer away."""
        self._refused = True
        self._rest()
        if self.pipeline:
            return self.transport.close()
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # an earlier request's answer; it is the last
            return None
        why = UNREAD[status]
        answer = short_answer(status, _retry_after(why), _problem(status, why)) if self._may_answer() else b""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        return _last_words(self.transport, answer)

    def _may_answer(self) -> bool:
        """Whether the next answer on this connection is the refused request's, and not begun."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP; but one refusal is enough."""
        if not self._refused:
            self._refuse(400)


def _behind_head(data: bytes) -> bytes:
    """What the read that completed an upgrade's head holds behind it: httptools tells where, in what it raised."""
    raised = sys.exception()
    return data[raised.args[0] :] if isinstance(raised, HttpParserUpgrade) else b""


def _last_words(transport: asyncio.Transport, data: bytes) -> None:
    """Send this and hear nothing more, until the other side ends too or `LINGER_S` has passed."""
    if not transport.is_closing():
        transport.write(data)
        transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_S, transport.abort)


class Socket(Viewer, asyncio.Protocol):
    """A server's WebSocket connection: the handshake, frames, control frames and closes of RFC 6455.

    Subclasses say what to do: `asked` with the request, `said` with a message, `left` when it is over.
    """

    __slots__ = ("_closing", "_reader", "_server_state")
    limits: ClassVar[Limits] = Limits()

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        Viewer.__init__(self)
        self._server_state = server_state
        self._reader: Reader | bytes | None = b""  # bytes: what came before the upgrade was answered
        self._closing = False

    def asked(self, request: Request) -> None:
        """Somebody asks to upgrade; answer with `accept` or `deny`, now or later."""
        raise NotImplementedError

    def said(self, message: Message) -> None:
        """A whole text or binary message."""
        raise NotImplementedError

    def left(self) -> None:
        """Nothing more is said or heard."""

    def bye(self) -> None:
        """The server stops."""
        self.end(1001, "going away")

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is ours from now on; a waiting byte pauses, none resumes."""
        self.transport = transport  # type: ignore[assignment]
        transport.set_write_buffer_limits(high=0)  # type: ignore[attr-defined]
        self._server_state.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The viewer is gone."""
        self._server_state.connections.discard(self)
        self._over()

    def data_received(self, data: bytes) -> None:
        """The head first, frames later; while the upgrade is being decided what comes waits."""
        if self._closing:
            return None
        if isinstance(self._reader, bytes):
            return self._early(data)
        reader = self._reader or Reader(self.limits, deflate=self.deflated)
        self._reader = reader
        for one in reader.feed(data):
            self._take(one)
            if self._closing:
                return None
        if reader.idle:
            self._reader = None
        return None

    def pause_writing(self) -> None:
        """The socket is full."""

    def resume_writing(self) -> None:
        """The socket drained."""

    def shutdown(self) -> None:
        """uvicorn stops: so do we."""
        self.bye()

    # -- the handshake

    def _early(self, data: bytes) -> None:
        head, found, rest = (self._reader or b"").partition(b"\r\n\r\n")  # type: ignore[union-attr]
        if found:  # the head was read before: frames that came early
            if len(rest) + len(data) > EARLY_BYTES:
                return self.transport.abort()  # type: ignore[attr-defined,no-any-return]
            self._reader = b"\r\n\r\n" + rest + data
            return None
        head, found, rest = (head + data).partition(b"\r\n\r\n")
        self._reader = found + rest if found else head
        if found:
            request = parse_head(head)
            fault = request if isinstance(request, Fault) else upgrade_fault(request)
            if isinstance(fault, Fault) or isinstance(request, Fault):
                extra = "Sec-WebSocket-Version: 13\r\n" if fault and fault.status == 426 else ""
                self.deny(fault.status if fault else 400, extra)
            else:
                self.asked(request)
        return None

    def accept(self, request: Request) -> None:
        """Answer 101 and go on with what came early."""
        if self._closing or self.transport.is_closing():
            return
        extension = negotiate(request.headers.get("sec-websocket-extensions", ""))
        self.deflated = bool(extension)
        self.context = self.deflated and "server_no_context_takeover" not in extension
        self.transport.write(switching(request, extension))
        asyncio.get_running_loop().call_soon(self._open)

    def _open(self) -> None:
        """Whoever accepted had its turn; frames are read from now on."""
        if not self._closing and isinstance(self._reader, bytes):
            early, self._reader = self._reader[4:], None
            self.data_received(early)

    def deny(self, status: int, extra: str = "", body: bytes = b"") -> None:
        """Answer with an HTTP error and end; without a body of one's own it is that of a bad message."""
        self._end(short_answer(status, extra, body or _problem(status, Refused(Refusal.BAD_MESSAGE))))

    # -- frames

    def _take(self, one: Message | Fail) -> None:
        if isinstance(one, Fail):
            self.end(one.code, one.reason)
        elif one.op is Op.PING:
            if self.transport.get_write_buffer_size() < PONGS_BYTES:
                self.transport.write(frame(Op.PONG, one.data))
        elif one.op is Op.PONG:
            self.pinged = False
        elif one.op is Op.CLOSE:
            self.end(close_code(one.data), "")
        else:
            self.said(one)

    def end(self, code: int, reason: str) -> None:
        """Send a close, as an answer or of our own accord, and end when the other side did too."""
        self._end(close_frame(code, reason))

    def _end(self, data: bytes) -> None:
        """The last that is sent; what others still write goes nowhere."""
        if not self._closing:
            _last_words(self.transport, data)  # type: ignore[arg-type]
            self._over()

    def _over(self) -> None:
        if not self._closing:
            self._closing = True
            self._reader = None
            self.left()
        self.transport = NOWHERE


class Gate(NamedTuple):
    """What decides about upgrades in this process."""

    hub: Hub
    open_stream: Callable[[str, str], Coroutine[Any, Any, Stream | Refused | None]]
    keys: Keys
    origins: frozenset[str]
    accepts: Bucket
    caps: Caps
    clock: Clock
    metrics: Metrics


class LiveSocket(Socket):
    """One viewer of one stream."""

    __slots__ = ("_address",)
    gate: ClassVar[Gate]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Beyond the accept rate: 503 before anything is read or checked."""
        super().connection_made(transport)
        self._address: str | None = None
        if not self.gate.accepts.take(self.gate.clock.now()):
            self._refuse(503, Refused(Refusal.OVERLOADED, 1000))

    def asked(self, request: Request) -> None:
        """Origin, caps and query first; only then is the stream looked up."""
        origin = request.headers.get("origin")
        if origin is not None and origin not in self.gate.origins:
            return self._refuse(403, Refused(Refusal.NOT_ALLOWED))
        peer = peer_of(self.transport)  # type: ignore[arg-type]
        address = address_of(peer, request.headers.get("x-forwarded-for"), self.gate.caps.trusted)
        if not self.gate.caps.addresses.enter(address):
            return self._refuse(429, CROWDED)
        self._address = address
        stream, wish = _stream_of(request.path), _wish(request)
        if stream is None:
            return self._refuse(404, Refused(Refusal.NO_SUCH_STREAM))
        if wish is None:
            return self._refuse(400, Refused(Refusal.BAD_MESSAGE))
        self.gate.hub.do(self._admit(request, address, stream, *wish))
        return None

    async def _admit(
        self, request: Request, address: str, stream: str, position: Position | None, history: int
    ) -> None:
        """From the look at the hub's rooms on nothing waits, so that no one else takes the place."""
        if not self.gate.hub.is_watched(stream):
            found = await self.gate.open_stream(stream, address)
            if not isinstance(found, Stream):
                why = found or Refused(Refusal.NO_SUCH_STREAM)
                return self._refuse(why.refusal.status, why)
        if not self.gate.hub.has_place(stream):
            return self._refuse(503, Refused(Refusal.OVERLOADED, 10_000))
        token = bearer(request.headers.get("authorization"))
        who = identify(token, self.gate.keys, self.gate.clock.now_ms() / 1000) if token else None
        if self.transport.is_closing():
            return None
        self.accept(request)
        self.descriptor = _descriptor(self.transport)
        self.gate.hub.join(self, stream, position, history, who if isinstance(who, Identity) else None)
        return None

    def said(self, message: Message) -> None:
        """Text goes to the hub; binary is not the protocol, and reads as such."""
        self.gate.hub.heard(self, message.data if message.op is Op.TEXT else b"")

    def left(self) -> None:
        """Out of the room."""
        self.gate.hub.gone(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Out of the caps."""
        super().connection_lost(exc)
        if self._address is not None:
            self.gate.caps.addresses.leave(self._address)
            self._address = None

    def pause_writing(self) -> None:
        """It lags."""
        self.gate.hub.paused(self)

    def resume_writing(self) -> None:
        """It can be served again."""
        self.gate.hub.resumed(self)

    def bye(self) -> None:
        """uvicorn stops before the hub drained it: the same words, without a spread."""
        if not self._closing:
            self.gate.hub.close(self, Close.SHUTDOWN)

    def _refuse(self, status: int, why: Refused) -> None:
        self.gate.metrics.handshakes_refused.labels(str(status)).inc()
        self.deny(status, _retry_after(why), _problem(status, why))


def _descriptor(transport: Transport) -> int:
    socket = transport.get_extra_info("socket")  # type: ignore[attr-defined]
    return NO_SOCKET if socket is None else int(socket.fileno())


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The other side's IP address; empty where there is none, as of a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def _retry_after(why: Refused) -> str:
    wait_ms = why.retry_after_ms
    return "" if wait_ms is None else f"Retry-After: {-(-wait_ms // 1000)}\r\n"


def _stream_of(path: str) -> str | None:
    parts = path.split("/")
    if len(parts) == 5 and parts[1:3] == ["v1", "streams"] and parts[4] == "live" and is_id(parts[3]):
        return parts[3]
    return None


def _wish(request: Request) -> tuple[Position | None, int] | None:
    """The position to resume from and the history asked for; None where one is malformed."""
    history = request.query.get("history", str(HISTORY))
    if not (history.isascii() and history.isdigit() and len(history) <= 3 and int(history) <= 200):
        return None
    if "position" not in request.query:
        return None, int(history)
    position = parse(request.query["position"])
    return None if position is None else (position, int(history))


def _problem(status: int, why: Refused) -> bytes:
    refusal = why.refusal
    return encode(
        {
            "type": "about:blank",
            "title": STATUS[status],
            "status": status,
            "code": refusal.code,
            "reason": refusal.reason,
            "message": why.message,
            "again": refusal.again,
            **({} if why.retry_after_ms is None else {"retry_after_ms": why.retry_after_ms}),
        }
    )
