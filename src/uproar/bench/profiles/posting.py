"""Posts that wait for the disk: how soon each is acknowledged, over WebSocket and REST, and what they leave on it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uproar.bench.bars import Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Figures, Setup
from uproar.bench.poster import Poster
from uproar.bench.profile import SENDERS, Profile, Shown
from uproar.bench.programs import SETTLING_S, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, STREAM, faults, importers, poster_of, stamped
from uproar.bench.stats import percentiles_ms

RATE, BURST, LINES = 1_000, 10, 8
CONNECTIONS: Final = 64  # kept alive, of REST
PARTS, IN_FLIGHT = 10, 400
LOG_KEPT_H, FORGOTTEN_S = 0.005, 40  # the second is longer than the first
POSTS_PER_S, WINDOW_MS, TEXT_BYTES = 96, 115, 110  # eight frames of 2 KB a second, posts at any moment


async def posts(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """1,000 posts a second over WebSocket, to the disk."""
    with Server(folder / "data", sender=setup.senders[0]) as server:
        poster = await poster_of(server, LINES)
        await poster.run(RATE, setup.seconds, BURST, _numbered)
    yield setup.senders[0], "", _answered(poster)


async def rest_posts(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """1,000 posts a second over REST, to the disk, from a pool of keep-alive connections."""
    with Server(folder / "data", sender=setup.senders[0]) as server:
        await poster_of(server)
        pool = await _Pool(server.port, importers(server, LINES)).open()
        began, tasks = time.perf_counter(), []
        for step in range(int(RATE * setup.seconds) // BURST):
            tasks += [asyncio.create_task(pool.post(step * BURST + one)) for one in range(BURST)]
            await asyncio.sleep(max(0.0, began + (step + 1) * BURST / RATE - time.perf_counter()))
        await asyncio.gather(*tasks)
    share = pool.statuses.get(201, 0) / len(tasks)
    yield setup.senders[0], "", {"acked_share": share, **percentiles_ms("ack", pool.acks_s)}


async def acks(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """Posts at any moment, while viewers get eight frames of 2 KB a second: how long each waits for its ack."""
    for form in setup.senders:
        with Server(folder / form, sender=form, plan_window_ms=f"{WINDOW_MS},200,500") as server:
            poster = await poster_of(server)
            async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0) as crowd:
                await asyncio.sleep(SETTLING_S)
                before_s = server.cpu_s()
                await poster.run(POSTS_PER_S, setup.seconds, 1, stamped(TEXT_BYTES))
                busy_share = (server.cpu_s() - before_s) / setup.seconds
                saw = await crowd.end()
        frames_per_s = saw["batches"] / setup.viewers / setup.seconds
        yield form, "", {**_answered(poster), "frames_per_s": frames_per_s, "busy_share": busy_share, **faults(saw)}


async def growth(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """Comments as fast as they are acknowledged, with a short log: the directory's size."""
    data, count = folder / "data", int(setup.seconds * RATE)
    with Server(data, sender=setup.senders[0], log_retention_h=LOG_KEPT_H) as server:
        poster = await poster_of(server, LINES)
        began, sizes = time.perf_counter(), []
        for _ in range(PARTS):
            await poster.pour(count // PARTS, IN_FLIGHT, lambda number: f"{_numbered(number)}, as long as most are")
            sizes.append(_megabytes(data))
        took_s = time.perf_counter() - began
        await asyncio.sleep(FORGOTTEN_S)
        kept_mb = _megabytes(data)
    yield (
        setup.senders[0],
        "",
        {
            "acked": len(poster.acked),
            "acked_per_s": len(poster.acked) / took_s,
            "sent_again": sum(poster.refused.values()),
            "most_mb": max(sizes),
            "kept_mb": kept_mb,
            "bytes_per_comment": kept_mb * 1e6 / len(poster.acked),
        },
    )


def _numbered(number: int) -> str:
    return f"comment number {number}"


def _answered(poster: Poster) -> Figures:
    return {"acked_share": len(poster.acked) / poster.number, **percentiles_ms("ack", poster.acks_s)}


def _megabytes(data: Path) -> float:
    return sum(file.stat().st_size for file in data.iterdir()) / 1e6


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
        body = json.dumps({"text": _numbered(number)}).encode()
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


SHOWS: Final = ("acked_share", "ack_p50_ms", "ack_p99_ms", "ack_max_ms")
ALL_ACKED: Final = Bar("share acknowledged", Side("acked_share"), "at least", 1, every_round=True)
SOON: Final = (
    ALL_ACKED,
    Bar("ack p50, ms", Side("ack_p50_ms"), "at most", 6),
    Bar("ack p99, ms", Side("ack_p99_ms"), "at most", 40),
)

POSTS: Final = Profile(posts, SHOWS, SOON, seconds=30)
REST_POSTS: Final = Profile(rest_posts, SHOWS, SOON, seconds=30)
ACKS: Final = Profile(
    acks,
    (*SHOWS, "frames_per_s", "busy_share", "lost"),
    (ALL_ACKED, Bar("ack p99, ms", Side("ack_p99_ms"), "at most", 40)),
    viewers=9_000,
    seconds=20,
    heeds=frozenset({SENDERS}),
)
GROWTH: Final = Profile(
    growth, ("acked", "acked_per_s", "sent_again", "most_mb", "kept_mb", "bytes_per_comment"), seconds=200, rounds=1
)
