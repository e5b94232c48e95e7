"""A server's WebSocket connection, which is its viewer: one slotted object, and no other, per connection at rest."""

import asyncio
from typing import ClassVar

from uproar.gateway.answers import HURRIED, MALFORMED, Denial, denied
from uproar.gateway.viewer import NO_SOCKET, NOWHERE, Transport, Viewer
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

HEAD_END = b"\r\n\r\n"
EARLY_BYTES = 64 << 10  # what a client may send before its upgrade is answered
LINGER_S = 5.0  # for the other side to read our last words, and to end too
PONGS_BYTES = 4 << 10  # of pongs and answers that a client does not read; beyond, its pings go unanswered

Connections = set["Socket"]
"""Whoever stops a server finds here what is to be shut down."""


class Socket(Viewer, asyncio.Protocol):
    """A server's WebSocket connection: the handshake, frames, control frames and closes of RFC 6455.

    Subclasses say what to do: `asked` with the request, `said` with a message, `left` when it is over.
    """

    __slots__ = ("_accepted", "_closing", "_connections", "_reader")
    limits: ClassVar[Limits] = Limits()

    def __init__(self, connections: Connections) -> None:
        Viewer.__init__(self)
        self._connections = connections
        self._reader: Reader | bytes | None = b""  # bytes: what came before the upgrade was answered
        self._accepted = False
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
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The viewer is gone."""
        self._connections.discard(self)
        self._over()

    def data_received(self, data: bytes) -> None:
        """The head first, frames later; while the upgrade is being decided what comes waits behind the head."""
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
        """The server stops: so do we. Whoever still waits for the upgrade's answer is told in HTTP."""
        if self._accepted:
            self.bye()
        else:
            self.deny(HURRIED)

    # -- the handshake

    def _early(self, data: bytes) -> None:
        head, read, rest = self._reader.partition(HEAD_END)  # type: ignore[union-attr]
        if read and len(rest) + len(data) > EARLY_BYTES:
            return self.transport.abort()  # type: ignore[attr-defined,no-any-return]
        self._reader = head + read + rest + data
        if not read and HEAD_END in self._reader:
            self._ask(self._reader.partition(HEAD_END)[0])
        return None

    def _ask(self, head: bytes) -> None:
        request = parse_head(head)
        fault = request if isinstance(request, Fault) else upgrade_fault(request)
        if isinstance(fault, Fault) or isinstance(request, Fault):
            extra = "Sec-WebSocket-Version: 13\r\n" if fault and fault.status == 426 else ""
            self.deny(Denial(fault.status if fault else 400, MALFORMED), extra)
        else:
            self.asked(request)

    def accept(self, request: Request) -> None:
        """Answer 101 and go on with what came early."""
        if self._closing or self.transport.is_closing():
            return
        self._accepted = True
        extension = negotiate(request.headers.get("sec-websocket-extensions", ""))
        self.deflated = bool(extension)
        self.context = self.deflated and "server_no_context_takeover" not in extension
        self.transport.write(switching(request, extension))
        asyncio.get_running_loop().call_soon(self._open)

    def _open(self) -> None:
        """Whoever accepted had its turn; frames are read from now on."""
        if not self._closing and isinstance(self._reader, bytes):
            early, self._reader = self._reader.partition(HEAD_END)[2], None
            self.data_received(early)

    def deny(self, denial: Denial, extra: str = "") -> None:
        """Answer with an HTTP error and end."""
        self._end(denied(denial, extra))

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
            last_words(self.transport, data)  # type: ignore[arg-type]
            self._over()

    def _over(self) -> None:
        if not self._closing:
            self._closing = True
            self._reader = None
            self.left()
        self.transport = NOWHERE


def last_words(transport: asyncio.Transport, data: bytes) -> None:
    """Send this and hear nothing more, until the other side ends too or `LINGER_S` has passed."""
    if not transport.is_closing():
        transport.write(data)
        transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_S, transport.abort)


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The other side's IP address; empty where there is none, as of a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def descriptor_of(transport: Transport) -> int:
    """The transport's open file; `NO_SOCKET` where it has none."""
    socket = transport.get_extra_info("socket")  # type: ignore[attr-defined]
    return NO_SOCKET if socket is None else int(socket.fileno())
