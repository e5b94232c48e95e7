"""A timeline of which every read is counted that somebody who watches, or comes back, may need."""

from collections.abc import Callable
from typing import Final

from uproar.core import counting
from uproar.timeline import Timeline

READS: Final = frozenset({"gone", "since", "snapshot"})


def counted(timeline: Timeline, count: Callable[[], object]) -> Timeline:
    """The timeline; `count` is called at each of its `READS`."""
    return counting.counted(timeline, READS, count)
