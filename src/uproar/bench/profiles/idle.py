"""What a viewer takes that only watches."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uproar.bench.bars import Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Setup
from uproar.bench.profile import SENDERS, Profile, Shown
from uproar.bench.programs import SETTLING_S, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, poster_of

WARM: Final = 50  # viewers, so that nothing of the first ones counts


async def idle(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """Viewers of a silent stream: memory and CPU of one, pings included."""
    for form in setup.senders:
        with Server(folder / form, sender=form) as server:
            await poster_of(server)
            async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=WARM, history=0):
                bare_kib, bare_s = server.rss_kib(), await _cpu_s(server, setup.seconds)
                async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0) as crowd:
                    await asyncio.sleep(SETTLING_S)
                    kib = server.rss_kib() - bare_kib
                    cpu_s = await _cpu_s(server, setup.seconds) - bare_s
                    saw = await crowd.end()
        us_per_s = cpu_s / setup.seconds * 1e6
        yield form, "", {"kib_per_viewer": kib / saw["up"], "cpu_us_per_s": us_per_s / saw["up"], "pings": saw["pings"]}


async def _cpu_s(server: Server, seconds: float) -> float:
    began_s = server.cpu_s()
    await asyncio.sleep(seconds)
    return server.cpu_s() - began_s


IDLE: Final = Profile(
    idle,
    ("kib_per_viewer", "cpu_us_per_s", "pings"),
    (
        Bar("memory of an idle viewer, KiB", Side("kib_per_viewer"), "at most", 2),
        Bar("CPU of an idle viewer, µs a second", Side("cpu_us_per_s"), "at most", 1.5),
    ),
    viewers=9_000,
    seconds=30,  # a ping is due every 25
    heeds=frozenset({SENDERS}),
)
