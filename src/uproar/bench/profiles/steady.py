"""Frames of 2 KB at an even pace, beside the C floor and others in the same rounds: what one costs, how late it is."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from uproar.bench.bars import BEST_PEER, OURS, Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import COST, FLOOR, Figures, Round, Setup, is_figure
from uproar.bench.peers import peer
from uproar.bench.poster import Poster
from uproar.bench.profile import DEFLATE, PEERS, RATE, SENDERS, Profile, Shown
from uproar.bench.programs import SETTLING_S, floor, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, frames_of, latencies, nothing_lost, poster_of, stamped
from uproar.bench.turns import Turn, in_turn
from uproar.bench.wording import contestant

FRAME_BYTES: Final = 2_048
BURST: Final = 4
TEXT_BYTES: Final = 394  # four such comments make a batch of 2,048 bytes, or nearly
DEFLATED: Final = "deflated"
INFLATING: Final = 50  # one viewer in so many reads what it gets, the others count it
DELIVERED: Final = 0.98  # of the frames that were asked for
FEW: Final = 1_000  # viewers
ROOMY: Final[dict[str, str]] = {"plan_window_ms": "50,200,500", "plan_frame_comments": f"{BURST},{BURST},{BURST}"}
"""A burst fills a frame, which leaves at once: as a peer sends what it is given."""


async def steady(setup: Round, folder: Path) -> AsyncIterator[Shown]:
    """Ten frames of 2 KB a second: CPU a frame and latency, posting taken off, beside the floor and peers."""
    turns = [Turn(FLOOR, "", partial(_floor, setup))]
    for form in setup.senders:
        turns.append(Turn(form, "", partial(_ours, setup, folder / form, form)))
        if setup.deflate:
            turns.append(Turn(form, DEFLATED, partial(_ours, setup, folder / f"{form}-{DEFLATED}", form, deflate=True)))
    turns += [Turn(name, "", partial(_peer, setup, name)) for name in setup.peers]
    async for shown in in_turn(turns, setup.number):
        yield shown


async def latency(setup: Round, folder: Path) -> AsyncIterator[Shown]:
    """Four frames a second: how late they reach the viewers, beside the floor and peers."""
    async for shown in steady(setup, folder):
        yield shown


async def rounds(setup: Round, folder: Path) -> AsyncIterator[Shown]:
    """From a frame's first viewer to its last, beside the floor: what no pause of the interpreter may stretch."""
    async for shown in steady(setup, folder):
        yield shown


async def scaling(setup: Round, folder: Path) -> AsyncIterator[Shown]:
    """CPU a frame over the floor's, with 1,000 viewers and with all of them."""
    for case, viewers in (("few", min(FEW, setup.viewers)), ("many", setup.viewers)):
        shown = [one async for one in steady(replace(setup, viewers=viewers), folder / case)]
        bare = next((figures[COST] for who, _, figures in shown if who == FLOOR and isinstance(figures, dict)), 0.0)
        for who, _, figures in shown:
            yield who, case, figures if isinstance(figures, str) else figures | _beside(bare, figures[COST], viewers)


def _beside(bare: float, cost: float, viewers: int) -> Figures:
    """How many viewers it was, and what a frame costs over what it costs the floor, where both are known."""
    known = is_figure(COST, bare) and is_figure(COST, cost)
    return {"viewers": viewers} | ({"beside_floor": cost / bare} if known else {})


async def _floor(setup: Setup) -> Figures:
    cost, saw = await floor(setup.viewers, FRAME_BYTES, setup.frames_per_s, setup.seconds)
    return {COST: cost[COST], **_seen(setup, saw), **latencies(cost, "round_ms", "write")}


async def _peer(setup: Setup, name: str) -> Figures:
    cost, saw = await peer(name, setup.viewers, FRAME_BYTES, setup.frames_per_s, setup.seconds)
    return {COST: cost[COST], "kib_per_viewer": cost["rss_kib_per_viewer"], **_seen(setup, saw)}


async def _ours(setup: Setup, data: Path, form: str, deflate: bool = False) -> Figures:
    """µs of the server's CPU a frame, the same posts before no viewers taken off."""
    offer = {"inflate": INFLATING} if deflate else {}
    with Server(data, sender=form, **ROOMY) as server:
        poster = await poster_of(server)
        bare_s = await posting_cpu_s(server, poster, setup)
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0, **offer) as crowd:
            await asyncio.sleep(SETTLING_S)
            cpu_s = await posting_cpu_s(server, poster, setup)
            saw = await crowd.end()
    return {COST: (cpu_s - bare_s) / max(1, frames_of(saw)) * 1e6, **_seen(setup, saw)}


