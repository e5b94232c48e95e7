"""Who posts, for measuring: comments over a few WebSocket connections, and how long each waited for its ack."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from uproar.bench.viewers import Viewer, connect


class Post(NamedTuple):
    """A comment under way: when it was first sent, over which connection, and its text."""

    at: float
    line: Viewer
    text: str


class Poster:
    """Posts over several WebSocket connections; notes how long each ack took.

    `acks_s` holds seconds from the first sending to the ack, `acked` the comments' ids, `refused` a count by reason,
    `sent` what is under way by its ref.
    """

    def __init__(self, port: int, stream: str, tokens: list[str], settling_s: float = 0.3) -> None:
        self.settling_s = settling_s  # for the sign-in, which has no answer
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
        await asyncio.sleep(self.settling_s)
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
        """So many a second, `burst` at a time, whatever becomes of them; then a second for the last acks."""
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
