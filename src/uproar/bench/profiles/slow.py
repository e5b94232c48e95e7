"""Some stop reading: what it costs the others, and the server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uproar.bench.bars import OURS, Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Figures, Setup
from uproar.bench.profile import RATE, Profile, Shown
from uproar.bench.profiles.steady import ROOMY, posting_cpu_s
from uproar.bench.programs import SETTLING_S, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, latencies, poster_of

STOPPED_SHARE: Final = 0.01


async def slow(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """1 % of the viewers stop reading, then half of them: the latency of the others, the memory of one of these."""
    form = setup.senders[0]
    calm = await _reading(setup, folder / "calm", stopped=0)
    yield form, "calm", calm
    yield form, "stopped", await _reading(setup, folder / "stopped", max(1, round(setup.viewers * STOPPED_SHARE)))
    half = await _reading(setup, folder / "half", setup.viewers // 2)
    yield form, "half", half | {"kib_per_stopped": (half["grown_kib"] - calm["grown_kib"]) / (setup.viewers // 2)}


async def _reading(setup: Setup, data: Path, stopped: int) -> Figures:
    """What the healthy ones saw, by how much the server grew meanwhile, and how many lagged in the end."""
    with Server(data, sender=setup.senders[0], **ROOMY) as server:
        poster = await poster_of(server)
        options: dict[str, object] = {"history": 0, "stopped": stopped, "receive_buffer": 4096}
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, **options) as crowd:
            await asyncio.sleep(SETTLING_S)
            before_kib = server.rss_kib()
            await posting_cpu_s(server, poster, setup)
            grown_kib, lagging = server.rss_kib() - before_kib, server.metric("uproar_lagging_viewers")
            saw = await crowd.end()
    return {"lagging": lagging, "grown_kib": grown_kib, **latencies(saw), **faults(saw)}


SLOW: Final = Profile(
    slow,
    ("latency_p50_ms", "latency_p99_ms", "lagging", "grown_kib", "kib_per_stopped", "lost"),
    (
        Bar(
            "p99 of the others, 1 % stopped / none",
            Side("latency_p99_ms", OURS, "stopped"),
            "at most",
            1.15,
            Side("latency_p99_ms", OURS, "calm"),
        ),
        Bar(
            "memory of one that stopped, with a frame, KiB",
            Side("kib_per_stopped", OURS, "half"),
            "at most",
            3,
        ),
    ),
    viewers=2_000,
    seconds=12,
    heeds=frozenset({RATE}),
)
