"""Posts that wait for the disk: how soon each is acknowledged, over WebSocket and REST, and what they leave on it."""

import asyncio
import json
import time
from pathlib import Path

from bench.common import STREAM, importers, poster_of, tell
from bench.server import Server
from bench.viewers import percentile

RATE, SECONDS, BURST = 1000, 30, 10
CONNECTIONS = 64  # kept alive, of REST
COMMENTS, PART, IN_FLIGHT = 200_000, 20_000, 400


async def posts(data: Path) -> None:
    """1,000 posts a second over WebSocket for 30 s, to the disk."""
    with Server(data) as server:
        poster = await poster_of(server, lines=8)
        await poster.run(RATE, SECONDS, BURST, lambda number: f"comment number {number}")
    tell("posts over WebSocket", acked=len(poster.acks_s), refused=poster.refused, **_waits(poster.acks_s))


async def rest_posts(data: Path) -> None:
    """1,000 posts a second over REST for 30 s, to the disk, from a pool of keep-alive connections."""
    with Server(data) as server:
        await poster_of(server)
        pool = await _Pool(server.port, importers(server, 8)).open()
        began, tasks = time.perf_counter(), []
        for step in range(RATE * SECONDS // BURST):
            tasks += [asyncio.create_task(pool.post(step * BURST + one)) for one in range(BURST)]
            await asyncio.sleep(max(0.0, began + (step + 1) * BURST / RATE - time.perf_counter()))
        await asyncio.gather(*tasks)
    tell("posts over REST", statuses=pool.statuses, **_waits(pool.acks_s))


class _Pool:
    """Keep-alive connections that post in turn; the wait for a free one is part of a post's time."""

    def __init__(self, port: int, tokens: list[str]) -> None:
        self.port, self.tokens = port, tokens
        self.acks_s: list[float] = []
        self.statuses: dict[int, int] = {}
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def open(self) -> "_Pool":
        for _ in range(CONNECTIONS):
            self._idle.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))
        return self

    async def post(self, number: int) -> None:
        began = time.perf_counter()
        reader, writer = await self._idle.get()
        writer.write(self._request(number))
        status = await _status(reader)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.acks_s.append(time.perf_counter() - began)
        self._idle.put_nowait((reader, writer))

    def _request(self, number: int) -> bytes:
        body = json.dumps({"text": f"comment number {number}"}).encode()
        head = (
            f"POST /v1/streams/{STREAM}/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.tokens[number % len(self.tokens)]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, which is read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    return int(head.split()[1])


def _waits(acks_s: list[float]) -> dict[str, float]:
    return {"p50_ms": percentile(acks_s, 0.5) * 1e3, "p99_ms": percentile(acks_s, 0.99) * 1e3}


async def growth(data: Path) -> None:
    """200,000 comments, every one acknowledged, with a short log: the directory's size."""
    with Server(data, log_retention_h=0.005) as server:
        poster = await poster_of(server, lines=8)
        began, sizes = time.perf_counter(), []
        for _ in range(COMMENTS // PART):
            await poster.pour(PART, IN_FLIGHT, lambda number: f"comment number {number}, as long as most of them are")
            sizes.append(_megabytes(data))
        took_s = time.perf_counter() - began
        await asyncio.sleep(40)  # longer than the log keeps an event
        sizes.append(_megabytes(data))
    acked = len(poster.acks_s)
    tell(
        "growth",
        acked=acked,
        sent_again=poster.refused,
        acked_per_s=acked / took_s,
        mb_every_20000=sizes,
        bytes_a_comment=sizes[-1] * 1e6 / acked,
    )


def _megabytes(data: Path) -> float:
    return sum(file.stat().st_size for file in data.iterdir()) / 1e6
