"""Servers that others made, measured as ours and the floor are: one broadcast to everybody, so many times a second."""

import asyncio
import resource
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from uproar.bench.cores import LOAD_CPU, SERVER_CPU
from uproar.bench.installed import NotHere, source
from uproar.bench.lines import COST
from uproar.bench.proc import usage
from uproar.bench.programs import SETTLING_S, Crowd, Figures, running, watching
from uproar.bench.registry import PEERS, Start

HOST = "127.0.0.1"
LEAST_BYTES = 96  # a message's position and time stamp
LISTENS_WITHIN_S, ENDS_WITHIN_S, SEEN_WITHIN_S = 20, 30, 10
SAID = "said"  # the file of what a peer complains about


async def peer(
    name: str,
    viewers: int,
    frame_bytes: int,
    rate: float,
    seconds: float,
    *,
    comments: int | None = None,
) -> tuple[Figures, Figures]:
    """What the peer cost, and what its viewers saw; pinned as a server and its viewers are.

    Published are `rate` ready batches of `frame_bytes` a second; with `comments`, each in so many parts, every one a
    message of its own: some peers then put several into one frame, so that CPU is told per comment too. It is that of
    all its processes, from all viewers up to the last message's arrival; memory is what it grew by while they came.
    Raises `NotHere` where it cannot be had.
    """
    parts = comments or 1
    if frame_bytes // parts < LEAST_BYTES:
        raise ValueError(f"a message is at least {LEAST_BYTES} bytes")
    with TemporaryDirectory(prefix="uproar-peer-") as folder:
        start = Start(*_free_ports(), Path(folder), frame_bytes // parts, rate * parts, seconds)
        return await _measured(name, start, viewers, comments)


async def _measured(name: str, start: Start, viewers: int, comments: int | None) -> tuple[Figures, Figures]:
    chosen = PEERS[name]
    async with _serving(name, start) as (server, publisher):
        bare = usage(server.pid)
        async with watching(start.port, chosen.path, cpu=LOAD_CPU, viewers=viewers, **chosen.speaks) as crowd:
            await asyncio.sleep(SETTLING_S)
            idle = usage(server.pid)
            await _publish(publisher, start.seconds)
            await _all_seen(crowd, int(start.rate * start.seconds))
            cpu_s = usage(server.pid).cpu_s - idle.cpu_s
            saw = await crowd.end()
    grown_kib = idle.rss_kib - bare.rss_kib
    return _cost(cpu_s, comments, saw) | {"rss_kib_per_viewer": grown_kib / viewers}, saw


def _cost(cpu_s: float, comments: int | None, saw: Figures) -> Figures:
    if comments is None:
        return {"cpu_s": cpu_s, COST: _us_each(cpu_s, saw["batches"])}
    return {
        "cpu_s": cpu_s,
        COST: _us_each(cpu_s, saw["frames"]),
        "cpu_us_per_comment": _us_each(cpu_s, saw["batches"]),
    }


def _us_each(s: float, count: int) -> float:
    return s / count * 1e6 if count else float("inf")


async def _publish(publisher: Process, seconds: float) -> None:
    """It is told to begin, and tells its end; one that falls behind is not waited for without end."""
    assert publisher.stdin is not None
    assert publisher.stdout is not None
    publisher.stdin.write(b"go\n")
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds + ENDS_WITHIN_S):
            if not await publisher.stdout.readline():
                raise RuntimeError("whoever publishes ended too soon")


async def _all_seen(crowd: Crowd, published: int) -> None:
    """Until every viewer has all, or will not get it: what was delivered then is what counts."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SEEN_WITHIN_S):
            await crowd.until(lambda saw: saw["least_batches"] >= published)


@asynccontextmanager
async def _serving(name: str, start: Start) -> AsyncIterator[tuple[Process, Process]]:
    """The peer, which listens, and whoever publishes."""
    chosen = PEERS[name]
    made = await asyncio.to_thread(chosen.made)
    command, broker = chosen.command(made, start), chosen.broker
    _open_many()
    with (start.folder / SAID).open("ab") as said:
        told = said if broker else PIPE
        async with running(SERVER_CPU, *command, family=True, stdin=PIPE, stdout=told, stderr=said) as server:
            await _listens(name, server, start, start.port)
            if not broker:
                yield server, server
                return
            await _listens(name, server, start, start.inner)
            publish = [sys.executable, str(source("python/publish.py")), broker, *start.words(start.inner)]
            async with running(LOAD_CPU, *publish, stdin=PIPE, stdout=PIPE, stderr=said) as publisher:
                yield server, publisher


def _open_many() -> None:
    """All the descriptors that the system allows: the peers take over what is this process's."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _listens(name: str, server: Process, start: Start, port: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LISTENS_WITHIN_S):
            while server.returncode is None:
                if await _answers(port):
                    return
                await asyncio.sleep(0.05)
    raise NotHere(f"{name} does not listen:\n{(start.folder / SAID).read_text()}")


async def _answers(port: int) -> bool:
    try:
        _, line = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    line.close()
    return True


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return one.getsockname()[1], other.getsockname()[1]
