"""What a comment costs until a viewer has it, everything included."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final

from uproar.bench.bars import OURS, Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import COST, FLOOR, Figures, Round, Setup
from uproar.bench.peers import peer
from uproar.bench.profile import PEERS, RATE, SENDERS, Profile, Shown
from uproar.bench.programs import SETTLING_S, floor, watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, latencies, nothing_lost, poster_of, stamped
from uproar.bench.turns import Turn, in_turn

COMMENTS_PER_S: Final = 100
TEXT_BYTES: Final = 60
COMMENT_BYTES: Final = 200  # of a peer's message, with who said it
PER_COMMENT: Final = "cpu_us_per_comment"


async def comments(setup: Round, folder: Path) -> AsyncIterator[Shown]:
    """100 comments a second, posted over WebSocket: CPU a comment and viewer, posting included."""
    frame_bytes, frames_per_s = float(COMMENT_BYTES), setup.frames_per_s
    for form in setup.senders:
        figures = await _ours(setup, folder / form, form)
        frame_bytes, frames_per_s = figures["frame_bytes"], figures["frames_per_s"]
        yield form, "", figures
    cost, _ = await floor(setup.viewers, round(frame_bytes), frames_per_s, setup.seconds)
    yield FLOOR, "", {COST: cost[COST], "frame_bytes": frame_bytes}
    async for shown in in_turn([Turn(name, "", partial(_peer, setup, name)) for name in setup.peers], setup.number):
        yield shown


async def _ours(setup: Setup, data: Path, form: str) -> Figures:
    with Server(data, sender=form) as server:
        poster = await poster_of(server)
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0) as crowd:
            await asyncio.sleep(SETTLING_S)
            before_s = server.cpu_s()
            await poster.run(COMMENTS_PER_S, setup.seconds, 1, stamped(TEXT_BYTES))
            cpu_s = server.cpu_s() - before_s
            saw = await crowd.end()
    return {
        PER_COMMENT: cpu_s / (max(1, len(poster.acked)) * setup.viewers) * 1e6,
        "frames_per_s": saw["batches"] / setup.viewers / setup.seconds,
        "frame_bytes": saw["batch_bytes"] / max(1, saw["batches"]),
        **latencies(saw),
        **faults(saw),
    }


async def _peer(setup: Setup, name: str) -> Figures:
    per_frame = round(COMMENTS_PER_S / setup.frames_per_s)
    frame_bytes = per_frame * COMMENT_BYTES
    cost, saw = await peer(name, setup.viewers, frame_bytes, setup.frames_per_s, setup.seconds, comments=per_frame)
    return {PER_COMMENT: cost[PER_COMMENT], **latencies(saw), **faults(saw)}


COMMENTS: Final = Profile(
    comments,
    (PER_COMMENT, COST, "frames_per_s", "frame_bytes", "latency_p50_ms", "latency_p99_ms", "lost", "wrong"),
    (
        Bar(
            "CPU a comment delivered / the floor's a frame",
            Side(PER_COMMENT, OURS),
            "at most",
            0.2,
            Side(COST, FLOOR),
        ),
        *nothing_lost(),
    ),
    viewers=1_000,
    seconds=20,
    heeds=frozenset({PEERS, SENDERS, RATE}),
)
