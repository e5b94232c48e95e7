"""An echo server over the gateway's own WebSocket, for conformance suites: `python -m uproar.bench.echo PORT`."""

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from uproar.core.errors import Misconfigured
from uproar.gateway.caps import Addresses, Caps
from uproar.gateway.http.protocol import BoundedHttp
from uproar.gateway.socket.protocol import Socket
from uproar.wire.deflate import deflate_alone
from uproar.wire.handshake import Request
from uproar.wire.websocket import Limits, Message, frame

HOST = "127.0.0.1"
CONNECTIONS = 1_000
MAX_MESSAGE = 16 << 20
MAX_FRAGMENTS = 1 << 16
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class EchoHttp(BoundedHttp):
    """Bounded as the server's; nobody counts who was refused."""

    caps = Caps(Addresses(CONNECTIONS), (), lambda: None)


class EchoSocket(Socket):
    """Says what it hears, with the same opcode; deflated when that was agreed on."""

    __slots__ = ()

    def asked(self, request: Request) -> None:
        """Any path will do."""
        self.accept(request)

    def said(self, message: Message) -> None:
        """Back it goes."""
        payload = deflate_alone(message.data) if self.deflated else message.data
        self.transport.write(frame(message.op, payload, compressed=self.deflated))


async def only_websockets(scope: MutableMapping[str, Any], receive: object, send: Send) -> None:
    """The application behind: whoever does not upgrade is told to."""
    headers = [(b"content-length", b"0"), (b"upgrade", b"websocket")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body"})


def echo(port: int, max_message: int, max_fragments: int) -> None:
    """Serve on loopback until told to stop; larger messages (bytes, inflated ones too) or more fragments: 1009.

    Raises `Misconfigured` where the port cannot be had.
    """

    class Bounded(EchoSocket):
        __slots__ = ()
        limits = Limits(max_message, max_fragments, max_message)

    config = uvicorn.Config(
        only_websockets,
        loop="uvloop",
        http=EchoHttp,
        ws=Bounded,
        lifespan="off",
        log_level="warning",
    )
    uvicorn.Server(config).run([_listen(port)])


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as fault:
        listener.close()
        raise Misconfigured(f"port {port} of {HOST} cannot be had ({fault.strerror}); choose another.") from fault
    return listener


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    echo(*numbers, *(8080, MAX_MESSAGE, MAX_FRAGMENTS)[len(numbers) :])
