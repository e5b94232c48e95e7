"""More frames than a core can send: what becomes of them."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from uproar.bench.bars import Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import FLOOR, Figures, Round, Setup
from uproar.bench.peers import peer
from uproar.bench.proc import KIB_A_MIB
from uproar.bench.profile import PEERS, SENDERS, Profile, Shown
from uproar.bench.profiles.steady import FRAME_BYTES, posting_cpu_s
from uproar.bench.programs import SETTLING_S, floor, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, latencies, nothing_lost, poster_of
from uproar.bench.turns import Turn, in_turn

BEYOND_PER_S: Final = 10_000  # writes more than a core can
PROBE_PER_S: Final = 1_000  # frames
PROBE_FRAMES: Final = 1_000_000  # to all viewers together
LEAST_WINDOW_MS: Final = 10


async def overload(setup: Round, folder: Path) -> AsyncIterator[Shown]:
    """10,000 writes a second more than a core can: frames join in fewer writes, none is lost, none is late for long."""
    can_per_s = await _capacity(setup)
    yield FLOOR, "", {"writes_per_s": can_per_s}
    beyond = replace(setup, frames_per_s=(can_per_s + BEYOND_PER_S) / setup.viewers)
    turns = [Turn(form, "", partial(_ours, beyond, folder / form, form)) for form in setup.senders]
    turns += [Turn(name, "", partial(_peer, beyond, name)) for name in setup.peers]
    async for shown in in_turn(turns, setup.number):
        yield shown


async def _capacity(setup: Setup) -> float:
    """Writes a second that a core can: what comes of far more."""
    seconds = PROBE_FRAMES / setup.viewers / PROBE_PER_S
    cost, _ = await floor(setup.viewers, FRAME_BYTES, PROBE_PER_S, seconds)
    return float(cost["frames_per_s"])


async def _ours(setup: Setup, data: Path, form: str) -> Figures:
    window_ms = max(LEAST_WINDOW_MS, int(1e3 / setup.frames_per_s / 2))  # a burst is a frame, while there is time
    with Server(data, sender=form, plan_window_ms=f"{window_ms},{window_ms},{window_ms}") as server:
        poster = await poster_of(server)
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0) as crowd:
            await asyncio.sleep(SETTLING_S)
            before_kib = server.rss_kib()
            cpu_s = await posting_cpu_s(server, poster, setup)
            grown_mib = (server.rss_kib() - before_kib) / KIB_A_MIB
            saw = await crowd.end()
    return {"grown_mib": grown_mib, **_under(setup, cpu_s, saw)}


async def _peer(setup: Setup, name: str) -> Figures:
    cost, saw = await peer(name, setup.viewers, FRAME_BYTES, setup.frames_per_s, setup.seconds)
    return _under(setup, cost["cpu_s"], saw)


def _under(setup: Setup, cpu_s: float, saw: dict[str, Any]) -> Figures:
    """What viewers saw of so many frames a second; a window lasts from one to the next.

    A peer that publishes by its own timers falls behind in its posts, which then are not late: its core was busy for
    longer than the round, and so long it took.
    """
    late = latencies(saw)
    windows = {"p50_in_windows": late["latency_p50_ms"] / 1e3 * setup.frames_per_s} if late else {}
    return {
        "writes_per_s": setup.frames_per_s * setup.viewers,
        "posted_per_s": setup.frames_per_s,
        "frames_per_s": saw["batches"] / setup.viewers / max(setup.seconds, cpu_s),
        "busy_share": cpu_s / setup.seconds,
        "viewers_busy_share": saw["cpu_s"] / setup.seconds,  # at 1 it is they who are late
        "frames_per_read": saw["frames"] / max(1, saw["reads"]),
        **windows,
        **late,
        **faults(saw),
    }


OVERLOAD: Final = Profile(
    overload,
    (
        "writes_per_s",
        "frames_per_s",
        "busy_share",
        "viewers_busy_share",
        "frames_per_read",
        "latency_p50_ms",
        "p50_in_windows",
        "grown_mib",
        "lost",
        "wrong",
    ),
    (
        *nothing_lost(),
        Bar("p50, in windows", Side("p50_in_windows"), "at most", 2),
        Bar("frames that came in one read", Side("frames_per_read"), "at least", 1.01),
        Bar("memory grown, MiB", Side("grown_mib"), "at most", 64),
    ),
    viewers=9_000,
    seconds=15,
    heeds=frozenset({PEERS, SENDERS}),
)
