"""What profiles have in common: a stream that shows all, who posts to it, and what its viewers saw as flat figures."""

import random
import time
from collections.abc import Callable
from typing import Any

from uproar.bench.bars import OURS, Bar, Side
from uproar.bench.lines import Figures
from uproar.bench.poster import Poster
from uproar.bench.server import Server
from uproar.bench.wording import contestant

STREAM = "bench"
LIVE = f"/v1/streams/{STREAM}/live"
CHATTER = (
    "the and you that was for are with this have goal what when again watch never just like from they stream "
    "look best game time good please hello where first ever really love come back why now wow great play chat"
)
WORDS = CHATTER.split()


def importers(server: Server, count: int) -> list[str]:
    """Tokens of importers: no limits hold for them."""
    return [server.token(f"importer{number}", "importer") for number in range(count)]


def open_stream(server: Server, name: str = STREAM, show: str = "all") -> None:
    """A stream that shows everything; `auto`: the best where there is too much."""
    status, answer = server.call("PUT", f"/v1/streams/{name}", server.token("boss", "admin"), {"rules": {"show": show}})
    if status not in (200, 201):
        raise RuntimeError(f"the stream was refused: {answer}")


async def poster_of(server: Server, lines: int = 1, show: str = "all") -> Poster:
    """Who posts to the stream, which is made, over so many connections."""
    open_stream(server, show=show)
    return await Poster(server.port, STREAM, importers(server, lines)).open()


def stamped(size: int) -> Callable[[int], str]:
    """Comments of `size` bytes, of words, that say when they were posted, as `load` reads it."""
    return lambda number: f"t={time.monotonic_ns()};{number} {chatter(size, number)}"[:size]


def chatter(size: int, seed: int) -> str:
    """At least `size` bytes of words, the same for the same seed."""
    return " ".join(random.Random(seed).choices(WORDS, k=size // 3)).ljust(size, ".")


def frames_of(saw: dict[str, Any]) -> int:
    """Frames that reached viewers, deflated or not."""
    frames: int = saw["batches"] + saw["deflated"] - saw["inflated"]
    return frames


def latencies(saw: dict[str, Any], told: str = "latency_ms", name: str = "latency") -> Figures:
    """`NAME_p50_ms` and so on of a histogram that a C program told; nothing of an empty one."""
    times = saw.get(told, {"count": 0})
    return {f"{name}_{word}_ms": times[word] for word in ("p50", "p90", "p99", "max")} if times["count"] else {}


def faults(saw: dict[str, Any]) -> Figures:
    """What must not be: frames missing between two that came, frames that came damaged or again, closes.

    Of deflated frames only those are looked into that some viewers inflate.
    """
    lost = saw["holes"] + saw["skipped"]
    return {"lost": lost, "wrong": saw["damaged"] + saw["repeats"], "closes": sum(saw["closes"].values())}


def nothing_lost(case: str = "") -> tuple[Bar, ...]:
    """None of the `faults`, in any round."""
    named = {"lost": "frames lost", "wrong": "frames damaged or repeated", "closes": "closes"}
    return tuple(
        Bar(contestant(what, case), Side(figure, OURS, case), "at most", 0, every_round=True)
        for figure, what in named.items()
    )
