"""One stream with more comments than anyone can read."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uproar.bench.bars import Bar, Side
from uproar.bench.cores import LOAD_CPU
from uproar.bench.lines import Setup
from uproar.bench.profile import Profile, Shown
from uproar.bench.programs import watching
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, faults, latencies, nothing_lost, poster_of, stamped
from uproar.bench.stats import percentiles_ms

POSTS_PER_S, BURST, LINES = 3_000, 30, 8


async def mega(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """3,000 comments a second in one stream, of which the best are shown and the others counted."""
    with Server(folder / "data", sender=setup.senders[0]) as server:
        poster = await poster_of(server, LINES, show="auto")
        async with watching(server.port, LIVE, cpu=LOAD_CPU, viewers=setup.viewers, history=0) as crowd:
            await poster.run(POSTS_PER_S, setup.seconds, BURST, stamped(60))
            left_out = server.metric("uproar_left_out_total")
            saw = await crowd.end()
    acked = len(poster.acked)
    yield (
        setup.senders[0],
        "",
        {
            "acked_share": acked / poster.number,
            "acked_per_s": acked / setup.seconds,
            "shown_per_s": (acked - left_out) / setup.seconds,
            "left_out_share": left_out / max(1, acked),
            "frames_per_s": saw["batches"] / setup.viewers / setup.seconds,
            **percentiles_ms("ack", poster.acks_s),
            **latencies(saw),
            **faults(saw),
        },
    )


MEGA: Final = Profile(
    mega,
    (
        "acked_per_s",
        "acked_share",
        "shown_per_s",
        "left_out_share",
        "frames_per_s",
        "ack_p99_ms",
        "latency_p99_ms",
        "lost",
        "wrong",
    ),
    (
        Bar("share acknowledged", Side("acked_share"), "at least", 1, every_round=True),
        Bar("publish to viewer, p99, ms", Side("latency_p99_ms"), "at most", 1_000),
        *nothing_lost(),
    ),
    viewers=1_000,
    seconds=20,
)
