"""Hours at half load, with something that goes wrong every few minutes: what grows."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from uproar.bench.bars import Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Figures, Setup
from uproar.bench.poster import Poster
from uproar.bench.proc import KIB_A_MIB
from uproar.bench.profile import RATE, Profile, Shown
from uproar.bench.profiles.steady import BURST, TEXT_BYTES
from uproar.bench.programs import SETTLING_S, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, chatter, faults, poster_of, stamped
from uproar.bench.stats import percentile

SAMPLES: Final = 60
EVERY_S: Final = 300.0  # a fault; sooner in a run of less than an hour, so that each comes twice
FEWEST: Final = 12
FAULT_S: Final = 10.0
CROWD, STRANGERS = 500, 200
FROZEN_S: Final = 3.0
FLOOD_PER_S: Final = 500

Fault = Callable[[Server, Poster, float], Awaitable[None]]


async def endurance(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """An hour at half load with a fault every five minutes: memory and descriptors, early and late."""
    form = setup.senders[0]
    with Server(folder / "data", sender=form, ring_s=60, log_retention_h=0.02) as server:
        poster = await poster_of(server)
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0) as crowd:
            await asyncio.sleep(SETTLING_S)
            posting = asyncio.create_task(
                poster.run(BURST * setup.frames_per_s, setup.seconds, BURST, stamped(TEXT_BYTES))
            )
            breaking = asyncio.create_task(_break(server, poster, setup.seconds))
            samples: list[Figures] = []
            async for sample in _samples(server, setup.seconds):
                samples.append(sample)
                yield form, f"{sample['minute']:.1f} min", sample
            await asyncio.gather(posting, breaking)
            saw = await crowd.end()
    acked_share = len(poster.acked) / poster.number
    yield form, "", {**_grown(samples), "acked_share": acked_share, "back": saw["recovered"], **faults(saw)}


async def _samples(server: Server, seconds: float) -> AsyncIterator[Figures]:
    began = time.perf_counter()
    for number in range(1, SAMPLES + 1):
        await asyncio.sleep(max(0.0, began + number * seconds / SAMPLES - time.perf_counter()))
        yield {
            "minute": (time.perf_counter() - began) / 60,
            "rss_mib": server.rss_kib() / KIB_A_MIB,
            "descriptors": server.descriptors(),
            "threads": server.threads(),
        }


def _grown(samples: list[Figures]) -> Figures:
    """The medians of the last quarter over those of the second: the first one still warms up."""
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    return {
        f"{name}_late": percentile([one[name] for one in late], 0.5) / percentile([one[name] for one in early], 0.5)
        for name in ("rss_mib", "descriptors", "threads")
    }


async def _break(server: Server, poster: Poster, seconds: float) -> None:
    """One fault after the other, evenly over the time, none in its first and last part."""
    span_s = min(EVERY_S, seconds / FEWEST)
    for number in range(int(seconds / span_s) - 1):
        began = time.perf_counter()
        await asyncio.sleep(span_s / 2)
        await FAULTS[number % len(FAULTS)](server, poster, min(FAULT_S, span_s / 3))
        await asyncio.sleep(max(0.0, began + span_s - time.perf_counter()))


async def _cut(server: Server, poster: Poster, seconds: float) -> None:
    """A crowd comes, and its network is gone."""
    async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=CROWD, storm=seconds / 3, spread=1, backoff_cap=2):
        await asyncio.sleep(seconds)


async def _stop_reading(server: Server, poster: Poster, seconds: float) -> None:
    """A crowd comes, stops reading, and leaves."""
    async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=CROWD, stopped=CROWD, receive_buffer=4096):
        await asyncio.sleep(seconds)


async def _freeze(server: Server, poster: Poster, seconds: float) -> None:
    """The machine stands still."""
    server.pause(signal.SIGSTOP)
    await asyncio.sleep(min(FROZEN_S, seconds))
    server.pause(signal.SIGCONT)


async def _stay_silent(server: Server, poster: Poster, seconds: float) -> None:
    """Strangers connect and say nothing, or half a head."""
    strangers = []
    for number in range(STRANGERS):
        stranger = socket.create_connection(("127.0.0.1", server.port))
        with suppress(OSError):
            stranger.sendall(b"GET / HT" if number % 2 else b"")
        strangers.append(stranger)
    await asyncio.sleep(seconds)
    for stranger in strangers:
        stranger.close()


async def _flood(server: Server, poster: Poster, seconds: float) -> None:
    """Many more comments come."""
    await poster.run(FLOOD_PER_S, seconds, BURST, lambda number: chatter(TEXT_BYTES // 4, number))


FAULTS: Final[tuple[Fault, ...]] = (_cut, _stop_reading, _freeze, _stay_silent, _flood)

ENDURANCE: Final = Profile(
    endurance,
    ("rss_mib", "descriptors", "rss_mib_late", "descriptors_late", "acked_share", "lost", "closes"),
    (
        Bar("memory, late / early", Side("rss_mib_late"), "at most", 1.05),
        Bar("descriptors, late / early", Side("descriptors_late"), "at most", 1.01),
        Bar("threads, late / early", Side("threads_late"), "at most", 1),
    ),
    viewers=9_000,
    seconds=3_600,
    rounds=1,
    heeds=frozenset({RATE}),
)
