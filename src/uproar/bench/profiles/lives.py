"""How a server begins, and what is left of it when it is killed."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from uproar.bench.bars import Bar, Side
from uproar.bench.lines import Setup
from uproar.bench.proc import KIB_A_MIB
from uproar.bench.profile import Profile, Shown
from uproar.bench.profiles.promises import page_of
from uproar.bench.server import Server
from uproar.bench.stage import poster_of
from uproar.bench.stats import percentile

RESTING_S: Final = 0.5
READ_WITHIN_S: Final = 2  # what was kept is in the history


async def start(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """From the command to ready, and memory at rest."""
    with Server(folder / "data", sender=setup.senders[0]) as server:
        await asyncio.sleep(RESTING_S)
        yield setup.senders[0], "", {"ready_s": server.ready_s, "rest_mib": server.rss_kib() / KIB_A_MIB}


async def kills(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """`kill -9` under load, once a second of the round: nothing acknowledged lost, nothing doubled."""
    server = Server(folder / "data", sender=setup.senders[0])
    kept: set[str] = set()
    ready = []
    luck = random.Random(1)
    for life in range(max(1, int(setup.seconds))):
        with server:
            ready.append(server.ready_s)
            kept |= await _killed_under_load(server, life, luck.uniform(0.1, 1.0))
    with server:
        await asyncio.sleep(READ_WITHIN_S)
        found = _all_comments(server)
    texts = [comment["text"] for comment in found]
    figures = {
        "kills": len(ready),
        "acked": len(kept),
        "lost": len(kept - {comment["id"] for comment in found}),
        "doubled": len(texts) - len(set(texts)),
        "ready_p50_s": percentile(ready, 0.5),
        "ready_max_s": max(ready),
    }
    yield setup.senders[0], "", figures


async def _killed_under_load(server: Server, life: int, after_s: float) -> set[str]:
    """The ids acknowledged until the server was killed."""
    poster = await poster_of(server, lines=8)
    until = time.perf_counter() + after_s
    while time.perf_counter() < until:
        for _ in range(5):
            poster.post(f"comment {life}.{poster.number}")
        await asyncio.sleep(0.02)
    server.kill()
    await asyncio.sleep(0.05)  # acks under way arrive
    return set(poster.acked)


def _all_comments(server: Server) -> list[dict[str, Any]]:
    page = page_of(server)
    found: list[dict[str, Any]] = page["comments"]
    while page["next"]:
        page = page_of(server, page["next"])
        found += page["comments"]
    return found


START: Final = Profile(
    start,
    ("ready_s", "rest_mib"),
    (
        Bar("from the command to ready, s", Side("ready_s"), "at most", 1.5, every_round=True),
        Bar("memory at rest, MiB", Side("rest_mib"), "at most", 120),
    ),
    seconds=0,
    rounds=7,
)
KILLS: Final = Profile(
    kills,
    ("kills", "acked", "lost", "doubled", "ready_p50_s", "ready_max_s"),
    (
        Bar("acknowledged and lost", Side("lost"), "at most", 0, every_round=True),
        Bar("doubled", Side("doubled"), "at most", 0, every_round=True),
        Bar("ready again, longest, s", Side("ready_max_s"), "at most", 2, every_round=True),
    ),
    seconds=100,
    rounds=1,
)
