"""The cost of a frame to a viewer beside the C floor of the same minute, and of the viewers that make it hard."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.common import LIVE, poster_of, stamped, tell
from bench.programs import LOAD_CPU, SERVER_CPU, Figures, floor, watching
from bench.server import Server
from bench.viewers import Poster

ROUNDS, VIEWERS, SECONDS = 5, 5000, 8
SOME, STOPPED = 2000, 200
BURST, BURSTS_PER_S = 4, 10  # a burst is one frame: it comes within one window, and the next comes after that
SETTLING_S = 2  # the last viewers' `joined` are still under way
WINDOWS_MS = "50,200,500"
FILLING, FILLING_S = 18, 10  # comments of 2 KB a burst: a kernel's send buffer takes 2.5 MB before a viewer lags
TEXT_BYTES, FRAME_BYTES = 399, 2048  # four such comments make a batch of 2,000 to 2,100 bytes


async def fanout(data: Path) -> None:
    """5,000 viewers, ten frames of 2 KB a second, each round beside the floor."""
    with _off_the_servers_core():
        ratios = [await _round(data, number) for number in range(1, ROUNDS + 1)]
    tell("fan-out", rounds=ROUNDS, ratio=median(ratios), least=min(ratios), most=max(ratios))


async def _round(data: Path, number: int) -> float:
    cost, floor_saw = await floor(VIEWERS, FRAME_BYTES, BURSTS_PER_S, SECONDS)
    ours_us, saw = await _ours(data)
    ratio: float = ours_us / cost["cpu_us_per_frame"]
    tell(
        f"fan-out, round {number}",
        ours_us=ours_us,
        floor_us=cost["cpu_us_per_frame"],
        ratio=ratio,
        frames_per_s=saw["batches"] / VIEWERS / SECONDS,
        frame_bytes=saw["batch_bytes"] / saw["batches"],
        least=saw["least_batches"],
        most=saw["most_batches"],
        holes=saw["holes"],
        closes=saw["closes"],
        latency_ms=saw["latency_ms"],
        floor_latency_ms=floor_saw["latency_ms"],
        floor_round_ms=cost["round_ms"],
    )
    return ratio


async def _ours(data: Path) -> tuple[float, Figures]:
    """µs of the server's CPU a frame, the same posts before no viewers taken off; what the viewers saw."""
    shutil.rmtree(data, ignore_errors=True)
    with Server(data, cpu=SERVER_CPU, plan_window_ms=WINDOWS_MS) as server:
        poster = await poster_of(server)
        bare_s = await _posting_cpu_s(server, poster)
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=VIEWERS, history=0) as crowd:
            await asyncio.sleep(SETTLING_S)
            cpu_s = await _posting_cpu_s(server, poster)
            saw = await crowd.end()
    return (cpu_s - bare_s) / saw["batches"] * 1e6, saw


async def _posting_cpu_s(server: Server, poster: Poster) -> float:
    began_s = server.cpu_s()
    await poster.run(BURST * BURSTS_PER_S, SECONDS, BURST, stamped(TEXT_BYTES))
    return server.cpu_s() - began_s


@contextmanager
def _off_the_servers_core() -> Iterator[None]:
    """This process, which posts, leaves the server's core to the server."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {SERVER_CPU} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def idle(data: Path) -> None:
    """Memory of 5,000 idle viewers."""
    with Server(data) as server:
        await poster_of(server)
        async with watching(server.port, LIVE, viewers=50, history=0):
            before = server.rss_bytes()
            async with watching(server.port, LIVE, viewers=VIEWERS, history=0) as crowd:
                await asyncio.sleep(SETTLING_S)
                after = server.rss_bytes()
                saw = await crowd.end()
    tell("idle viewer", kib=(after - before) / VIEWERS / 1024, viewers=saw["up"])


async def storm(data: Path) -> None:
    """Every viewer of 5,000 cut at once, and back with its position, while comments go on."""
    with Server(data) as server:
        poster = await poster_of(server)
        reads_of_posting = await _reads(server, poster)
        async with watching(server.port, LIVE, viewers=VIEWERS, history=0, storm=5, spread=1) as crowd:
            await poster.run(20, 2, 2, stamped(100))
            reads = await _reads(server, poster)
            saw = await crowd.end()
    told = {
        name: saw[name] for name in ("up", "recovered", "anew", "holes", "repeats", "closes", "refusals", "back_ms")
    }
    tell("storm", store_reads=reads, store_reads_of_the_same_posts=reads_of_posting, **told)


async def _reads(server: Server, poster: Poster) -> float:
    before = server.metric("uproar_store_reads_total")
    await poster.run(20, 12, 2, stamped(100))
    return server.metric("uproar_store_reads_total") - before


async def slow(data: Path) -> None:
    """200 of 2,000 viewers stop reading: the latency of the others beside a calm round, the memory of one."""
    with Server(data, plan_window_ms=WINDOWS_MS, ring_s=FILLING_S) as server, _off_the_servers_core():
        poster = await poster_of(server)
        rounds = [await _slow_round(server, poster, number) for number in range(1, ROUNDS + 1)]
    ratios, kib = zip(*rounds, strict=True)
    figures = {"ratio": median(ratios), "least": min(ratios), "most": max(ratios), "kib_a_stopped_viewer": median(kib)}
    tell(f"{STOPPED} of {SOME} stop reading", rounds=ROUNDS, **figures)


async def _slow_round(server: Server, poster: Poster, number: int) -> tuple[float, float]:
    """How much later the others' batches came, and the KiB that a stopped viewer took."""
    calm = await _slow_run(server, poster, stopped=0)
    saw = await _slow_run(server, poster, stopped=STOPPED)
    ratio: float = saw["latency_ms"]["p99"] / calm["latency_ms"]["p99"]
    kib: float = (saw["grown"] - calm["grown"]) / STOPPED / 1024
    tell(
        f"{STOPPED} of {SOME} stop reading, round {number}",
        calm_ms=calm["latency_ms"],
        others_ms=saw["latency_ms"],
        ratio=ratio,
        kib_a_stopped_viewer=kib,
        lagging=saw["lagging"],
        holes=saw["holes"],
        closes=saw["closes"],
    )
    return ratio, kib


async def _slow_run(server: Server, poster: Poster, stopped: int) -> Figures:
    """What the viewers saw, by how many bytes the server grew meanwhile, and how many lagged in the end."""
    async with watching(server.port, LIVE, viewers=SOME, history=0, stopped=stopped, receive_buffer=4096) as crowd:
        await asyncio.sleep(SETTLING_S)
        before = server.rss_bytes()
        await poster.run(FILLING * BURSTS_PER_S, FILLING_S, FILLING, lambda number: f"{number}".rjust(500, "😀"))
        await poster.run(BURST * BURSTS_PER_S, SECONDS, BURST, stamped(TEXT_BYTES))
        grown, lagging = server.rss_bytes() - before, server.metric("uproar_lagging_viewers")
        return await crowd.end() | {"grown": grown, "lagging": lagging}
