"""A thousand streams in one process."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uproar.bench.bars import Bar, Side
from uproar.bench.lines import Setup
from uproar.bench.poster import Poster
from uproar.bench.proc import KIB_A_MIB
from uproar.bench.profile import Profile, Shown
from uproar.bench.server import Server
from uproar.bench.stage import chatter, importers, open_stream

POSTS_PER_S, TEXT_BYTES = 2_000, 490
RING_S: Final = 3_600  # its bytes are the bound here, not its age
PARTS: Final = 5


async def platform(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """As many streams as viewers, comments of 500 bytes over all of them until their rings are full: memory."""
    with Server(folder / "data", sender=setup.senders[0], ring_s=RING_S) as server:
        bare_kib = server.rss_kib()
        names = [f"s{number}" for number in range(setup.viewers)]
        posters = [await _opened(server, name) for name in names]
        open_kib, sizes, began = server.rss_kib(), [], time.perf_counter()
        for _ in range(PARTS):
            await _fill(posters, setup.seconds / PARTS)
            sizes.append(server.rss_kib())
        took_s = time.perf_counter() - began
    yield (
        setup.senders[0],
        "",
        {
            "streams": len(names),
            "open_kib_per_stream": (open_kib - bare_kib) / len(names),
            "ring_kib_per_stream": (sizes[-1] - open_kib) / len(names),  # all that came while they filled
            "full_kib_per_stream": (sizes[-1] - bare_kib) / len(names),
            "rss_mib": sizes[-1] / KIB_A_MIB,
            "late_growth": sizes[-1] / sizes[-2],
            "acked_per_s": sum(len(poster.acked) for poster in posters) / took_s,
        },
    )


async def _opened(server: Server, name: str) -> Poster:
    """A stream with one viewer, which posts."""
    await asyncio.to_thread(open_stream, server, name)
    return await Poster(server.port, name, importers(server, 1), settling_s=0).open()


async def _fill(posters: list[Poster], seconds: float) -> None:
    until, number = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        for poster in posters:
            poster.post(chatter(TEXT_BYTES, number)[:TEXT_BYTES])
            number += 1
            if number % (POSTS_PER_S // 100) == 0:
                await asyncio.sleep(0.01)


PLATFORM: Final = Profile(
    platform,
    (
        "streams",
        "open_kib_per_stream",
        "ring_kib_per_stream",
        "full_kib_per_stream",
        "rss_mib",
        "late_growth",
        "acked_per_s",
    ),
    (Bar("memory at the end / after four fifths of the time", Side("late_growth"), "at most", 1.05),),
    viewers=1_000,
    seconds=300,
    rounds=1,
)
