"""What a second gateway process gives, where there are cores for it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from uproar.bench.bars import OURS, Bar, Side
from uproar.bench.cores import CORES, require
from uproar.bench.lines import Figures, Setup
from uproar.bench.profile import RATE, Profile, Shown
from uproar.bench.profiles.steady import BURST, ROOMY, TEXT_BYTES
from uproar.bench.programs import SETTLING_S, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, poster_of, stamped

NEEDED: Final = 5  # cores, of the process that has the port, of two gateways, and of the viewers of each


async def gateways(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """Writes a second that one process for all can, and two gateways on cores of their own, when more are asked for."""
    require(NEEDED, "three for the server and two for its viewers")
    yield setup.senders[0], "one", await _throughput(setup, folder / "one", 1, CORES[:1])
    yield setup.senders[0], "two", await _throughput(setup, folder / "two", 2, CORES[:3])


async def _throughput(setup: Setup, data: Path, count: int, cpus: Sequence[int]) -> Figures:
    half = setup.viewers // 2
    with Server(data, cpus=",".join(map(str, cpus)), gateways=count, sender=setup.senders[0], **ROOMY) as server:
        poster = await poster_of(server)
        async with (
            watching(server.port, LIVE, cpu=CORES[3], viewers=half, history=0) as some,
            watching(server.port, LIVE, cpu=CORES[4], viewers=half, history=0) as others,
        ):
            await asyncio.sleep(SETTLING_S)
            await poster.run(BURST * setup.frames_per_s, setup.seconds, BURST, stamped(TEXT_BYTES))
            saw = [await crowd.end() for crowd in (some, others)]
    reads = sum(one["reads"] for one in saw)  # frames that were joined in one write come in one read
    return {"writes_per_s": reads / setup.seconds, "lost": sum(faults(one)["lost"] for one in saw)}


GATEWAYS: Final = Profile(
    gateways,
    ("writes_per_s", "lost"),
    (
        Bar(
            "writes a second, two processes / one",
            Side("writes_per_s", OURS, "two"),
            "at least",
            1.9,
            Side("writes_per_s", OURS, "one"),
        ),
    ),
    viewers=9_000,
    frames_per_s=150,
    heeds=frozenset({RATE}),
)
