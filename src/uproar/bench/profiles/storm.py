"""A network fails: all viewers are cut at once and come back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from uproar.bench.bars import Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Figures, Setup
from uproar.bench.profile import Profile, Shown
from uproar.bench.programs import watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, latencies, nothing_lost, poster_of, stamped

CUT_AFTER_S, SPREAD_S, CAP_S = 3, 1, 2
BACK_WITHIN_S: Final = 15
POSTS_PER_S: Final = 20
READS: Final = ("uproar_store_reads_total", "uproar_timeline_reads_total")


async def storm(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """All viewers cut at once, and back with their positions, while comments go on."""
    with Server(folder / "data", sender=setup.senders[0]) as server:
        poster = await poster_of(server)
        before = _reads(server)
        await poster.run(POSTS_PER_S, BACK_WITHIN_S, 2, stamped(100))
        of_posting = _since(server, before)
        options: dict[str, object] = {"storm": CUT_AFTER_S, "spread": SPREAD_S, "backoff_cap": CAP_S, "history": 0}
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, **options) as crowd:
            before = _reads(server)
            await poster.run(POSTS_PER_S, BACK_WITHIN_S, 2, stamped(100))
            reads = _since(server, before)
            await asyncio.sleep(CUT_AFTER_S + SPREAD_S)
            saw = await crowd.end()
    read = {f"{name}_per_viewer": max(0, reads[name] - of_posting[name]) / setup.viewers for name in reads}
    yield setup.senders[0], "", _back(saw) | read | faults(saw)


def _back(saw: dict[str, Any]) -> Figures:
    shares = {f"{name}_share": saw[name] / saw["viewers"] for name in ("up", "recovered")}
    refused = sum(saw["refusals"].values())
    return {**shares, **latencies(saw, "back_ms", "back"), "refused_per_viewer": refused / saw["viewers"]}


def _reads(server: Server) -> Figures:
    """How often it read so far: `store_reads`."""
    return {name.removeprefix("uproar_").removesuffix("_total"): server.metric(name) for name in READS}


def _since(server: Server, before: Figures) -> Figures:
    return {name: now - before[name] for name, now in _reads(server).items()}


STORM: Final = Profile(
    storm,
    (
        "up_share",
        "recovered_share",
        "back_p50_ms",
        "back_max_ms",
        "store_reads_per_viewer",
        "timeline_reads_per_viewer",
        "lost",
        "wrong",
        "refused_per_viewer",
    ),
    (
        Bar("share that is back", Side("up_share"), "at least", 1, every_round=True),
        Bar("share that missed nothing", Side("recovered_share"), "at least", 1, every_round=True),
        Bar("until the last is back, ms", Side("back_max_ms"), "at most", BACK_WITHIN_S * 1e3, every_round=True),
        Bar("store reads a viewer", Side("store_reads_per_viewer"), "at most", 0.01),
        Bar("timeline reads a viewer", Side("timeline_reads_per_viewer"), "at most", 0.1),
        *nothing_lost(),
    ),
    viewers=9_000,
    seconds=0,
)
