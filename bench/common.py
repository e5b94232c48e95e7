"""What every bar does: prepare a stream, write texts of one size, tell a line of figures."""

import json
import time
from collections.abc import Callable

from bench.server import Server
from bench.viewers import Poster

STREAM = "bench"
LIVE = f"/v1/streams/{STREAM}/live"


def tell(name: str, **figures: object) -> None:
    """One line of figures."""
    print(json.dumps({"bar": name, **figures}), flush=True)


def importers(server: Server, count: int) -> list[str]:
    """Tokens of importers: no limits hold for them."""
    return [server.token(f"importer{number}", "importer") for number in range(count)]


async def poster_of(server: Server, lines: int = 1) -> Poster:
    """A stream that shows everything, and who posts to it over so many connections."""
    status, answer = server.call(
        "PUT", f"/v1/streams/{STREAM}", server.token("boss", "admin"), {"rules": {"show": "all"}}
    )
    if status not in (200, 201):
        raise RuntimeError(f"the stream was refused: {answer}")
    return await Poster(server.port, STREAM, importers(server, lines)).open()


def stamped(size: int) -> Callable[[int], str]:
    """Comments of `size` bytes that say when they were posted, as `load` reads it."""
    return lambda number: f"t={time.monotonic_ns()};{number} ".ljust(size - 1, "y") + "z"
