"""What is promised to viewers, measured: removals, and returns."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from uproar.bench.bars import Bar, Side
from uproar.bench.lines import Setup
from uproar.bench.profile import Profile, Shown
from uproar.bench.server import Server
from uproar.bench.stage import LIVE, STREAM, poster_of
from uproar.bench.stats import percentiles_ms
from uproar.bench.viewers import Viewer, connect, crowd

SHOWN_S, SEEN_WITHIN_S = 0.3, 0.7
POSTS_PER_S: Final = 20


async def removal(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """A removal answered, until it left every open viewer; one a second."""
    told: dict[str, list[float]] = {}

    def heard(viewer: Viewer, text: bytes) -> None:
        _, found, rest = text.partition(b'"removed":["')
        if found:
            told.setdefault(rest.partition(b'"')[0].decode(), []).append(time.perf_counter())

    spans: list[float] = []
    still, removals = 0, max(1, int(setup.seconds))
    with Server(folder / "data", sender=setup.senders[0]) as server:
        poster = await poster_of(server)
        boss = server.token("boss", "admin")
        await crowd(server.port, f"{LIVE}?history=0", setup.viewers, heard)
        for number in range(removals):
            poster.post(f"to be removed {number}")
            await asyncio.sleep(random.Random(number).uniform(0.2, 0.4))
            known = poster.acked[-1]
            await asyncio.to_thread(server.call, "DELETE", f"/v1/streams/{STREAM}/comments/{known}", boss, {"why": ""})
            answered = time.perf_counter()
            page = await asyncio.to_thread(page_of, server)
            still += any(comment["id"] == known for comment in page["comments"])
            await asyncio.sleep(SEEN_WITHIN_S)
            spans += [at - answered for at in told.get(known, [])]
    seen_share = len(spans) / (removals * setup.viewers)
    figures = {"seen_share": seen_share, "still_in_history": still, **percentiles_ms("gone", spans)}
    yield setup.senders[0], "", figures


async def away(setup: Setup, folder: Path) -> AsyncIterator[Shown]:
    """A viewer back after the time of the round: every batch once."""
    got: list[int] = []
    recovered: list[bool] = []

    def heard(viewer: Viewer, text: bytes) -> None:
        message = json.loads(text)
        viewer.position = message.get("position", viewer.position)
        if message["type"] == "joined":
            recovered.append(message["recovered"])
        elif message["type"] == "batch":
            got.append(int(viewer.position.split(".")[1]))

    with Server(folder / "data", sender=setup.senders[0]) as server:
        poster = await poster_of(server)
        viewer = await connect(server.port, LIVE, heard)
        await poster.run(POSTS_PER_S, 1, 2, lambda number: f"before {number}")
        viewer.transport.abort()  # type: ignore[attr-defined]
        await poster.run(POSTS_PER_S, setup.seconds, 2, lambda number: f"away {number}")
        await connect(server.port, f"{LIVE}?position={viewer.position}", heard)
        await poster.run(POSTS_PER_S, 1, 2, lambda number: f"after {number}")
    missed = len(set(range(got[0], got[-1] + 1)) - set(got))
    repeated = len(got) - len(set(got))
    yield (
        setup.senders[0],
        "",
        {"recovered": int(recovered[-1]), "batches": len(got), "missed": missed, "repeated": repeated},
    )


def page_of(server: Server, before: str = "") -> dict[str, Any]:
    """A page of the history: the newest, or those before an id."""
    query = f"?limit=200&before={before}" if before else "?limit=200"
    status, page = server.call("GET", f"/v1/streams/{STREAM}/comments{query}")
    if status != 200 or not isinstance(page, dict):
        raise RuntimeError(f"the history was refused: {page}")
    return page


REMOVAL: Final = Profile(
    removal,
    ("seen_share", "gone_p50_ms", "gone_p99_ms", "still_in_history"),
    (
        Bar("from its answer to gone from every viewer, p99, ms", Side("gone_p99_ms"), "at most", 500),
        Bar("share that saw it go", Side("seen_share"), "at least", 1, every_round=True),
        Bar("still in history after the answer", Side("still_in_history"), "at most", 0, every_round=True),
    ),
    viewers=1_000,
    seconds=60,
    rounds=1,
)
AWAY: Final = Profile(
    away,
    ("recovered", "batches", "missed", "repeated"),
    (
        Bar("recovered", Side("recovered"), "at least", 1, every_round=True),
        Bar("batches missed", Side("missed"), "at most", 0, every_round=True),
        Bar("batches twice", Side("repeated"), "at most", 0, every_round=True),
    ),
    seconds=50,
    rounds=1,
)
