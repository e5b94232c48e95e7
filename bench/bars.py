"""Measures what docs/performance.md tells: `python -m bench.bars NAME…` (all without names); prints a line a figure."""

import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from bench.compiled import CannotCompile
from bench.fanout import fanout, idle, slow, storm
from bench.posting import growth, posts, rest_posts
from bench.promises import away, kills, removal, start

Bar = Callable[[Path], Coroutine[Any, Any, None]]

BARS: dict[str, Bar] = {
    bar.__name__: bar for bar in (start, posts, rest_posts, fanout, idle, storm, slow, removal, away, growth, kills)
}


def main() -> None:
    """Run the bars that were named."""
    names = sys.argv[1:] or list(BARS)
    strange = [name for name in names if name not in BARS]
    if strange:
        sys.exit(f"There is no bar {strange[0]}: there are {', '.join(BARS)}.")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="uproar-bench-") as folder:
            uvloop.run(BARS[name](Path(folder) / "data"))


if __name__ == "__main__":
    try:
        main()
    except CannotCompile as fault:
        sys.exit(str(fault))
