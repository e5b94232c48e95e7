"""Many lean viewers and one poster in one process, for measuring."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from uproar.wire.websocket import Limits, Message, Op, Reader, masked_frame

MASK = b"\x01\x02\x03\x04"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Post(NamedTuple):
    """A comment under way: when it was first sent, over which connection, and its text."""

    at: float
    line: "Viewer"
    text: str


class Viewer(asyncio.Protocol):
    """A WebSocket client that hands every text message to `heard(viewer, text)`."""

    def __init__(self, path: str, heard: Callable[["Viewer", bytes], None], headers: str = "") -> None:
        self.path, self.heard, self.headers = path, heard, headers
        self.open = asyncio.get_running_loop().create_future()
        self.closed = False
        self.position = ""
        self._head: bytes | None = b""
        self._reader = Reader(Limits(1 << 24, 1000, 1 << 24), deflate=True, from_client=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(  # type: ignore[attr-defined]
            f"GET {self.path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{self.headers}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
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
        self.closed = True
        if not self.open.done():
            self.open.set_result(0)

    def say(self, **op: object) -> None:
        self.transport.write(masked_frame(Op.TEXT, json.dumps(op).encode(), MASK))  # type: ignore[attr-defined]


async def connect(port: int, path: str, heard: Callable[[Viewer, bytes], None], headers: str = "") -> Viewer:
    """One viewer, upgraded."""
    loop = asyncio.get_running_loop()
    _, viewer = await loop.create_connection(lambda: Viewer(path, heard, headers), "127.0.0.1", port)
    await viewer.open
    return viewer


async def crowd(
    port: int, path: str, count: int, heard: Callable[[Viewer, bytes], None], headers: str = "", at_once: int = 100
) -> list[Viewer]:
    """`count` viewers, so many opened at once."""
    viewers: list[Viewer] = []
    while len(viewers) < count:
        step = min(at_once, count - len(viewers))
        viewers += await asyncio.gather(*(connect(port, path, heard, headers) for _ in range(step)))
    return viewers


class Poster:
    """Posts over several WebSocket connections; notes how long each ack took.

    `acks_s` holds seconds from the first sending to the ack, `acked` the comments' ids, `refused` a count by reason.
    """

    def __init__(self, port: int, stream: str, tokens: list[str]) -> None:
        self.port, self.stream, self.tokens = port, stream, tokens
        self.sent: dict[str, Post] = {}
        self.acks_s: list[float] = []
        self.acked: list[str] = []
        self.refused: dict[str, int] = {}
        self.number = 0
        self.run_id = secrets.token_hex(4)  # a ref is a key: another poster's must not be the same
        self._in_flight: asyncio.Semaphore | None = None

    async def open(self) -> "Poster":
        """Connected and signed in."""
        path = f"/v1/streams/{self.stream}/live?history=0"
        self.lines = [await connect(self.port, path, self._heard) for _ in self.tokens]
        for line, token in zip(self.lines, self.tokens, strict=True):
            line.say(op="auth", token=token)
        await asyncio.sleep(0.3)
        return self

    def close(self) -> None:
        """Leave without a word."""
        for line in self.lines:
            line.transport.abort()  # type: ignore[attr-defined]

    def post(self, text: str) -> str:
        """Send one comment over the next connection; its ref."""
        self.number += 1
        ref = f"{self.run_id}-{self.number}"
        self.sent[ref] = Post(time.perf_counter(), self.lines[self.number % len(self.lines)], text)
        self._send(ref)
        return ref

    async def run(self, rate: float, seconds: float, burst: int, text: Callable[[int], str]) -> None:
        """So many a second, `burst` at a time, whatever becomes of them."""
        began = time.perf_counter()
        for step in range(int(rate * seconds / burst)):
            for one in range(burst):
                self.post(text(step * burst + one))
            await asyncio.sleep(max(0.0, began + (step + 1) * burst / rate - time.perf_counter()))
        await asyncio.sleep(1.0)

    async def pour(self, count: int, in_flight: int, text: Callable[[int], str], within_s: float = 600) -> None:
        """`count` comments as fast as they are acknowledged, so many unanswered at most.

        What is refused as 5xx goes again under its key, when it was told to; anything else that is refused is given up.
        """
        self._in_flight = asyncio.Semaphore(in_flight)
        async with asyncio.timeout(within_s):
            for number in range(count):
                await self._in_flight.acquire()
                self.post(text(number))
            for _ in range(in_flight):  # until nothing is under way
                await self._in_flight.acquire()
        self._in_flight = None

    def _send(self, ref: str) -> None:
        post = self.sent[ref]
        post.line.say(op="post", ref=ref, text=post.text)

    def _heard(self, viewer: Viewer, text: bytes) -> None:
        if text.startswith(b'{"type":"ack"'):
            message = json.loads(text)
            self.acks_s.append(time.perf_counter() - self._settle(message["ref"]).at)
            self.acked.append(message["comment"]["id"])
        elif text.startswith(b'{"type":"refused"'):
            self._refused(json.loads(text))

    def _refused(self, message: dict[str, Any]) -> None:
        reason, ref = message["reason"], message["ref"]
        self.refused[reason] = self.refused.get(reason, 0) + 1
        if self._in_flight and message["code"] >= 500:
            wait_s = message.get("retry_after_ms", 100) / 1e3
            asyncio.get_running_loop().call_later(wait_s, self._send, ref)
        else:
            self._settle(ref)

    def _settle(self, ref: str) -> Post:
        if self._in_flight:
            self._in_flight.release()
        return self.sent.pop(ref)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
