"""What is promised to viewers and operators, measured: removals, returns, starts, and what a kill leaves behind."""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

from bench.common import LIVE, STREAM, poster_of, tell
from bench.server import Server
from bench.viewers import Viewer, connect, crowd, percentile

REMOVALS, REMOVAL_VIEWERS = 60, 1000
AWAY_S = 50
KILLS = 100
STARTS = 7


async def removal(data: Path) -> None:
    """A removal answered, until it left 1,000 open viewers."""
    told: dict[str, list[float]] = {}

    def heard(viewer: Viewer, text: bytes) -> None:
        _, found, rest = text.partition(b'"removed":["')
        if found:
            told.setdefault(rest.partition(b'"')[0].decode(), []).append(time.perf_counter())

    with Server(data) as server:
        poster = await poster_of(server)
        boss = server.token("boss", "admin")
        await crowd(server.port, f"{LIVE}?history=0", REMOVAL_VIEWERS, heard)
        spans, still = [], 0
        for number in range(REMOVALS):
            poster.post(f"to be removed {number}")
            await asyncio.sleep(random.Random(number).uniform(0.2, 0.4))
            known = poster.acked[-1]
            await asyncio.to_thread(server.call, "DELETE", f"/v1/streams/{STREAM}/comments/{known}", boss, {"why": ""})
            answered = time.perf_counter()
            page = await asyncio.to_thread(_page, server)
            still += any(comment["id"] == known for comment in page["comments"])
            await asyncio.sleep(0.7)
            spans += [at - answered for at in told.get(known, [])]
    expected = REMOVALS * REMOVAL_VIEWERS
    tell("removal", seen=len(spans), expected=expected, p99_ms=percentile(spans, 0.99) * 1e3, still_in_history=still)


async def away(data: Path) -> None:
    """A viewer back after 50 s away: every batch once."""
    got: list[int] = []
    recovered: list[bool] = []

    def heard(viewer: Viewer, text: bytes) -> None:
        message = json.loads(text)
        viewer.position = message.get("position", viewer.position)
        if message["type"] == "joined":
            recovered.append(message["recovered"])
        elif message["type"] == "batch":
            got.append(int(viewer.position.split(".")[1]))

    with Server(data) as server:
        poster = await poster_of(server)
        viewer = await connect(server.port, LIVE, heard)
        await poster.run(20, 1, 2, lambda number: f"before {number}")
        viewer.transport.abort()  # type: ignore[attr-defined]
        await poster.run(20, AWAY_S, 2, lambda number: f"away {number}")
        await connect(server.port, f"{LIVE}?position={viewer.position}", heard)
        await poster.run(20, 1, 2, lambda number: f"after {number}")
    whole = got == list(range(got[0], got[-1] + 1))
    tell("50 s away", recovered=recovered[-1], batches=len(got), every_batch_once=whole)


async def start(data: Path) -> None:
    """From the command to ready, and memory at rest."""
    times = []
    for _ in range(STARTS):
        with Server(data) as server:
            times.append(server.ready_s)
            await asyncio.sleep(0.5)
            rest = server.rss_bytes()
    tell("start", ready_s=percentile(times, 0.5), most_s=max(times), rest_mib=rest / (1 << 20))


async def kills(data: Path) -> None:
    """100 x kill -9 under load: nothing acknowledged lost, nothing doubled."""
    server = Server(data)
    kept: set[str] = set()
    ready = []
    luck = random.Random(1)
    for life in range(KILLS):
        with server:
            ready.append(server.ready_s)
            kept |= await _killed_under_load(server, life, luck.uniform(0.1, 1.0))
    with server:
        await asyncio.sleep(2)
        found = _all_comments(server)
    texts = [comment["text"] for comment in found]
    tell(
        "kill -9",
        kills=KILLS,
        acked=len(kept),
        lost=len(kept - {comment["id"] for comment in found}),
        doubled=len(texts) - len(set(texts)),
        ready_p50_s=percentile(ready, 0.5),
        ready_most_s=max(ready),
    )


async def _killed_under_load(server: Server, life: int, after_s: float) -> set[str]:
    """The ids acknowledged until the server was killed."""
    poster = await poster_of(server, lines=8)
    until = time.perf_counter() + after_s
    while time.perf_counter() < until:
        for _ in range(5):
            poster.post(f"comment {life}.{poster.number}")
        await asyncio.sleep(0.02)
    server.kill()
    await asyncio.sleep(0.05)  # acks under way arrive
    return set(poster.acked)


def _all_comments(server: Server) -> list[dict[str, Any]]:
    page = _page(server)
    found: list[dict[str, Any]] = page["comments"]
    while page["next"]:
        page = _page(server, page["next"])
        found += page["comments"]
    return found


def _page(server: Server, before: str = "") -> dict[str, Any]:
    """A page of the history: the newest, or those before an id."""
    query = f"?limit=200&before={before}" if before else "?limit=200"
    status, page = server.call("GET", f"/v1/streams/{STREAM}/comments{query}")
    if status != 200 or not isinstance(page, dict):
        raise RuntimeError(f"the history was refused: {page}")
    return page