async def posting_cpu_s(server: Server, poster: Poster, setup: Setup) -> float:
    """The server's CPU while a burst is posted for every frame."""
    began_s = server.cpu_s()
    await poster.run(BURST * setup.frames_per_s, setup.seconds, BURST, stamped(TEXT_BYTES))
    return server.cpu_s() - began_s


def _seen(setup: Setup, saw: dict[str, Any]) -> Figures:
    frames = frames_of(saw)
    return {
        "frames_per_s": frames / setup.viewers / setup.seconds,
        "asked_per_s": int(setup.frames_per_s * setup.seconds) / setup.seconds,
        "frame_bytes": (saw["bytes"] if saw["deflated"] else saw["batch_bytes"]) / max(1, frames),
        **latencies(saw),
        **latencies(saw, "spread_ms", "spread"),
        **faults(saw),
    }


def _cost_of(form: str, least: float) -> Bar:
    return Bar(f"CPU a frame, floor / {form}", Side(COST, FLOOR), "at least", least, Side(COST, form))


def _cost_beside(peer: str, form: str, least: float) -> Bar:
    return Bar(f"CPU a frame, {peer} / {form}", Side(COST, peer), "at least", least, Side(COST, form))


def _share(what: str, figure: str, beside: str, most: float) -> Bar:
    return Bar(what, Side(figure), "at most", most, Side(figure, beside))


def _all_delivered(case: str = "") -> tuple[Bar, ...]:
    """Every frame that was asked for, or nearly, and every one whole."""
    what = contestant("frames a second / asked for", case)
    asked = Side("asked_per_s", OURS, case)
    each = Bar(what, Side("frames_per_s", OURS, case), "at least", DELIVERED, asked, every_round=True)
    return (each, *nothing_lost(case))


ALL_DELIVERED: Final = (*_all_delivered(), *_all_delivered(DEFLATED))
SHOWS: Final = (COST, "frames_per_s", "frame_bytes", "latency_p50_ms", "latency_p99_ms", "lost", "wrong")
COMPARED: Final = frozenset({PEERS, SENDERS, RATE, DEFLATE})

STEADY: Final = Profile(
    steady,
    SHOWS,
    (
        _cost_of("python", 0.72),
        _cost_of("send", 0.90),
        _cost_of("io_uring", 1.15),
        _cost_beside("picows", "python", 0.9),  # level, and a tenth is noise
        _cost_beside("websockets", "python", 1.4),
        _cost_beside("aiohttp", "python", 1.25),
        _cost_beside(BEST_PEER, "io_uring", 1.3),
        _cost_beside("centrifugo", "io_uring", 2.5),
        Bar("CPU a frame, deflated / plain", Side(COST, OURS, DEFLATED), "at most", 1.1, Side(COST)),
        *ALL_DELIVERED,
    ),
    viewers=2_000,
    heeds=COMPARED,
)
LATENCY: Final = Profile(
    latency,
    SHOWS,
    (
        _share("from post to viewer, p50, uproar / best peer", "latency_p50_ms", BEST_PEER, 0.85),
        _share("from post to viewer, p99, uproar / best peer", "latency_p99_ms", BEST_PEER, 0.85),
        *ALL_DELIVERED,
    ),
    viewers=9_000,
    frames_per_s=4,
    heeds=COMPARED,
)
ROUNDS: Final = Profile(
    rounds,
    ("spread_p50_ms", "spread_p99_ms", "spread_max_ms", "frames_per_s", "lost", "wrong"),
    (
        _share("first to last viewer, p99, uproar / floor", "spread_p99_ms", FLOOR, 2),
        _share("first to last viewer, longest, uproar / floor", "spread_max_ms", FLOOR, 4),
        *ALL_DELIVERED,
    ),
    viewers=9_000,
    seconds=600,
    frames_per_s=4,
    rounds=1,
    heeds=COMPARED,
)
SCALING: Final = Profile(
    scaling,
    ("viewers", COST, "beside_floor", "frames_per_s", "lost", "wrong"),
    (
        Bar(
            "CPU a frame beside the floor's, 9,000 viewers / 1,000",
            Side("beside_floor", OURS, "many"),
            "at most",
            1.1,
            Side("beside_floor", OURS, "few"),
        ),
        *_all_delivered("few"),
        *_all_delivered("many"),
    ),
    viewers=9_000,
    heeds=frozenset({SENDERS, RATE}),
)
