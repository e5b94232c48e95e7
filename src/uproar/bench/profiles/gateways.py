"""What a second gateway process gives, where there are cores for it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uproar.bench.bars import OURS, Bar, Side
from uproar.bench.lines import Figures, Setup
from uproar.bench.profile import CannotMeasure, Profile, Shown
from uproar.bench.profiles.steady import BURST, ROOMY, TEXT_BYTES
from uproar.bench.programs import watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, SETTLING_S, faults, poster_of, stamped

CORES: Final = 5  # of the process that has the port, of two gateways, and of the viewers of each
VIEWERS_CPUS: Final = (3, 4)


async def gateways(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """Writes a second that one process for all can, and two gateways on cores of their own, when more are asked for."""
    cores = len(os.sched_getaffinity(0)) + 1  # this process left the server's
    if cores < CORES:
        raise CannotMeasure(f"It needs {CORES} cores, and this machine has {cores}.")
    yield setup.senders[0], "one", await _throughput(setup, folder / "one", 1, "0")
    yield setup.senders[0], "two", await _throughput(setup, folder / "two", 2, "0-2")


async def _throughput(setup: Setup, data: Path, count: int, cpus: str) -> Figures:
    half = setup.viewers // 2
    with Server(data, cpus=cpus, gateways=count, sender=setup.senders[0], **ROOMY) as server:
        poster = await poster_of(server)
        async with (
            watching(server.port, LIVE, cpu=VIEWERS_CPUS[0], viewers=half, history=0) as some,
            watching(server.port, LIVE, cpu=VIEWERS_CPUS[1], viewers=half, history=0) as others,
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
)
