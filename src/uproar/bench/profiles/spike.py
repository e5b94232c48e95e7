"""A calm stream, until everybody comes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from uproar.bench.bars import OURS, Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Figures, Setup
from uproar.bench.profile import Profile, Shown
from uproar.bench.programs import watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, latencies, nothing_lost, poster_of, stamped

CALM_PER_S, STIRRED_PER_S = 20, 400


async def spike(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """Half of the viewers watch a calm stream; then the others come at once, and twenty times the comments."""
    form = setup.senders[0]
    half = setup.viewers // 2
    with Server(folder / "data", sender=form) as server:
        poster = await poster_of(server, lines=4)
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=half, history=0) as crowd:
            await poster.run(CALM_PER_S, setup.seconds, 1, stamped(60))
            yield form, "calm", _seen(await crowd.end())
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=half, history=0) as crowd:
            stirred = asyncio.create_task(poster.run(STIRRED_PER_S, setup.seconds, 4, stamped(60)))
            async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers - half, rate=1e6) as others:
                await stirred
                came = await others.end()
            yield form, "spike", _seen(await crowd.end()) | {"all_up_s": came["up_s"]}


def _seen(saw: dict[str, Any]) -> Figures:
    return {**latencies(saw), **faults(saw)}


SPIKE: Final = Profile(
    spike,
    ("latency_p50_ms", "latency_p99_ms", "latency_max_ms", "all_up_s", "lost", "wrong", "closes"),
    (
        Bar("p99 while the crowd comes, ms", Side("latency_p99_ms", OURS, "spike"), "at most", 1_000),
        *nothing_lost("spike"),
    ),
    viewers=4_000,
)
