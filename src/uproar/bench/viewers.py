"""Lean viewers that are told every message, many in one process: for what `load.c` cannot judge."""

import asyncio
import json
from collections.abc import Callable

from uproar.wire.websocket import Limits, Message, Op, Reader, masked_frame

MASK = b"\x01\x02\x03\x04"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Viewer(asyncio.Protocol):
    """A WebSocket client that hands every text message to `heard(viewer, text)`."""

    def __init__(self, path: str, heard: Callable[["Viewer", bytes], None]) -> None:
        self.path, self.heard = path, heard
        self.open = asyncio.get_running_loop().create_future()
        self.position = ""
        self._head: bytes | None = b""
        self._reader = Reader(Limits(1 << 24, 1000, 1 << 24), deflate=True, from_client=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        transport.write(  # type: ignore[attr-defined]
            f"GET {self.path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """The answer to the upgrade, then frames; pings are answered."""
        if self._head is not None:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = None
            self.status = int(head.split()[1])
            if not self.open.done():
                self.open.set_result(self.status)
        for one in self._reader.feed(data) if data else ():
            if isinstance(one, Message) and one.op is Op.TEXT:
                self.heard(self, one.data)
            elif isinstance(one, Message) and one.op is Op.PING:
                self.transport.write(masked_frame(Op.PONG, one.data, MASK))  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self.open.done():
            self.open.set_result(0)

    def say(self, **op: object) -> None:
        """Send one message."""
        self.transport.write(masked_frame(Op.TEXT, json.dumps(op).encode(), MASK))  # type: ignore[attr-defined]


async def connect(port: int, path: str, heard: Callable[[Viewer, bytes], None]) -> Viewer:
    """One viewer, upgraded."""
    loop = asyncio.get_running_loop()
    _, viewer = await loop.create_connection(lambda: Viewer(path, heard), "127.0.0.1", port)
    await viewer.open
    return viewer


async def crowd(
    port: int, path: str, count: int, heard: Callable[[Viewer, bytes], None], at_once: int = 100
) -> list[Viewer]:
    """`count` viewers, so many opened at once."""
    viewers: list[Viewer] = []
    while len(viewers) < count:
        step = min(at_once, count - len(viewers))
        viewers += await asyncio.gather(*(connect(port, path, heard) for _ in range(step)))
    return viewers
